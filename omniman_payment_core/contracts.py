"""What a payment backend is: five methods, and optional abilities found by looking at the class.

An **ability** is a method or keyword that is there, so it cannot lie. A **feature** is
behaviour inside an ability, declared or declined in the :class:`BackendRegistration`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from .values import PaymentResult, WebhookEvent, WebhookRegistration

PROTOCOL_VERSION = 1
"""The backend protocol this core speaks. A registration says which one it was written for."""


class PaymentBackend(Protocol):
    """The five methods of the specification page; a backend with just these works.

    Amounts are integers in the currency's smallest unit. A final no is a result with
    ``success=False`` and an ``error_code``; everything else that goes wrong is raised
    (see :mod:`omniman_payment_core.errors`). Any other exception, and any answer that is
    not a :class:`PaymentResult`, is taken as an unknown outcome and looked up.

    A mutating method may take a keyword ``idempotency_key: str``; it is then passed, and
    the same key always means the same operation. ``authorize`` and ``charge`` may take a
    keyword ``transaction_id: str``: the address from :class:`SupportsPrepare` or
    :class:`ChoosesTransactionId`. ``capture`` and ``refund`` may take a keyword
    ``currency: str``, for a gateway whose unit depends on it, and ``capture`` a keyword
    ``final: bool``: whether what is left of the hold is let go; without the keyword in a
    call the backend does what its gateway does by itself.
    """

    def authorize(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> PaymentResult:
        """Hold funds."""
        ...

    def capture(self, transaction_id: str, amount_q: int | None = None) -> PaymentResult:
        """Take money that is held. The engine always names the amount."""
        ...

    def charge(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> PaymentResult:
        """Authorize and capture in one step, or open a charge the shopper pays elsewhere."""
        ...

    def refund(
        self, transaction_id: str, amount_q: int | None = None, reason: str | None = None
    ) -> PaymentResult:
        """Return captured money. The engine always names the amount."""
        ...

    def get_status(self, transaction_id: str) -> PaymentResult:
        """The gateway's truth of now; ``success`` is ignored, amounts are totals."""
        ...


@runtime_checkable
class SupportsPrepare(Protocol):
    """Gets the transaction's address at the gateway *before* money can move."""

    def prepare(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        capture: bool,
        idempotency_key: str,
    ) -> str | PaymentResult:
        """Make the unconfirmed transaction and return its id; ``capture``: for a charge.

        Where the gateway does not want it, the refusal: a result with ``success=False``.
        """
        ...


@runtime_checkable
class ChoosesTransactionId(Protocol):
    """The shop, not the gateway, names the transaction: no call is needed to know the address."""

    def choose_transaction_id(self, idempotency_key: str) -> str:
        """Pure and deterministic: the same key gives the same id."""
        ...


@runtime_checkable
class ChoosesRefundId(Protocol):
    """The shop names its refunds too: one that shows at the gateway is known by its name."""

    def choose_refund_id(self, idempotency_key: str) -> str:
        """Pure and deterministic: the ``reference`` that a refund with this key will have."""
        ...


@runtime_checkable
class SupportsCancel(Protocol):
    """Voids a hold, or withdraws a charge that is not paid yet."""

    def cancel(self, transaction_id: str) -> PaymentResult: ...


@runtime_checkable
class SupportsFind(Protocol):
    """Finds the transactions of an order: the way back when no address is known."""

    def find(self, order_ref: str) -> Sequence[PaymentResult]: ...


@runtime_checkable
class SupportsListing(Protocol):
    """Lists transactions, for reconciliation."""

    def list_transactions(self, since: datetime) -> Sequence[PaymentResult]: ...


@runtime_checkable
class SupportsWebhooks(Protocol):
    """Verifies a notification, then says which transactions to look at.

    Raises :class:`~omniman_payment_core.errors.WebhookVerificationError` or
    :class:`~omniman_payment_core.errors.WebhookPayloadError`, nothing else.
    """

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[WebhookEvent]: ...


@runtime_checkable
class SupportsEventPolling(Protocol):
    """Can be asked for what its notifications would have told, had they all arrived.

    One question covers every open payment of the account, so a lost notification costs
    seconds and not a question for each of them.
    """

    def poll_events(self, since: datetime) -> Sequence[WebhookEvent]:
        """Everything since a moment, with the ``event_id`` that its notification has."""
        ...


@runtime_checkable
class SupportsWebhookRegistration(Protocol):
    """Can tell its gateway where notifications go; all raise ``ConfigurationError``."""

    def register_webhook(self, url: str) -> WebhookRegistration:
        """Have them sent to ``url``, in place of where they went before."""
        ...

    def registered_webhook(self) -> WebhookRegistration | None:
        """Where they go now."""
        ...

    def remove_webhook(self) -> None:
        """Have none sent any more."""
        ...


@runtime_checkable
class SupportsClose(Protocol):
    """Has connections to give back."""

    def close(self) -> None: ...


