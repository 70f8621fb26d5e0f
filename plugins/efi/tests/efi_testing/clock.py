"""Clocks that go only when a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Aware UTC, from the machine's own moment on: certificates are made by that one."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, period: timedelta) -> None:
        self.moment += period


class Seconds:
    """Seconds that count from nowhere in particular."""

    def __init__(self) -> None:
        self.passed = 1000.0

    def __call__(self) -> float:
        return self.passed
