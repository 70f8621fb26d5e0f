"""Gateways of several strengths over one far side: what a backend can do decides what is safe."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from omniman_payment_core.contracts import (
    MUTATING_METHODS,
    Abilities,
    BackendRegistration,
    Feature,
    abilities_of,
)
from omniman_payment_core.errors import (
    NotAttemptedError,
    OutcomeUnknownError,
    RateLimitedError,
    TransactionNotFoundError,
)
from omniman_payment_core.testing import ManualClock
from omniman_payment_core.values import PaymentResult, PaymentStatus, WebhookEvent
from omniman_payment_mock import MockPaymentBackend
from omniman_payment_mock.gateway import MockGateway

SHOPS_PATIENCE = timedelta(hours=2)
"""How long a shop waits for a shopper at a gateway that would wait for ever."""

LATEST_ARRIVAL = timedelta(minutes=10)
"""No request arrives later than this after it was sent, however late somebody looks."""

STRANGER = "somebody-elses"
"""A transaction that is not ours."""


class Wire:
    """What happens to one call between the shop and the gateway; every fault leaves a mark."""

    def __init__(self, gateway: MockGateway, rng: random.Random, marks: Counter[str]) -> None:
        self.gateway = gateway
        self.rng = rng
        self.marks = marks
        self.trouble = 0.0
        """How likely a call is to meet a fault; zero once healed."""
        self.story: Callable[[str], None] = lambda line: None
        self.choose: Callable[[str], str | None] = self.by_chance
        """Which fault the call of a method meets; a script may stand here instead of chance."""

    def by_chance(self, method: str) -> str | None:
        if self.rng.random() >= self.trouble:
            return None
        return self.rng.choice(
            ["lost", "lost", "unanswered", "unanswered", "late", "limit", "unsent", "crash",
             "garbage"]
        )  # fmt: skip

    def convey(self, method: str, call: Callable[[], Any], asked: Mapping[str, Any]) -> Any:
        """Take one call there and its answer back; ``asked`` is what it says."""
        return self.carry(method, call)

    def carry(self, method: str, call: Callable[[], Any]) -> Any:
        fault = self.choose(method)
        if fault is None:
            return call()
        self.marks[f"wire:{fault}"] += 1
        self.story(f"    {method}: {fault}")
        match fault:
            case "lost":
                raise OutcomeUnknownError("no answer in time")
            case "late" if method not in ("get_status", "find"):
                delay = self.rng.random() * LATEST_ARRIVAL
                self.gateway.arrive_late(call, delay)
                raise OutcomeUnknownError("no answer in time")
            case "limit":
                raise RateLimitedError("busy", retry_after=self.rng.randrange(1, 120))
            case "unsent":
                raise NotAttemptedError("connection refused")
            case "crash":
                raise RuntimeError("a bug in the plugin, before sending")
            case "garbage":
                call()
                return self.rng.choice([None, "ok", ValueError("returned"), {"status": "paid"}])
            case "vague":
                call()
                return PaymentResult(False, None, "failed")
            case "currency":
                return altered(call(), currency="XTS")
            case "stranger":
                return altered(call(), transaction_id=STRANGER)
            case "amount":
                return altered(call(), amount_q=7)
        call()
        raise OutcomeUnknownError("the answer was lost")


def altered(answer: Any, **fields: Any) -> Any:
    """An answer with something in it that cannot be true."""
    return replace(answer, **fields) if isinstance(answer, PaymentResult) else answer


_CALLS = (*MUTATING_METHODS, "get_status", "find", "list_transactions", "poll_events")
_NO_CALLS = ("choose_transaction_id", "choose_refund_id")


class Behind:
    """A backend behind the wire."""

    def __init__(self, backend: Any, wire: Wire) -> None:
        self._backend = backend
        self._wire = wire


@functools.cache
def _behind(kind: type) -> tuple[type[Behind], Abilities]:
    """The class of a backend behind a wire, its signatures kept, and what it shows to be able to.

    Made once for each kind: looking at signatures costs more than a whole history.
    """
    parts: dict[str, Any] = {}
    for name in (*_CALLS, *_NO_CALLS):
        method = getattr(kind, name, None)
        if callable(method):
            parts[name] = _passed_on(name) if name in _NO_CALLS else _carried(name, method)
    twin = type(f"{kind.__name__}Behind", (Behind,), parts)
    return twin, abilities_of(twin)


def _carried(name: str, method: Callable[..., Any]) -> Any:
    first = "order_ref" if name == "find" else "transaction_id"

    @functools.wraps(method)
    def carried(self: Behind, *args: Any, **kwargs: Any) -> Any:
        call = getattr(self._backend, name)
        asked = {first: args[0], **kwargs} if args else kwargs
        return self._wire.convey(name, lambda: call(*args, **kwargs), asked)

    return carried


def _passed_on(name: str) -> Any:
    def passed_on(self: Behind, idempotency_key: str) -> Any:
        return getattr(self._backend, name)(idempotency_key)

    return passed_on


class FiveMethods:
    """A backend written to the specification page alone: no keys, six fields in an answer."""

    def __init__(self, mock: MockPaymentBackend) -> None:
        self._mock = mock

    def authorize(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> PaymentResult:
        return _plain(self._mock.authorize(amount_q, currency, order_ref, payment_method, metadata))

    def charge(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> PaymentResult:
        return _plain(self._mock.charge(amount_q, currency, order_ref, payment_method, metadata))

    def capture(self, transaction_id: str, amount_q: int | None = None) -> PaymentResult:
        return _plain(self._mock.capture(transaction_id, amount_q))

    def refund(
        self, transaction_id: str, amount_q: int | None = None, reason: str | None = None
    ) -> PaymentResult:
        result = self._mock.refund(transaction_id, amount_q, reason)
        return replace(_plain(result), transaction_id=result.reference)

    def get_status(self, transaction_id: str) -> PaymentResult:
        return _plain(self._mock.get_status(transaction_id))


def _plain(result: PaymentResult) -> PaymentResult:
    return PaymentResult(
        result.success,
        result.transaction_id,
        result.status,
        result.error_code,
        result.error_message,
    )


class Prepares(MockPaymentBackend):
    """Gets its address by a call of its own, before money can move."""

    choose_transaction_id = None  # type: ignore[assignment]

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
    ) -> str:
        return super().choose_transaction_id(idempotency_key)

    def get_status(self, transaction_id: str) -> PaymentResult:
        try:
            return super().get_status(transaction_id)
        except TransactionNotFoundError:
            return PaymentResult(True, transaction_id, "pending")


class Patient(Prepares):
    """Prepares; lets an open charge be paid for ever, and a part be the last capture."""

    def authorize(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return self._until(super().authorize(*args, **kwargs))

    def charge(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return self._until(super().charge(*args, **kwargs))

    def get_status(self, transaction_id: str) -> PaymentResult:
        return self._until(super().get_status(transaction_id))

    def capture(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        *,
        currency: str,
        final: bool = True,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        result = super().capture(transaction_id, amount_q, idempotency_key=idempotency_key)
        if not final or result.status != PaymentStatus.PARTIALLY_CAPTURED:
            return result
        self.gateway.cancel(transaction_id)
        return replace(result, status=PaymentStatus.CAPTURED)

    def _until(self, seen: PaymentResult) -> PaymentResult:
        """How long the shop wants to wait; the gateway itself would wait longer."""
        txn = self.gateway.transaction(seen.transaction_id or "")
        if txn is None or not txn.waiting:
            return seen
        return replace(seen, expires_at=txn.created_at + SHOPS_PATIENCE)


class FiveMethodsAndFind(FiveMethods):
    """No keys, but an order's transactions can be searched: every answer in full."""

    def find(self, order_ref: str) -> Sequence[PaymentResult]:
        return self._mock.find(order_ref)

    def get_status(self, transaction_id: str) -> PaymentResult:
        return self._mock.get_status(transaction_id)


