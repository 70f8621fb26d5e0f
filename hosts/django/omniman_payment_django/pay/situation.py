"""Where an order's payment stands for its shopper: read from the rows, never written.

Which attempt counts, and whether there is still something to pay, is decided here alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from omniman_payment_core.currencies import normalise_currency
from omniman_payment_core.records import DirectiveStatus, Topic
from omniman_payment_core.values import PaymentStatus
from omniman_payment_django import conf
from omniman_payment_django.models import Directive, Payment

from . import states
from .presenters import Waiting
from .states import State

_UNPAID = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)
_STATES: Mapping[str, State] = {
    PaymentStatus.AUTHORIZED: states.AUTHORIZED,
    PaymentStatus.PARTIALLY_CAPTURED: states.PAID,
    PaymentStatus.CAPTURED: states.PAID,
    PaymentStatus.PARTIALLY_REFUNDED: states.PARTLY_REFUNDED,
    PaymentStatus.REFUNDED: states.REFUNDED,
    PaymentStatus.CANCELLED: states.CANCELLED,
    PaymentStatus.EXPIRED: states.EXPIRED,
    PaymentStatus.FAILED: states.FAILED,
    # What the bank and the shop argue about is not for this page.
    PaymentStatus.DISPUTED: states.PAID,
}
_WITH_MONEY = (
    PaymentStatus.AUTHORIZED,
    PaymentStatus.PARTIALLY_CAPTURED,
    PaymentStatus.CAPTURED,
    PaymentStatus.PARTIALLY_REFUNDED,
    PaymentStatus.DISPUTED,
)
_OPENING = (Topic.HOLD.value, Topic.CHARGE.value)
_UNFINISHED = (
    DirectiveStatus.PENDING.value,
    DirectiveStatus.RUNNING.value,
    DirectiveStatus.PARKED.value,
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the page may know of an order's payment."""

    order_ref: str
    state: State
    amount_q: int | None = None
    """``None`` while nobody has said what the order costs."""
    currency: str = ""
    payment_id: str | None = None
    """The payment to ask the gateway about, if asking can bring anything."""
    waiting: Waiting | None = field(default=None, repr=False)


def situation_of(order_ref: str, now: datetime) -> Situation:
    """Read it: two or three short queries."""
    using = conf.database()
    payments = list(Payment.objects.using(using).filter(order_ref=order_ref).order_by("attempt"))
    asked = list(
        Directive.objects.using(using)
        .filter(order_ref=order_ref, topic__in=[*_OPENING, Topic.CANCEL.value])
        .order_by("id")
        .values_list("topic", "status", "payload")
    )
    payment = _that_counts(payments)
    openings = [(status, payload) for topic, status, payload in asked if topic in _OPENING]
    if payment is None or _is_retried(payment, openings):
        return _before_the_payment(order_ref, openings)
    cancelling = any(topic == Topic.CANCEL and status in _UNFINISHED for topic, status, _ in asked)
    return _with_payment(payment, cancelling, now)


def _that_counts(payments: Sequence[Payment]) -> Payment | None:
    """The attempt that has the money; without one the last: a paid order is not paid again."""
    with_money = [payment for payment in payments if payment.status in _WITH_MONEY]
    candidates = with_money or payments
    return candidates[-1] if candidates else None


def _is_retried(payment: Payment, openings: Sequence[tuple[str, Any]]) -> bool:
    """Whether another try is on its way after one that brought nothing."""
    if payment.status in _WITH_MONEY or payment.status in _UNPAID or not openings:
        return False
    status, payload = openings[-1]
    attempt = payload.get("attempt") if isinstance(payload, Mapping) else None
    return status in _UNFINISHED and isinstance(attempt, int) and attempt > payment.attempt


def _before_the_payment(order_ref: str, openings: Sequence[tuple[str, Any]]) -> Situation:
    status, payload = openings[-1] if openings else (DirectiveStatus.PENDING.value, {})
    state = states.FAILED if status == DirectiveStatus.FAILED else states.PREPARING
    stated = payload if isinstance(payload, Mapping) else {}
    amount, currency = stated.get("amount_q"), normalise_currency(stated.get("currency"))
    if type(amount) is not int or currency is None:
        return Situation(order_ref, state)
    return Situation(order_ref, state, amount, currency)


def _with_payment(payment: Payment, cancelling: bool, now: datetime) -> Situation:
    waiting = None
    if payment.status not in _UNPAID:
        state = states.UNDERPAID if _is_underpaid(payment) else _STATES[payment.status]
    elif cancelling or payment.cancel_requested or _is_over(payment, now):
        state = states.CLOSING
    else:
        waiting = _waiting(payment)
        state = states.PROCESSING if waiting is None else states.WAITING
    return Situation(
        payment.order_ref,
        state,
        payment.amount_q,
        payment.currency,
        payment.id if payment.transaction_id and not state.done else None,
        waiting,
    )


def _is_underpaid(payment: Payment) -> bool:
    """Less has come than was asked, and nothing is held of which more could be taken."""
    return (
        payment.status == PaymentStatus.PARTIALLY_CAPTURED
        and payment.authorized_q == 0
        and 0 < payment.captured_q < payment.amount_q
    )


def _is_over(payment: Payment, now: datetime) -> bool:
    return payment.expires_at is not None and payment.expires_at <= now


def _waiting(payment: Payment) -> Waiting | None:
    action = payment.next_action
    if not isinstance(action, Mapping) or not action.get("kind"):
        return None
    data = action.get("data")
    return Waiting(
        str(action["kind"]),
        data if isinstance(data, Mapping) else {},
        payment.amount_q,
        payment.currency,
        payment.expires_at,
    )
