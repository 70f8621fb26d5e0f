"""What the repository needs for itself: environments, pins, proofs."""
