"""The account's access token: one for all threads, renewed before it ends, by one of them.

Source: Efi's "Autenticação" page; RFC 6749, section 4.4.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from omniman_payment_core.errors import PaymentError

EARLY = 300
"""Seconds before its end in which a token is renewed while it still serves everybody else."""
MARGIN = 10
"""Seconds before its end in which it is no longer sent: it has to arrive alive."""


@dataclass(frozen=True, slots=True)
class Token:
    """What the gateway gave, and for how many seconds."""

    text: str = field(repr=False)
    seconds: int


class Tokens:
    """Fetches when it has to: ``fetch`` is called by one thread at a time.

    :param monotonic: seconds that never go backwards.
    """

    def __init__(self, fetch: Callable[[], Token], monotonic: Callable[[], float]) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._renewing = threading.Lock()
        self._kept: tuple[str, float, float] | None = None  # text, renew from, useless from

    def current(self, *, instead_of: str | None = None) -> str:
        """A token that is good now; ``instead_of``: one that the gateway has just refused.

        :raises PaymentError: there is none to be had.
        """
        kept = self._kept
        if kept is not None and kept[0] != instead_of:
            text, early, useless = kept
            now = self._monotonic()
            if now < early:
                return text
            if now < useless:
                self._renew_early(text)
                return self._kept[0] if self._kept is not None else text
        with self._renewing:
            kept = self._kept
            # Somebody else may have fetched one while this thread waited.
            if kept is None or kept[0] == instead_of or self._monotonic() >= kept[2]:
                kept = self._renew()
            return kept[0]

    def _renew_early(self, known: str) -> None:
        """By whoever comes first; nobody waits, and a failure can be tried again by the next."""
        if not self._renewing.acquire(blocking=False):
            return
        try:
            if self._kept is not None and self._kept[0] == known:
                self._renew()
        except PaymentError:
            # The one in hand is still good.
            return
        finally:
            self._renewing.release()

    def _renew(self) -> tuple[str, float, float]:
        began = self._monotonic()
        token = self._fetch()
        useless = began + max(1, token.seconds - MARGIN)
        early = began + max(1, token.seconds - min(EARLY, token.seconds // 2))
        self._kept = kept = (token.text, min(early, useless), useless)
        return kept