MUTATING_METHODS = ("prepare", "authorize", "capture", "charge", "refund", "cancel")
READING_METHODS = ("get_status", "find", "list_transactions", "poll_events")
WEBHOOK_METHODS = ("parse_webhook", "register_webhook", "registered_webhook", "remove_webhook")
OTHER_METHODS = ("choose_transaction_id", "choose_refund_id", "close")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a backend's class has, as seen by looking at it."""

    methods: frozenset[str]
    keyed: frozenset[str]
    """Mutating methods that take ``idempotency_key``."""
    addressed: frozenset[str]
    """Methods that take ``transaction_id`` as the address chosen beforehand."""
    priced: frozenset[str] = frozenset()
    """Methods that take ``currency`` although the transaction has one."""
    finalizes: bool = False
    """``capture`` takes ``final``."""

    def __contains__(self, method: str) -> bool:
        return method in self.methods


def abilities_of(backend: object) -> Abilities:
    """Look at a backend (instance or class) and say which methods and keywords it has."""
    methods, keyed, addressed, priced = set(), set(), set(), set()
    finalizes = False
    for name in (*MUTATING_METHODS, *READING_METHODS, *WEBHOOK_METHODS, *OTHER_METHODS):
        method = getattr(backend, name, None)
        if not callable(method):
            continue
        methods.add(name)
        parameters = inspect.signature(method).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        if name in MUTATING_METHODS and ("idempotency_key" in parameters or takes_any):
            keyed.add(name)
        if name in ("authorize", "charge") and ("transaction_id" in parameters or takes_any):
            addressed.add(name)
        if name in ("capture", "refund") and ("currency" in parameters or takes_any):
            priced.add(name)
        if name == "capture":
            finalizes = "final" in parameters or takes_any
    return Abilities(
        frozenset(methods), frozenset(keyed), frozenset(addressed), frozenset(priced), finalizes
    )


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a backend's ``config``, so that a mistake is found before a customer does."""

    name: str
    kind: type = str
    """``str``, ``int`` or ``bool``, or ``list`` / ``dict`` for structured options."""
    required: bool = False
    default: Any = None
    secret: bool = False
    """Never printed; wrapped until the backend is built."""
    choices: tuple[Any, ...] = ()
    help: str = ""
    check: Callable[[Any], str | None] | None = None
    """Returns what is wrong with a value as a sentence that does not quote it, or ``None``."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A behaviour inside an ability; declined with the sentence users and skipped tests show."""

    supported: bool
    reason: str = ""

    @classmethod
    def yes(cls) -> Feature:
        return cls(True)

    @classmethod
    def no(cls, reason: str) -> Feature:
        return cls(False, reason)


FEATURES: Mapping[str, str] = {
    "hold": "authorize() holds funds that a later capture takes",
    "partial_capture": "capture() may take less than was authorized; the rest is released, or "
    "stays held with multiple_captures",
    "multiple_captures": "capture() may be called again for what is left",
    "partial_refund": "refund() may return less than was captured",
    "multiple_refunds": "refund() may be called again for what is left",
    "refund_reads_back": "get_status() lists refunds with our idempotency keys, or by the names "
    "that choose_refund_id() gives them",
    "unpaid_expiry": "an open charge can no longer be paid after its expires_at; where the "
    "gateway goes on taking money, it is withdrawn then",
}
"""Every feature a registration may declare or decline, with its meaning."""


@dataclass(frozen=True, slots=True)
class BackendRegistration:
    """What a plugin says of its backend: data, not behaviour.

    ``build`` gets the account's validated options (secrets as plain strings) and returns
    the backend. It must not open connections: those belong to the first call.
    """

    name: str
    build: Callable[[Mapping[str, Any]], Any]
    protocol_version: int = PROTOCOL_VERSION
    options: tuple[Option, ...] | None = None
    """``None`` means any option is taken unchecked, and all of them are treated as secret."""
    features: Mapping[str, Feature] = field(default_factory=dict)
    """A feature that is not mentioned counts as supported."""
    currencies: frozenset[str] | None = None
    """ISO 4217 codes in upper case; ``None`` means the gateway decides."""
    key_window: timedelta | None = None
    """How long the gateway remembers an idempotency key; ``None``: for ever."""
    absence_after: timedelta | None = None
    """How long after sending "not found" proves that nothing happened; ``None``: it never does."""
    check: Callable[[Mapping[str, Any]], Sequence[str]] | None = None
    """Cross-option checks: every problem as a sentence that quotes no secret."""
    advise: Callable[[Mapping[str, Any]], Sequence[str]] | None = None
    """What works today and will not soon (a certificate that ends), told in the same way."""

    def feature(self, name: str) -> Feature:
        """Whether a feature is there; unmentioned features are."""
        return self.features.get(name, _SUPPORTED)


_SUPPORTED = Feature(True)
