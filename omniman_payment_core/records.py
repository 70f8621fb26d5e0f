"""The rows a host persists, as immutable values, and what a decision may read and write.

Knows no database: a store turns :class:`Case` and :class:`Changes` into rows and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from .values import NextAction, PaymentStatus, RefundStatus

_Record = TypeVar("_Record")


def evolve(record: _Record, **changes: Any) -> _Record:
    """A copy of a stored record with some fields changed.

    Does what ``dataclasses.replace`` does at a tenth of the cost, which the worker's hot path
    pays a dozen times for each directive. For the records without ``__slots__`` only.
    """
    twin = object.__new__(type(record))
    fields = twin.__dict__
    fields.update(record.__dict__)
    known = len(fields)
    fields.update(changes)
    if len(fields) != known:
        raise TypeError(f"{type(record).__name__} has no field {set(changes) - set(vars(record))}")
    return twin


SCHEMA_VERSION = 1
"""The newest directive payload this code understands; newer ones are left for newer workers."""


class Topic(StrEnum):
    """What a directive asks for."""

    HOLD = "payment.hold"
    CHARGE = "payment.charge"
    CONFIRM = "payment.confirm"
    REFUND = "payment.refund"
    CANCEL = "payment.cancel"
    SYNC = "payment.sync"
    VERDICT = "payment.verdict"


class DirectiveStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    PARKED = "parked"


class OperationKind(StrEnum):
    PREPARE = "prepare"
    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    CHARGE = "charge"
    CANCEL = "cancel"
    REFUND = "refund"


class OperationState(StrEnum):
    """``sent`` is left for ``refused`` or ``abandoned`` only with evidence."""

    PLANNED = "planned"
    """Certainly not carried out so far."""
    SENT = "sent"
    """Committed before the first byte; until an answer is settled, its outcome is in doubt."""
    PENDING = "pending"
    """The gateway took it and has not finished."""
    OK = "ok"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    PARKED = "parked"


class EventKind(StrEnum):
    """The facts of the ledger. Amounts are deltas; folding is a sum, in any order."""

    OPENED = "opened"
    ACTION_REQUIRED = "action_required"
    ACTION_TAKEN = "action_taken"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"
    FAILED = "failed"
    REFUND_PENDING = "refund_pending"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_CLOSED = "dispute_closed"
    NOTE = "note"


class Source(StrEnum):
    """How a fact came to be known."""

    CALL = "call"
    SYNC = "sync"
    OPERATOR = "operator"


class Trigger(StrEnum):
    """The keys of ``order_flow.auto_transitions``: each fires at most once for a payment."""

    HOLD = "on_payment_hold"
    CONFIRM = "on_payment_confirm"
    PARTIAL_REFUND = "on_payment_partial_refund"
    REFUND = "on_payment_refund"
    FAILED = "on_payment_failed"
    EXPIRED = "on_payment_expired"
    CANCEL = "on_payment_cancel"
    DISPUTE = "on_payment_dispute"


@dataclass(frozen=True)
class Directive:
    """A durable instruction, delivered at least once. ``payload`` may hold a payment method."""

    id: int
    topic: str
    order_ref: str
    payload: Mapping[str, Any] = field(repr=False)
    status: str
    attempts: int
    """Deliveries that ended without a settled answer, waiting not counted."""
    available_at: datetime
    fence: int
    """Goes up with every claim; a decision made under an older fence writes nothing."""
    lease_owner: str = ""
    lease_until: datetime | None = None
    dedupe_key: str | None = None
    waiting: bool = False
    """Waits for its payment to change rather than for a time."""
    wakes: int = 0
    """Counts requests to run again, so that one which comes while running is not lost."""
    schema_version: int = SCHEMA_VERSION
    result: Mapping[str, Any] | None = None
    last_error: str = ""

    @property
    def identity(self) -> str:
        """What makes a redelivery, or a second enqueueing, recognisable as the same request."""
        return self.dedupe_key or f"directive-{self.id}"


@dataclass(frozen=True, slots=True)
class NewDirective:
    """A directive to enqueue; one with a known ``dedupe_key`` is not enqueued twice."""

    topic: str
    order_ref: str
    payload: Mapping[str, Any] = field(repr=False)
    dedupe_key: str | None = None
    available_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A sales channel as its own configuration states it, unparsed."""

    code: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OrderView:
    """What a payment decision may know of an order."""

    ref: str
    channel: ChannelView
    status: str
    currency: str
    total_q: int
    cancelled: bool = False


@dataclass(frozen=True)
class Payment:
    """One attempt to collect the money of an order, bound for life to the account it began with."""

    id: str
    order_ref: str
    attempt: int
    flow: str
    account: str
    fingerprint: str
    livemode: bool
    plugin: str
    plugin_version: str
    currency: str
    amount_q: int
    created_at: datetime
    transaction_id: str | None = None
    status: PaymentStatus = PaymentStatus.PENDING
    authorized_q: int = 0
    captured_q: int = 0
    released_q: int = 0
    """Voided or expired: authorized money that can no longer be captured."""
    refund_pending_q: int = 0
    refunded_q: int = 0
    disputed_q: int = 0
    actions_open: int = 0
    failures: int = 0
    voids: int = 0
    expiries: int = 0
    next_action: NextAction | None = None
    expires_at: datetime | None = None
    hold_expires_at: datetime | None = None
    cancel_requested: bool = False
    fired: tuple[str, ...] = ()
    """The triggers that have fired, so that none fires twice."""
    checks: int = 0
    """Looks in a row that brought nothing new; the next one waits longer."""
    next_check_at: datetime | None = None
    version: int = 0

    @property
    def open_q(self) -> int:
        """Held and still to be captured."""
        return max(0, self.authorized_q - self.captured_q - self.released_q)

    @property
    def closed(self) -> bool:
        """No money is held, owed or on its way: another attempt may begin."""
        return self.status in CLOSED and self.open_q == 0


