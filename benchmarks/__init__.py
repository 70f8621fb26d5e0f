"""What the promises about speed and size come to on this machine: ``python -m benchmarks``."""
