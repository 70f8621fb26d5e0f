"""A small shop on embedded SQLite and the mock gateway: ``python -m examples.demo``."""
