"""A time in which a whole answer has to come; a socket's own timeout is for each of its parts.

Knows nothing of HTTP: whatever is read from a connection after a request counts.
"""

from __future__ import annotations

import ssl
import threading
import time
from typing import Any


class _Waiting(threading.local):
    """What this thread's request waits for."""

    seconds = 0.0
    ends_at: float | None = None


_waiting = _Waiting()


def answer_within(seconds: float) -> None:
    """This thread's next answer has to be read to its end so long after its reading begins."""
    _waiting.seconds = seconds
    _waiting.ends_at = None


class DeadlineSocket(ssl.SSLSocket):
    """Reads until the time is over, however slowly bytes come."""

    def read(self, *args: Any, **how: Any) -> Any:
        """The next bytes.

        :raises TimeoutError: the answer has not ended in its time.
        """
        now = time.monotonic()
        if _waiting.ends_at is None:
            _waiting.ends_at = now + _waiting.seconds
        left = _waiting.ends_at - now
        if left <= 0:
            raise TimeoutError("the answer has not ended in its time")
        self.settimeout(left)
        return super().read(*args, **how)
