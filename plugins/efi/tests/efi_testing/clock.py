"""Clocks that a test moves: one beside the machine's own, one that goes only when told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Aware UTC: the machine's, as far ahead as a test wants. Certificates are made by that one."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, period: timedelta) -> None:
        self.ahead += period


class Seconds:
    """Seconds that count from nowhere in particular."""

    def __init__(self) -> None:
        self.passed = 1000.0

    def __call__(self) -> float:
        return self.passed
