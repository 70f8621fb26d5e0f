"""Test doubles that are part of the product: a store in memory and a clock to set."""

from .clock import ManualClock
from .memory import MemoryStore

__all__ = ["ManualClock", "MemoryStore"]
