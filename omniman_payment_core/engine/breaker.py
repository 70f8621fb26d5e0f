"""Lets an account rest whose gateway does not answer, so that nobody else waits for it.

Pure bookkeeping of outcomes by a clock that is passed in; nothing here calls anybody. What is
not called is certainly not carried out, so resting is always safe.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta

from ..decisions import NotAttempted, Outcome, Unknown


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When an account rests, and for how long."""

    failures: int = 10
    """Calls in a row that got no answer. One that is refused, or says "not found", is an answer."""
    first_rest: timedelta = timedelta(seconds=5)
    longest_rest: timedelta = timedelta(minutes=2)
    """Each trial that fails doubles the rest, up to this."""


@dataclass(slots=True)
class _Account:
    """What is known of one account: its failures in a row, and until when it rests."""

    failures: int = 0
    rests: int = 0
    until: float = 0.0
    trying: bool = False


class Breaker:
    """One for each worker process; several threads call through it."""

    def __init__(self, rules: BreakerRules) -> None:
        self._rules = rules
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}

    def rest_of(self, account: str, now: float) -> timedelta | None:
        """How long the account is still not to be called; ``None``: call it.

        When its rest is over, one call tries it, and the others go on waiting for that.
        """
        known = self._accounts.get(account)
        if known is None:
            return None
        with self._lock:
            if not known.rests:
                return None
            if now < known.until:
                return timedelta(seconds=known.until - now)
            # A trial that hangs is not the last one.
            known.trying = True
            known.until = now + self._rules.longest_rest.total_seconds()
            return None

    def learn(self, account: str, outcome: Outcome, now: float) -> bool:
        """Take note of what became of a call; whether the account begins to rest by it."""
        with self._lock:
            known = self._accounts.setdefault(account, _Account())
            if not _unanswered(outcome):
                known.failures = known.rests = 0
                known.trying = False
                return False
            known.failures += 1
            begins = known.failures >= self._rules.failures and not known.rests
            if not begins and not known.trying:
                return False
            known.trying = False
            rest = min(self._rules.longest_rest, self._rules.first_rest * (1 << known.rests))
            known.rests = min(known.rests + 1, 16)
            known.until = now + rest.total_seconds()
            return begins


def _unanswered(outcome: Outcome) -> bool:
    """The gateway was not there. One that says when to come again is, and is taken at its word."""
    match outcome:
        case Unknown(plugin_fault=fault):
            return not fault
        case NotAttempted(retry_after=retry_after, counted=counted):
            return counted and retry_after is None
    return False
