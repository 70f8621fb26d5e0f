"""What the engine asks of its surroundings: a store of rows, a clock, somewhere to find accounts.

A store writes each :class:`Changes` in one transaction with the reads it rests on. It calls
the given pure functions inside that transaction; they never do I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from ..records import Case, Changes, ChannelView, NewDirective

if TYPE_CHECKING:
    from ..notices import PaymentChange
    from ..plugins.registry import Account


class Clock(Protocol):
    """Time, passed in. A suspended machine stops one of them, a changed date moves the other."""

    def now(self) -> datetime:
        """Aware UTC wall-clock time."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        ...


class Accounts(Protocol):
    """Finds configured accounts; both raise ``ConfigurationError``."""

    def account(self, name: str) -> Account: ...

    def account_for(self, channel: ChannelView) -> Account: ...


@dataclass(frozen=True, slots=True)
class Settlement:
    """One directive to settle: who claims to hold it, and what its answer changes."""

    directive_id: int
    order_ref: str
    fence: int
    resolve: Callable[[Case, datetime, bool], Changes]
    """``(fresh case, now, fence still held) -> changes``; pure."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction has committed for one directive."""

    case: Case
    changes: Changes
    fenced: bool = True


class Store(Protocol):
    """Rows in a database, or a twin of it in memory. Every method is one transaction."""

    def claim(
        self,
        *,
        owner: str,
        limit: int,
        lease: timedelta,
        decide: Callable[[Case, datetime], Changes],
        tell: bool,
    ) -> list[Written]:
        """Take up to ``limit`` due directives, oldest first, at most one for an order; decide each.

        Due is pending and available, or running under a lease that ended (then an attempt is
        counted). The lease is by the store's own clock and raises the fence.
        """
        ...

    def settle(self, settlements: Sequence[Settlement], *, tell: bool) -> list[Written]:
        """Read each case afresh under lock, resolve it, write everything or nothing.

        With ``tell`` every status move also leaves a notice until :meth:`told`.
        """
        ...

    def enqueue(self, directives: Sequence[NewDirective]) -> list[int]:
        """Add directives; a known ``dedupe_key`` is not added twice.

        A ``payment.sync`` that is known is asked to run again instead, whatever its state.
        Returns the ids that are now to run.
        """
        ...

    def arm_checks(self, limit: int) -> int:
        """Enqueue a ``payment.sync`` for each payment whose next check is due; says how many."""
        ...

    def untold(self, older_than: timedelta, limit: int) -> list[PaymentChange]:
        """Status moves whose telling was interrupted."""
        ...

    def told(self, changes: Sequence[PaymentChange]) -> None:
        """Forget the notices of moves that observers have been told of."""
        ...
