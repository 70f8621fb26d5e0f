"""Money that nobody waits for any more: recorded in every case, then kept or returned by policy."""

from __future__ import annotations

from ..channels import ChannelConfigError, LateMoney, read_channel
from ..currencies import format_amount
from ..records import NewDirective, OrderView, Payment, Topic
from ..values import PaymentStatus
from .draft import Draft


def watch_for_late_money(draft: Draft, before: Payment | None) -> None:
    """Compare the payment after its new facts with what the order still wanted."""
    order = draft.order
    if order is None or before is None:
        return
    payment = draft.touched
    if payment.open_q > before.open_q and draft.cancelled:
        _void_late_hold(draft)
    arrived = payment.captured_q - before.captured_q
    if arrived <= 0:
        return
    kept = sum(p.captured_q - p.refunded_q for p in draft.payments())
    excess = min(arrived, max(0, kept - order.total_q))
    if draft.cancelled:
        _late(draft, order, arrived, f"order {order.ref} was cancelled before it was paid")
    elif excess > 0:
        _late(draft, order, excess, f"order {order.ref} was paid beyond its total")
    elif before.closed:
        # The order still wants it; the operator should only know that it came late.
        draft.flag("late_money", f"order {order.ref} was paid after its payment {before.status}")
    elif payment.status is PaymentStatus.PARTIALLY_CAPTURED and payment.open_q == 0:
        # Not a part of a hold that we took: the payer sent less than was asked.
        paid, asked = (
            format_amount(amount, payment.currency)
            for amount in (payment.captured_q, payment.amount_q)
        )
        draft.flag(
            "underpaid",
            f"order {order.ref} was paid {paid} of {asked}; ask for the rest or return it",
        )


def _void_late_hold(draft: Draft) -> None:
    """A hold that came after the cancellation is let go, unless a cancel is under way already."""
    payment = draft.touched
    if draft.directive.topic == Topic.CANCEL or draft.other_open(Topic.CANCEL):
        return
    draft.enqueue(
        NewDirective(
            topic=Topic.CANCEL,
            order_ref=payment.order_ref,
            payload={"payment_id": payment.id},
            dedupe_key=f"void:{payment.id}:{payment.authorized_q}",
        )
    )


def _late(draft: Draft, order: OrderView, amount_q: int, why: str) -> None:
    if _policy(order) is LateMoney.REFUND:
        return_money(draft, amount_q, why)
        return
    currency = draft.touched.currency
    draft.flag(
        "late_money",
        f"{why}: {format_amount(amount_q, currency)} is kept; refund it or settle this flag",
    )


def _policy(order: OrderView) -> LateMoney:
    try:
        return read_channel(order.channel).late_money
    except ChannelConfigError:
        return LateMoney.FLAG


def return_money(draft: Draft, amount_q: int, why: str) -> None:
    """Enqueue the refund of what arrived, once for each amount that ever did."""
    _return(draft, f"return:{draft.touched.id}:{draft.touched.captured_q}", why, amount_q=amount_q)


def return_the_rest(draft: Draft, why: str) -> None:
    """Enqueue the refund of whatever is left when its turn comes."""
    _return(draft, f"return-rest:{draft.touched.id}:{draft.touched.captured_q}", why)


def _return(draft: Draft, dedupe_key: str, why: str, **amount: int) -> None:
    payment = draft.touched
    draft.enqueue(
        NewDirective(
            topic=Topic.REFUND,
            order_ref=payment.order_ref,
            payload={"payment_id": payment.id, **amount, "reason": why},
            dedupe_key=dedupe_key,
        )
    )
