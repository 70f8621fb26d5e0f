"""How many notifications that concern no payment here an account may leave in the inbox.

They come with a genuine proof, so only a gateway gone mad sends them, or whoever has stolen the
secret of an address. Neither fills the disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BURST = 10_000
PER_SECOND = 10.0


class Allowance:
    """A bucket for each account, which fills again steadily. For one process."""

    def __init__(
        self,
        burst: int = BURST,
        per_second: float = PER_SECOND,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._monotonic = monotonic
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, account: str, count: int) -> bool:
        """Whether so many more may be kept; if not, nothing was taken."""
        now = self._monotonic()
        with self._lock:
            left, at = self._left.get(account, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._per_second)
            fits = count <= left
            self._left[account] = (left - count if fits else left, now)
        return fits


allowance = Allowance()
"""The process's own."""
