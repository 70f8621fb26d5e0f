"""A page of a list, by its number and length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Page:
    """Counted from 0."""

    number: int
    size: int

    def of(self, everything: Sequence[_T]) -> Sequence[_T]:
        """What stands on it."""
        return everything[self.number * self.size : (self.number + 1) * self.size]

    def count(self, everything: Sequence[object]) -> int:
        """How many there are; an empty list has one, which is empty."""
        return max(1, -(-len(everything) // self.size))
