"""Clocks that disagree: leases go by the store's, which is the world's own."""

from __future__ import annotations

from datetime import datetime, timedelta

from omniman_payment_core.testing import ManualClock

NONE = timedelta()


class SkewedClock:
    """A machine's clock: off by something that can change at any moment; never its stopwatch."""

    def __init__(self, truth: ManualClock) -> None:
        self._truth = truth
        self.skew = NONE

    def now(self) -> datetime:
        return self._truth.now() + self.skew

    def monotonic(self) -> float:
        return self._truth.monotonic()

    def __call__(self) -> datetime:
        return self.now()
