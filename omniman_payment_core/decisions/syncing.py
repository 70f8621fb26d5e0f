"""``payment.sync``: reading the gateway's truth, because time passed or somebody knocked."""

from __future__ import annotations

from ..currencies import format_amount
from ..records import NewDirective, OperationState, Topic
from ..values import PaymentStatus as S
from .capture import chosen_payment
from .draft import Draft
from .opening import TermsOf
from .operations import look
from .schedule import hold_warning_at
from .terms import Terms


def decide_sync(draft: Draft, terms_of: TermsOf) -> None:
    """Read once, then be done: the payment's own schedule says when to read again."""
    payment = chosen_payment(draft)
    if payment is None:
        draft.complete(status="nothing_to_sync")
        return
    draft.choose(payment)
    terms = terms_of(payment)
    if not draft.looked:
        if look(draft, terms):
            return
        # There is no way to look, and nothing is gained by trying again at once.
        draft.looked_at = draft.now
    _warn_of_the_holds_end(draft)
    _withdraw_if_unpaid(draft, terms)
    parked = [op for op in draft.operations() if op.state == OperationState.PARKED]
    draft.complete(
        status=draft.touched.status.value, **({"parked_operations": len(parked)} if parked else {})
    )


def _warn_of_the_holds_end(draft: Draft) -> None:
    payment = draft.touched
    warning = hold_warning_at(payment)
    if payment.open_q > 0 and warning is not None and warning <= draft.now:
        draft.flag(
            "hold_expires_soon",
            f"{format_amount(payment.open_q, payment.currency)} of order {payment.order_ref} "
            f"is held until {payment.hold_expires_at:%Y-%m-%d %H:%M} UTC and not captured: "
            "capture it, or let it go",
        )


def _withdraw_if_unpaid(draft: Draft, terms: Terms) -> None:
    """A gateway that would take the money for ever is told when the time is over."""
    payment = draft.touched
    waiting = payment.status in (S.PENDING, S.REQUIRES_ACTION)
    end = payment.expires_at
    over = end is not None and draft.now >= end + draft.rules.expiry_slack
    if waiting and over and terms.withdraws_unpaid and draft.unsettled() is None:
        draft.enqueue(
            NewDirective(
                topic=Topic.CANCEL,
                order_ref=payment.order_ref,
                payload={"payment_id": payment.id, "unpaid": True},
                dedupe_key=f"unpaid:{payment.id}",
            )
        )


def sync_of(order_ref: str, payment_id: str) -> NewDirective:
    """The one ``payment.sync`` of a payment; enqueueing it again only wakes it."""
    return NewDirective(
        topic=Topic.SYNC,
        order_ref=order_ref,
        payload={"payment_id": payment_id},
        dedupe_key=f"sync:{payment_id}",
    )
