"""Accounts at gateways of several strengths, and the plain wire between a shop and one of them."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
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
)
from omniman_payment_core.testing import ManualClock
from omniman_payment_core.values import PaymentResult
from omniman_payment_mock import MockPaymentBackend
from omniman_payment_mock.gateway import MockGateway

from .backends import (
    ChargesOnly,
    Finds,
    FiveMethods,
    FiveMethodsAndFind,
    Names,
    Patient,
    Prepares,
    Unaddressed,
)

__all__ = [
    "LATEST_ARRIVAL",
    "STRANGER",
    "STRENGTHS",
    "Account",
    "ChargesOnly",
    "FiveMethods",
    "Prepares",
    "Wire",
    "altered",
    "backend_of",
    "make_account",
]

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
