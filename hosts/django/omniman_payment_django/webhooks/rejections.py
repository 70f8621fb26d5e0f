"""Counts refused notifications and logs them at most once a minute for each cause.

Anybody on the internet can cause a rejection, so a flood must not become a flood of lines.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger("omniman_payment.webhooks")

QUIET_SECONDS = 60.0
MAX_CAUSES = 256


@dataclass(slots=True)
class _Cause:
    """How often one cause came since it was last written down, and when that was."""

    unlogged: int
    logged_at: float


class RejectionLog:
    """One line for the first rejection of a cause, then one a minute with the number since."""

    def __init__(
        self,
        *,
        quiet: float = QUIET_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._quiet = quiet
        self._monotonic = monotonic
        self._causes: dict[tuple[str, str], _Cause] = {}
        self._lock = threading.Lock()
        self.total = 0
        """Everything refused since the process started."""

    def count(
        self, account: str, cause: str, *, detail: str = "", level: int = logging.WARNING
    ) -> bool:
        """Count one; says whether a line was written for it.

        ``detail`` may hold what a stranger chose: it is shown, but makes no cause of its own.
        """
        now = self._monotonic()
        with self._lock:
            self.total += 1
            known = self._causes.get((account, cause))
            if known is not None and now - known.logged_at < self._quiet:
                known.unlogged += 1
                return False
            if known is None and len(self._causes) >= MAX_CAUSES:
                # The oldest makes room: memory stays bounded whatever is sent.
                del self._causes[next(iter(self._causes))]
            self._causes[account, cause] = _Cause(0, now)
            unlogged = known.unlogged if known is not None else 0
        more = f" ({unlogged} more since the last line)" if unlogged else ""
        log.log(
            level,
            "webhook of account %s refused: %s%s%s",
            account,
            cause,
            f": {detail}" if detail else "",
            more,
        )
        return True


rejections = RejectionLog()
"""The process's own."""
