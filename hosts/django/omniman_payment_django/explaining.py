"""Why an order's money is where it is, in sentences: what happened, what comes next and when.

For people at a terminal. Shows no payload, no payment method and no result of a gateway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from omniman_payment_core.records import DirectiveStatus, EventKind, OperationState
from omniman_payment_core.values import PaymentStatus

from . import conf
from .models import Directive, Flag, Order, Payment, PaymentEvent, PaymentOperation
from .timeline import shown, stamp

_FACTS: Mapping[str, str] = {
    EventKind.OPENED: "began, for {amount}",
    EventKind.ACTION_REQUIRED: "the shopper was asked to do something",
    EventKind.ACTION_TAKEN: "the shopper did it",
    EventKind.AUTHORIZED: "{amount} is held",
    EventKind.CAPTURED: "{amount} was taken",
    EventKind.VOIDED: "what was held or open was let go",
    EventKind.EXPIRED: "its time was over",
    EventKind.FAILED: "the gateway would not have it",
    EventKind.REFUND_PENDING: "{amount} is on its way back",
    EventKind.REFUNDED: "{amount} went back",
    EventKind.REFUND_FAILED: "a refund of {amount} failed: the shop has it again",
    EventKind.DISPUTE_OPENED: "the shopper's bank took back {amount}",
    EventKind.DISPUTE_CLOSED: "a dispute of {amount} ended for the shop",
    EventKind.NOTE: "a person noted something",
}
_WAITING = (PaymentStatus.PENDING.value, PaymentStatus.REQUIRES_ACTION.value)
_OPEN = (
    DirectiveStatus.PENDING.value,
    DirectiveStatus.RUNNING.value,
    DirectiveStatus.PARKED.value,
)


def explanation_of(order: Order) -> Iterator[str]:
    """One sentence after the other."""
    using = order._state.db or conf.database()
    total = shown(order.total_q, order.currency)
    yield f"Order {order.ref} of channel {order.channel.code} is {order.status}; it costs {total}."
    payments = list(Payment.objects.using(using).filter(order_ref=order.ref).order_by("attempt"))
    if not payments:
        yield "No payment has begun."
    for payment in payments:
        yield from _payment(payment, using)
    yield "Next:"
    steps = [*_directives(order.ref, using), *_looks(payments)]
    yield from steps or ["  nothing: no more is expected of this order's payments."]
    flags = list(
        Flag.objects.using(using).filter(order_ref=order.ref, settled_at=None).order_by("pk")
    )
    if flags:
        yield "For a person:"
    for flag in flags:
        yield (
            f"  {flag.kind}: {flag.message}. When that is done: payments settle-flag {flag.pk} "
            "--actor ... --reason ..."
        )


def _payment(payment: Payment, using: str) -> Iterator[str]:
    mode = "live" if payment.livemode else "test"
    yield (
        f"Payment {payment.attempt}, by account {payment.account} ({payment.plugin}, {mode}), is "
        f"{payment.status}:"
    )
    events = PaymentEvent.objects.using(using).filter(payment_id=payment.pk).order_by("seq")
    for event in events:
        text = _FACTS.get(event.kind, event.kind).format(
            amount=shown(event.amount_q, payment.currency)
        )
        verdict = event.data.get("verdict") if isinstance(event.data, Mapping) else None
        why = f"; {verdict}" if verdict else ""
        yield f"  {stamp(event.at)}  {text} (known by {event.source}, {event.actor}{why})"
    operations = PaymentOperation.objects.using(using).filter(
        payment_id=payment.pk,
        state__in=(OperationState.SENT.value, OperationState.PARKED.value),
    )
    for operation in operations.order_by("created_at"):
        amount = shown(operation.amount_q, operation.currency)
        what = f"the {operation.kind} of {amount}"
        yield f"  Nobody knows yet whether {what} happened: {operation.pk}"
        if operation.state == OperationState.PARKED:
            yield (
                "    it is parked: look at the gateway, then payments verdict "
                f"{operation.pk} --happened or --did-not-happen"
            )


def _directives(order_ref: str, using: str) -> Iterator[str]:
    found = Directive.objects.using(using).filter(order_ref=order_ref, status__in=_OPEN)
    for directive in found.order_by("pk"):
        name = f"  {directive.topic} (directive {directive.pk})"
        why = f": {directive.last_error}" if directive.last_error else ""
        if directive.status == DirectiveStatus.PARKED:
            yield (
                f"{name} is parked{why}. payments retry {directive.pk}, or payments abandon "
                f"{directive.pk}"
            )
        elif directive.status == DirectiveStatus.RUNNING:
            until = f" until {stamp(directive.lease_until)}" if directive.lease_until else ""
            yield f"{name} is being carried out by {directive.lease_owner}{until}"
        elif directive.waiting:
            yield (
                f"{name} waits{why}; it runs when the payment changes, at the latest at "
                f"{stamp(directive.available_at)}"
            )
        else:
            yield f"{name} is due at {stamp(directive.available_at)}{why}"


def _looks(payments: list[Payment]) -> Iterator[str]:
    for payment in payments:
        if payment.status in _WAITING and payment.expires_at is not None:
            yield f"  payment {payment.attempt} can be paid until {stamp(payment.expires_at)}"
        if payment.hold_expires_at is not None and payment.status == PaymentStatus.AUTHORIZED:
            yield f"  what payment {payment.attempt} holds lapses {stamp(payment.hold_expires_at)}"
        if payment.next_check_at is not None:
            yield (
                f"  the gateway is asked about payment {payment.attempt} at "
                f"{stamp(payment.next_check_at)}"
            )
