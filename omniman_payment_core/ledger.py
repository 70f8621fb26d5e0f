"""The payment state machine: a payment's amounts and status are a fold over its facts.

Every fact is a delta and folding is addition, so any order of the same facts ends in the
same state, and a fact that comes twice (same ``dedupe_key``) counts once. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .records import Event, EventKind, Payment, Trigger, evolve
from .values import PaymentStatus as S
from .values import RefundStatus


def advance(payment: Payment, event: Event) -> Payment:
    """The payment after one more fact; the status follows from the amounts."""
    amount = event.amount_q
    match event.kind:
        case EventKind.AUTHORIZED:
            moved = evolve(payment, authorized_q=payment.authorized_q + amount)
        case EventKind.CAPTURED:
            moved = evolve(payment, captured_q=payment.captured_q + amount)
        case EventKind.VOIDED:
            moved = evolve(payment, released_q=payment.released_q + amount, voids=payment.voids + 1)
        case EventKind.EXPIRED:
            moved = evolve(
                payment, released_q=payment.released_q + amount, expiries=payment.expiries + 1
            )
        case EventKind.FAILED:
            moved = evolve(payment, failures=payment.failures + 1)
        case EventKind.ACTION_REQUIRED:
            moved = evolve(payment, actions_open=payment.actions_open + 1)
        case EventKind.ACTION_TAKEN:
            moved = evolve(payment, actions_open=payment.actions_open - 1)
        case EventKind.REFUND_PENDING:
            moved = evolve(payment, refund_pending_q=payment.refund_pending_q + amount)
        case EventKind.REFUNDED:
            moved = evolve(
                payment,
                refunded_q=payment.refunded_q + amount,
                refund_pending_q=payment.refund_pending_q
                - (amount if event.data.get("was") == RefundStatus.PENDING else 0),
            )
        case EventKind.REFUND_FAILED:
            after_success = event.data.get("was") == RefundStatus.SUCCEEDED
            moved = evolve(
                payment,
                refunded_q=payment.refunded_q - (amount if after_success else 0),
                refund_pending_q=payment.refund_pending_q - (0 if after_success else amount),
            )
        case EventKind.DISPUTE_OPENED:
            moved = evolve(payment, disputed_q=payment.disputed_q + amount)
        case EventKind.DISPUTE_CLOSED:
            moved = evolve(payment, disputed_q=payment.disputed_q - amount)
        case _:
            return payment
    status = status_of(moved)
    return moved if status is moved.status else evolve(moved, status=status)


def fold(payment: Payment, events: Iterable[Event]) -> Payment:
    """Rebuild a payment's amounts and status from its facts alone, repetitions ignored."""
    state = blank(payment)
    seen: set[str] = set()
    for event in events:
        if event.dedupe_key not in seen:
            seen.add(event.dedupe_key)
            state = advance(state, event)
    return state


def blank(payment: Payment) -> Payment:
    """The payment before its first fact."""
    return evolve(
        payment,
        status=S.PENDING,
        authorized_q=0,
        captured_q=0,
        released_q=0,
        refund_pending_q=0,
        refunded_q=0,
        disputed_q=0,
        actions_open=0,
        failures=0,
        voids=0,
        expiries=0,
    )


def status_of(payment: Payment) -> S:
    """The one status that the amounts and facts of a payment amount to."""
    if payment.disputed_q > 0:
        return S.DISPUTED
    if payment.captured_q > 0:
        if payment.refunded_q >= payment.captured_q:
            return S.REFUNDED
        if payment.refunded_q > 0:
            return S.PARTIALLY_REFUNDED
        # Without a hold, less than was asked for stays partial: somebody paid too little.
        due = payment.amount_q - (payment.released_q if payment.authorized_q else 0)
        return S.CAPTURED if payment.captured_q >= due else S.PARTIALLY_CAPTURED
    if payment.open_q > 0:
        return S.AUTHORIZED
    if payment.voids:
        return S.CANCELLED
    if payment.expiries:
        return S.EXPIRED
    if payment.failures:
        return S.FAILED
    return S.REQUIRES_ACTION if payment.actions_open > 0 else S.PENDING


_PAID = (S.PARTIALLY_CAPTURED, S.CAPTURED, S.PARTIALLY_REFUNDED, S.REFUNDED, S.DISPUTED)
_ENDED = (S.CANCELLED, S.EXPIRED, S.FAILED)

ALLOWED_MOVES: Mapping[S, frozenset[S]] = {
    S.PENDING: frozenset({S.REQUIRES_ACTION, S.AUTHORIZED, *_PAID, *_ENDED}),
    S.REQUIRES_ACTION: frozenset({S.PENDING, S.AUTHORIZED, *_PAID, *_ENDED}),
    S.AUTHORIZED: frozenset({*_PAID, S.CANCELLED, S.EXPIRED}),
    S.PARTIALLY_CAPTURED: frozenset({S.CAPTURED, S.PARTIALLY_REFUNDED, S.REFUNDED, S.DISPUTED}),
    S.CAPTURED: frozenset({S.PARTIALLY_REFUNDED, S.REFUNDED, S.DISPUTED}),
    S.PARTIALLY_REFUNDED: frozenset({*_PAID}),
    S.REFUNDED: frozenset({*_PAID}),
    S.DISPUTED: frozenset({*_PAID}),
    # What ended without money can still be paid late: never lost, never silently refused.
    S.CANCELLED: frozenset({S.AUTHORIZED, *_PAID}),
    S.EXPIRED: frozenset({S.AUTHORIZED, S.CANCELLED, *_PAID}),
    S.FAILED: frozenset({S.AUTHORIZED, S.CANCELLED, S.EXPIRED, *_PAID}),
}
"""Every move of a payment's status that a settlement may make. Anything else is a bug."""

_TRIGGERS: Mapping[S, Trigger] = {
    S.AUTHORIZED: Trigger.HOLD,
    S.CAPTURED: Trigger.CONFIRM,
    S.PARTIALLY_REFUNDED: Trigger.PARTIAL_REFUND,
    S.REFUNDED: Trigger.REFUND,
    S.FAILED: Trigger.FAILED,
    S.EXPIRED: Trigger.EXPIRED,
    S.CANCELLED: Trigger.CANCEL,
    S.DISPUTED: Trigger.DISPUTE,
}


def trigger_of(payment: Payment) -> Trigger | None:
    """The auto-transition that reaching the present status asks for, unless it has fired."""
    trigger = _TRIGGERS.get(payment.status)
    if trigger is Trigger.PARTIAL_REFUND and kept_q(payment) >= payment.amount_q:
        # Only what was paid beyond the amount went back: the order is as paid as before.
        return None
    return None if trigger in payment.fired else trigger


def kept_q(payment: Payment) -> int:
    """What was taken and is not back."""
    return payment.captured_q - payment.refunded_q


def summary_of(payment: Payment) -> dict[str, Any]:
    """The order's ``data["payment"]``: the specification page's three keys, and the amounts."""
    summary: dict[str, Any] = {
        "status": payment.status.value,
        "transaction_id": payment.transaction_id,
        "amount_q": payment.amount_q,
        "currency": payment.currency,
        "payment_id": payment.id,
        "account": payment.account,
        "authorized_q": payment.authorized_q,
        "captured_q": payment.captured_q,
        "refunded_q": payment.refunded_q,
        "disputed_q": payment.disputed_q,
    }
    if payment.status not in (S.PENDING, S.REQUIRES_ACTION):
        return summary
    if payment.next_action is not None:
        summary["next_action"] = {
            "kind": payment.next_action.kind,
            **payment.next_action.data,
        }
    if payment.expires_at is not None:
        summary["expires_at"] = payment.expires_at.isoformat()
    return summary