CLOSED = frozenset(
    {
        PaymentStatus.CANCELLED,
        PaymentStatus.EXPIRED,
        PaymentStatus.FAILED,
        PaymentStatus.REFUNDED,
    }
)


@dataclass(frozen=True)
class Operation:
    """One mutation at the gateway: the unit of idempotency and the write-ahead record."""

    key: str
    """The idempotency key of every attempt, and the operation's identity."""
    payment_id: str
    kind: str
    ordinal: int
    cause: str
    """The identity of the directive that asked for it."""
    params_hash: str
    amount_q: int
    currency: str
    state: str
    created_at: datetime
    first_sent_at: datetime | None = None
    last_sent_at: datetime | None = None
    window_until: datetime | None = None
    """After this the gateway may have forgotten the key; it is never sent again."""
    address: str = ""
    """The transaction id known when it was planned: frozen with the key, like every parameter."""
    gateway_reference: str = ""
    fence: int = 0
    attempts: int = 0
    code: str = ""
    evidence: str = ""

    @property
    def in_doubt(self) -> bool:
        """It may or may not have been carried out."""
        return self.state == OperationState.SENT

    @property
    def unsettled(self) -> bool:
        """It may still come to have an effect."""
        return self.state in _UNSETTLED


_UNSETTLED = frozenset({OperationState.PLANNED, OperationState.SENT, OperationState.PARKED})


@dataclass(frozen=True)
class Refund:
    """Money on its way back: ours (``id`` is the operation's key) or made at the gateway."""

    id: str
    payment_id: str
    amount_q: int
    status: RefundStatus
    created_at: datetime
    accepted: bool = False
    """The gateway has taken it; before that the amount is only reserved."""
    external: bool = False
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of the append-only ledger."""

    payment_id: str
    kind: str
    amount_q: int
    dedupe_key: str
    source: str
    actor: str
    at: datetime
    gateway_reference: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a person must look at; one open flag for each ``dedupe_key``."""

    kind: str
    dedupe_key: str
    order_ref: str
    message: str
    payment_id: str | None = None
    directive_id: int | None = None
    account: str = ""


ABOUT_UNKNOWN = ("outcome_unknown", "blocked_by_unknown", "attempts_exhausted")
"""Kinds of flags that ask a person what became of an operation."""


@dataclass(frozen=True, slots=True)
class FoundOut:
    """Who found out what became of an operation that nobody knew about, and how."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class OpenDirective:
    """Another unfinished directive of the same order."""

    id: int
    topic: str
    status: str
    identity: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything one decision may look at, read in one transaction."""

    directive: Directive
    order: OrderView | None
    payments: tuple[Payment, ...] = ()
    """By attempt, oldest first."""
    operations: tuple[Operation, ...] = ()
    refunds: tuple[Refund, ...] = ()
    others: tuple[OpenDirective, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectiveChange:
    """How a directive ends, or when it runs again."""

    status: str
    attempts: int
    available_at: datetime | None = None
    waiting: bool = False
    result: Mapping[str, Any] | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """One call to make, its operation already committed as ``sent`` (reads have none)."""

    method: str
    account: str
    fingerprint: str
    plugin: str
    livemode: bool
    payment_id: str
    order_ref: str
    amount_q: int
    currency: str
    transaction_id: str | None
    operation: Operation | None = None
    was_in_doubt: bool = False
    """An earlier attempt of this operation may have been carried out."""
    payment_method: Mapping[str, Any] = field(default_factory=dict, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    capture: bool = False
    """For ``prepare``: whether the money is to be taken at once."""
    final: bool | None = None
    """For ``capture``: whether the rest of the hold is let go; ``None``: as the gateway does."""
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The audit row of one gateway call: no payment method, no secret, by construction."""

    order_ref: str
    payment_id: str
    account: str
    method: str
    operation_key: str
    amount_q: int
    currency: str
    attempt: int
    outcome: str
    duration_us: int
    at: datetime
    transaction_id: str = ""
    status: str = ""
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class StatusMove:
    """A payment's status went from one to another; observers are told after the commit."""

    payment: Payment
    previous: PaymentStatus | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What one decision writes, all of it in one transaction, and the call that follows."""

    directive: DirectiveChange | None = None
    """``None``: the directive keeps running (a call follows), or the fence was lost."""
    payment: Payment | None = None
    payment_is_new: bool = False
    new_operations: tuple[Operation, ...] = ()
    operations: tuple[Operation, ...] = ()
    new_refunds: tuple[Refund, ...] = ()
    refunds: tuple[Refund, ...] = ()
    events: tuple[Event, ...] = ()
    flags: tuple[Flag, ...] = ()
    new_directives: tuple[NewDirective, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    summary: Mapping[str, Any] | None = None
    """The order's ``data["payment"]``, rebuilt."""
    move: StatusMove | None = None
    wake: bool = False
    """Directives of the order that wait for the payment run again."""
    revive: bool = False
    """Directives of the order that are parked run again as well, with all their attempts."""
    found_out: FoundOut | None = None
    """The order's open flags about what nobody knew are settled; what still is unknown when
    parked directives have run is flagged anew."""
    call: CallRecord | None = None
    request: GatewayRequest | None = None