class Finds(MockPaymentBackend):
    """Knows keys and can be searched, and names its transactions itself."""

    choose_transaction_id = None  # type: ignore[assignment]


class Unaddressed(MockPaymentBackend):
    """Knows keys, but names its transactions itself and cannot be searched."""

    choose_transaction_id = None  # type: ignore[assignment]
    find = None  # type: ignore[assignment]


class ChargesOnly(MockPaymentBackend):
    """Has no holds: a channel that wants one gets a charge."""

    authorize = None  # type: ignore[assignment]
    capture = None  # type: ignore[assignment]


class Names(MockPaymentBackend):
    """As Pix: no holds; whoever asks names charges and refunds, and no key is read back."""

    authorize = None  # type: ignore[assignment]
    capture = None  # type: ignore[assignment]
    find = None  # type: ignore[assignment]

    def choose_refund_id(self, idempotency_key: str) -> str:
        return f"name-of-{idempotency_key}"

    def refund(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        reason: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        result = super().refund(transaction_id, amount_q, reason, idempotency_key=idempotency_key)
        if not result.success or idempotency_key is None:
            return result
        return replace(result, reference=self.choose_refund_id(idempotency_key))

    def cancel(self, transaction_id: str) -> PaymentResult:
        return super().cancel(transaction_id)

    def get_status(self, transaction_id: str) -> PaymentResult:
        seen = super().get_status(transaction_id)
        if seen.refunds is None:
            return seen
        named = [
            replace(
                refund,
                idempotency_key=None,
                reference=self.choose_refund_id(refund.idempotency_key)
                if refund.idempotency_key
                else refund.reference,
            )
            for refund in seen.refunds
        ]
        return replace(seen, refunds=tuple(named))

    def poll_events(self, since: datetime) -> Sequence[WebhookEvent]:
        """Never asked here, so that the payments' own rare looks have to do."""
        raise NotAttemptedError("nobody asks")


@dataclass(frozen=True, slots=True)
class Account:
    """One configured account, as the engine sees it."""

    name: str
    plugin: str
    version: str
    registration: BackendRegistration
    backend: Any
    abilities: Abilities
    fingerprint: str
    livemode: bool = False


_DAY = timedelta(hours=24)
STRENGTHS: dict[str, tuple[type, timedelta | None, timedelta | None]] = {
    # name: (backend, key window, how long until absence proves)
    "full": (MockPaymentBackend, _DAY, LATEST_ARRIVAL),
    "no_proof": (MockPaymentBackend, _DAY, None),
    "short_window": (MockPaymentBackend, timedelta(hours=1), None),
    "prepares": (Prepares, _DAY, None),
    "patient": (Patient, _DAY, LATEST_ARRIVAL),
    "unaddressed": (Unaddressed, _DAY, None),
    "finds": (Finds, _DAY, LATEST_ARRIVAL),
    "finds_unkeyed": (FiveMethodsAndFind, None, LATEST_ARRIVAL),
    "charges_only": (ChargesOnly, _DAY, LATEST_ARRIVAL),
    "names": (Names, _DAY, LATEST_ARRIVAL),
    "five_methods": (FiveMethods, None, None),
    "five_methods_proof": (FiveMethods, None, LATEST_ARRIVAL),
}


def backend_of(strength: str, gateway: MockGateway, clock: ManualClock) -> Any:
    """A backend of one strength over a gateway, with nothing in between."""
    kind = STRENGTHS[strength][0]
    if issubclass(kind, FiveMethods):
        return kind(MockPaymentBackend(gateway=gateway, clock=clock))
    return kind(gateway=gateway, clock=clock)


def make_account(
    strength: str,
    gateway: MockGateway,
    clock: ManualClock,
    wire: Wire,
    *,
    name: str = "",
    fingerprint: str = "sim",
) -> Account:
    """An account of one strength over a gateway, behind the wire."""
    plain = backend_of(strength, gateway, clock)
    twin, abilities = _behind(type(plain))
    backend = twin(plain, wire)
    registration = _registered(strength)
    return Account(name or strength, strength, "1", registration, backend, abilities, fingerprint)


@functools.cache
def _registered(strength: str) -> BackendRegistration:
    _, key_window, absence_after = STRENGTHS[strength]
    features = {}
    if strength in ("charges_only", "names"):
        features["hold"] = Feature.no("this gateway charges at once")
    if strength == "patient":
        features["unpaid_expiry"] = Feature.no("this gateway waits for ever")
    return BackendRegistration(
        name=strength,
        build=lambda options: None,
        features=features,
        key_window=key_window,
        absence_after=absence_after,
    )
