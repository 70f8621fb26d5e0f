"""What the core promises, shown over the memory store and a gateway that keeps true books."""
