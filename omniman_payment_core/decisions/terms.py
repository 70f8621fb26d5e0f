"""What decisions rest on besides the case: the account's terms, the outcome of a call, the rules.

All of it is plain data, so that a decision can be replayed from what was written down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..contracts import Abilities, BackendRegistration
from ..errors import ConfigurationError
from ..values import PaymentResult


@dataclass(frozen=True, slots=True)
class Terms:
    """One configured account as a decision sees it: everything but the backend itself."""

    account: str
    plugin: str
    version: str
    fingerprint: str
    livemode: bool
    abilities: Abilities
    registration: BackendRegistration
    choose_transaction_id: Callable[[str], str] | None = None
    """Pure: the backend's own naming of transactions, where it has one."""
    choose_refund_id: Callable[[str], str] | None = None
    """Pure: the same for refunds."""

    @property
    def holds(self) -> bool:
        """Whether funds can be held here, rather than only charged."""
        return "authorize" in self.abilities and self.registration.feature("hold").supported

    @property
    def withdraws_unpaid(self) -> bool:
        """An unpaid charge does not end by itself at this gateway, and we can end it."""
        return (
            "cancel" in self.abilities and not self.registration.feature("unpaid_expiry").supported
        )

    def missing(self, method: str, feature: str | None = None) -> str | None:
        """Why ``method`` (or ``feature`` of it) cannot be had here; ``None`` when it can."""
        if method not in self.abilities:
            return f'the backend "{self.plugin}" of account "{self.account}" has no {method}()'
        if feature is not None:
            declared = self.registration.feature(feature)
            if not declared.supported:
                return f'account "{self.account}" ({self.plugin}): {declared.reason}'
        return None


Binding = tuple[str, bool]
"""Which account at the gateway it is, and whether in live mode."""


def check_binding(account: str, now: Binding, begun_with: Binding) -> None:
    """A running payment never goes to another gateway account than the one it began with."""
    if now != begun_with:
        raise ConfigurationError(
            f'account "{account}" is not the one this payment was begun with '
            f"(now {now[0]}, live mode {now[1]}); configure the old "
            "account under its old name until its payments are done"
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """The engine's own limits, the same for every account."""

    max_attempts: int = 60
    """Deliveries without a settled answer before a directive is parked for a person: with the
    backoff below, most of a day."""
    backoff_base: timedelta = timedelta(seconds=1)
    backoff_cap: timedelta = timedelta(minutes=30)
    config_retry: timedelta = timedelta(minutes=1)
    """How long a directive waits when its account cannot work at all."""
    wait_poll: timedelta = timedelta(minutes=5)
    """A waiting directive looks again after this even when nothing woke it."""
    window_margin: timedelta = timedelta(hours=1)
    """A key is no longer trusted this long before the gateway may forget it."""
    send_slack: timedelta = timedelta(seconds=90)
    """A call leaves at most this long after its operation was committed as sent."""
    first_check: timedelta = timedelta(seconds=5)
    first_check_polled: timedelta = timedelta(seconds=30)
    """The same where the account is asked for news as a whole."""
    check_cap: timedelta = timedelta(hours=1)
    idle_check: timedelta = timedelta(hours=24)
    """How often a payment at rest that is not final is looked at."""
    late_watch: timedelta = timedelta(hours=48)
    """How long an unpaid charge that ended is still watched for late money."""
    expiry_slack: timedelta = timedelta(seconds=30)

    def backoff(self, attempts: int, jitter: float) -> timedelta:
        """Exponential, capped, spread over the upper half; ``jitter`` is in [0, 1)."""
        full = min(self.backoff_cap, self.backoff_base * (1 << min(attempts, 20)))
        return full / 2 + full / 2 * jitter


@dataclass(frozen=True, slots=True)
class Answered:
    """The gateway said how things are; for ``find`` there may be several."""

    result: PaymentResult


@dataclass(frozen=True, slots=True)
class Found:
    """What ``find`` brought: the transactions of an order."""

    results: Sequence[PaymentResult]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The transaction's address, obtained before money could move."""

    transaction_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway's final no. Without a ``code`` it is not believed before a look."""

    code: str
    message: str
    result: PaymentResult


@dataclass(frozen=True, slots=True)
class NotFound:
    """The gateway knows no such transaction."""

    message: str


@dataclass(frozen=True, slots=True)
class NotAttempted:
    """Certainly not carried out. ``counted`` is off where waiting is nobody's fault."""

    message: str
    retry_after: timedelta | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """Perhaps carried out. ``plugin_fault`` when the plugin, not the network, is to blame."""

    message: str
    plugin_fault: bool = False


@dataclass(frozen=True, slots=True)
class Invalid:
    """The gateway, or the plugin, found the request itself wrong."""

    message: str


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """The account cannot work before a person changes something."""

    message: str


Outcome = (
    Answered | Found | Prepared | Refused | NotFound | NotAttempted | Unknown | Invalid
    | Misconfigured
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """What is passed in so that decisions stay pure: time, a fresh id, a suggested delay."""

    now: datetime
    new_id: Callable[[], str]
    jitter: float = 0.0
    retry_in: timedelta | None = None
    """A policy plugin's wish; the rules' own backoff where it has none."""
    actor: str = "worker"
