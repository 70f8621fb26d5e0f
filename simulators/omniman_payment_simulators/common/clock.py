"""The simulator's time: the machine's, moved on as far as a test wants."""

from __future__ import annotations

import time


class Clock:
    """Seconds since 1970. Only ever moves forward."""

    def __init__(self) -> None:
        self.ahead = 0

    def now(self) -> int:
        """The simulated time, in whole seconds."""
        return int(time.time()) + self.ahead

    def advance(self, seconds: int) -> None:
        """Let time pass at once."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self.ahead += seconds
