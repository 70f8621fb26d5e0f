"""Desks at which something is asked, answered or looked at, for the tests of decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from omniman_payment_core.decisions import (
    Answered,
    Found,
    Outcome,
)
from omniman_payment_core.records import (
    OpenDirective,
    Operation,
    Payment,
)
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    ALL_METHODS,
    Decided,
    Desk,
    answer,
    operation,
    payment,
    refund,
)

HELD: dict[str, Any] = {"authorized_q": 1000, "status": S.AUTHORIZED}
PAID: dict[str, Any] = {"captured_q": 1000, "status": S.CAPTURED}
PART: dict[str, Any] = {
    "authorized_q": 1000,
    "captured_q": 400,
    "status": S.PARTIALLY_CAPTURED,
}
OTHERS = [operation("authorize", "ok", cause="directive-1")]


def confirm(paid: Payment | None = None, /, payload: Any = None, **desk: Any) -> Desk:
    payments = [paid or payment(**HELD)]
    return Desk("payment.confirm", payload or {}, **{"payments": payments, **desk})


def give_back(paid: Payment | None = None, /, payload: Any = None, **desk: Any) -> Desk:
    payments = [paid or payment(**PAID)]
    return Desk("payment.refund", payload or {}, **{"payments": payments, **desk})


def cancel(paid: Payment | None = None, /, payload: Any = None, **desk: Any) -> Desk:
    payments = [paid or payment(**HELD)]
    return Desk("payment.cancel", payload or {}, **{"payments": payments, **desk})


def waiting_for(topic: str, status: str = "pending") -> list[OpenDirective]:
    return [OpenDirective(3, topic, status, "directive-3")]


DESKS = {"payment.confirm": confirm, "payment.refund": give_back, "payment.cancel": cancel}
KINDS = {"payment.confirm": "capture", "payment.refund": "refund", "payment.cancel": "cancel"}


def planned(kind: str, state: str = "planned", **changes: Any) -> Operation:
    """An operation of the directive itself, with the parameters that the directive has."""
    desk = replace(DESKS[next(t for t, k in KINDS.items() if k == kind)](), operations=OTHERS)
    made = desk.decide()
    (fresh,) = made.changes.new_operations
    return operation(kind, state, params_hash=fresh.params_hash, **changes)


METHOD = {"type": "card"}
PAYLOAD: dict[str, Any] = {
    "amount_q": 900,
    "payment_method": METHOD,
    "metadata": {"basket": 5},
}
PREPARES = (*ALL_METHODS, "prepare")


def opening(topic: str = "payment.hold", payload: Any = None, **desk: Any) -> Desk:
    return Desk(topic, PAYLOAD if payload is None else payload, **desk)


def begun(kind: str, state: str, *, topic: str = "payment.hold", **changes: Any) -> Operation:
    """An operation of this directive's, with the parameters that the payload has."""
    desk = opening(topic, methods=PREPARES if kind == "prepare" else ALL_METHODS)
    (fresh,) = desk.decide().changes.new_operations
    assert fresh.kind == kind
    return operation(kind, state, params_hash=fresh.params_hash, amount_q=900, **changes)


PAY = payment(amount_q=900)


OPENED = [operation("charge", "pending", cause="directive-1")]


def look(status: str, paid: Payment | None = None, /, desk: Desk | None = None, **said: Any) -> Any:
    """What a look brings."""
    at = desk or Desk()
    return replace(at, payments=[paid or payment()]).hear(Answered(answer(status, **said)))


def reply(operation: Operation, paid: Payment, status: str, /, **said: Any) -> Decided:
    """What the answer to an operation's own call brings."""
    topics = {"capture": "payment.confirm", "cancel": "payment.cancel", "refund": "payment.refund"}
    topic = topics.get(operation.kind, "payment.charge")
    payload: dict[str, Any] = {"payment_method": {}} if topic == "payment.charge" else {}
    desk = Desk(topic, payload, payments=[paid], operations=[operation])
    return desk.hear(Answered(answer(status, **said)), operation)


def keys(decided: Decided) -> list[str]:
    return [event.dedupe_key for event in decided.events]


HOLD, CHARGE, CAPTURE = "omp_pay-1_authorize_1", "omp_pay-1_charge_1", "omp_pay-1_capture_1"
REFUND, CANCEL, PREPARE = "omp_pay-1_refund_1", "omp_pay-1_cancel_1", "omp_pay-1_prepare_1"
OPENING = {"amount_q": 1000, "payment_method": {}}
TOPICS = {
    "authorize": "payment.hold",
    "prepare": "payment.hold",
    "charge": "payment.charge",
    "capture": "payment.confirm",
    "refund": "payment.refund",
    "cancel": "payment.cancel",
}
STATES = {"authorize": {}, "prepare": {}, "charge": {}, "capture": HELD, "refund": PAID}


def called(kind: str, *, paid: Payment | None = None, **changes: Any) -> Desk:
    """A desk at which the answer to a call of this kind is awaited."""
    return Desk(
        topic=TOPICS[kind],
        payload=OPENING if kind in ("authorize", "charge", "prepare") else {},
        payments=[paid or payment(**STATES.get(kind, HELD))],
        operations=[operation(kind, **changes)],
        refunds=[refund(amount_q=1000)] if kind == "refund" else [],
    )


def heard(kind: str, outcome: Outcome, desk: Desk | None = None, **more: Any) -> Decided:
    desk = desk or called(kind)
    return desk.hear(outcome, desk.operations[-1], **more)


def hear(outcome: Outcome, **changes: Any) -> Decided:
    """What a look at a waiting payment brings."""
    paid = changes.pop("paid", payment())
    return Desk(payments=[paid], **changes).hear(outcome)


def find(*found: Any, **changes: Any) -> Decided:
    """What a search by the order brings, for a charge that was sent and has no address."""
    paid = changes.pop("paid", payment(transaction_id=None))
    desk = {"payments": [paid], "operations": OPENED, **changes}
    return Desk(**desk).hear(Found(list(found)))
