"""The machine's clock, as far ahead as a test wants."""

from __future__ import annotations

import time


class Clock:
    """Seconds since 1970."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead
