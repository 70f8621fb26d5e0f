"""``payment.sync``: reading the gateway's truth, because time passed or somebody knocked."""

from __future__ import annotations

from ..records import NewDirective, OperationState, Topic
from .capture import chosen_payment
from .draft import Draft
from .opening import TermsOf
from .operations import look


def decide_sync(draft: Draft, account_terms: TermsOf) -> None:
    """Read once, then be done: the payment's own schedule says when to read again."""
    payment = chosen_payment(draft)
    if payment is None:
        draft.complete(status="nothing_to_sync")
        return
    draft.choose(payment)
    terms = account_terms(payment.account)
    if not draft.looked and look(draft, terms):
        return
    draft.looked_at = draft.looked_at or draft.now
    parked = [op for op in draft.operations() if op.state == OperationState.PARKED]
    draft.complete(
        status=draft.touched.status.value, **({"parked_operations": len(parked)} if parked else {})
    )


def sync_of(order_ref: str, payment_id: str) -> NewDirective:
    """The one ``payment.sync`` of a payment; enqueueing it again only wakes it."""
    return NewDirective(
        topic=Topic.SYNC,
        order_ref=order_ref,
        payload={"payment_id": payment_id},
        dedupe_key=f"sync:{payment_id}",
    )
