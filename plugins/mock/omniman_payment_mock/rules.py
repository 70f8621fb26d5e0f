"""The far side's rules as pure functions: what may happen to a transaction, and what it is."""

from __future__ import annotations

from datetime import datetime

from omniman_payment_core.values import (
    ActionKind,
    DeclineCode,
    NextAction,
    PaymentResult,
    PaymentStatus,
    RefundSnapshot,
    RefundStatus,
)

from .transactions import Transaction

Refusal = tuple[DeclineCode, str]


def held_q(txn: Transaction) -> int:
    """What is authorized and neither taken nor given back."""
    return txn.authorized_q - txn.captured_q - txn.released_q


def refunded_q(txn: Transaction) -> int:
    """Returned or on its way back: every accepted refund that has not failed."""
    return sum(r.amount_q for r in txn.refunds if r.status is not RefundStatus.FAILED)


def refundable_q(txn: Transaction) -> int:
    """What a refund may still take; money in a dispute is already on its way to the shopper."""
    return max(0, txn.captured_q - refunded_q(txn) - txn.disputed_q)


def lapse(txn: Transaction, now: datetime) -> bool:
    """Let what is over by the clock be over; say whether anything changed."""
    if txn.expired:
        return False
    if txn.waiting and txn.expires_at is not None and now >= txn.expires_at:
        txn.expired, txn.waiting = True, ""
        return True
    held = held_q(txn)
    if held and txn.hold_expires_at is not None and now >= txn.hold_expires_at:
        txn.expired = True
        txn.released_q += held
        return True
    return False


def status_of(txn: Transaction) -> PaymentStatus:
    """The one status the amounts amount to; only refunds that succeeded count."""
    held = held_q(txn)
    if txn.disputed_q:
        return PaymentStatus.DISPUTED
    if txn.captured_q:
        returned = sum(r.amount_q for r in txn.refunds if r.status is RefundStatus.SUCCEEDED)
        if returned >= txn.captured_q:
            return PaymentStatus.REFUNDED
        if returned:
            return PaymentStatus.PARTIALLY_REFUNDED
        less = held > 0 or (txn.captures_at_once and txn.captured_q < txn.amount_q)
        return PaymentStatus.PARTIALLY_CAPTURED if less else PaymentStatus.CAPTURED
    if held:
        return PaymentStatus.AUTHORIZED
    if txn.cancelled:
        return PaymentStatus.CANCELLED
    if txn.expired:
        return PaymentStatus.EXPIRED
    if txn.declined:
        return PaymentStatus.FAILED
    return PaymentStatus.REQUIRES_ACTION if txn.waiting == "3ds" else PaymentStatus.PENDING


def _why_nothing_is_held(txn: Transaction) -> Refusal:
    if txn.captured_q:
        return DeclineCode.ALREADY_CAPTURED, "everything that was held has been captured"
    if txn.cancelled:
        return DeclineCode.ALREADY_CANCELLED, "the payment was cancelled"
    if txn.expired:
        return DeclineCode.EXPIRED, "the authorization has expired"
    if txn.declined:
        return DeclineCode.DECLINED, "the payment was declined"
    return DeclineCode.DECLINED, "the shopper has not finished; nothing is held yet"


def refuse_capture(txn: Transaction, amount_q: int) -> Refusal | None:
    """Why this capture cannot be, if it cannot."""
    held = held_q(txn)
    if not held:
        return _why_nothing_is_held(txn)
    if amount_q > held:
        return DeclineCode.AMOUNT_INVALID, f"asked to capture {amount_q}, {held} is held"
    return None


def refuse_refund(txn: Transaction, amount_q: int) -> Refusal | None:
    """Why this refund cannot be, if it cannot. Refunds that are pending count."""
    if not txn.captured_q:
        return DeclineCode.NOT_CAPTURED, "nothing was captured"
    refundable = refundable_q(txn)
    if amount_q > refundable or amount_q <= 0:
        return (
            DeclineCode.REFUND_EXCEEDS_CAPTURE,
            f"asked to refund {amount_q}, {refundable} is left of the capture",
        )
    scripted = txn.behaviour.refund_declined
    return None if scripted is None else (scripted, "the refund was refused")


def refuse_cancel(txn: Transaction) -> Refusal | None:
    """Why there is nothing to void or withdraw, if there is nothing."""
    if held_q(txn) or txn.waiting:
        return None
    return _why_nothing_is_held(txn)


def next_action_of(txn: Transaction) -> NextAction | None:
    """What the shopper has to do before money can move."""
    if txn.waiting == "qr":
        code = f"mockqr:{txn.id}:{txn.amount_q}:{txn.currency}"
        return NextAction(ActionKind.SHOW_QR, {"qr_code": code, "copy_paste": code})
    if txn.waiting == "3ds":
        return NextAction(
            ActionKind.CONFIRM_WITH_CLIENT_SECRET, {"client_secret": f"{txn.id}_confirm"}
        )
    return None


def view(
    txn: Transaction,
    *,
    status: str | None = None,
    refusal: Refusal | None = None,
    reference: str | None = None,
) -> PaymentResult:
    """The transaction as an answer, with every total the gateway has."""
    refunds = txn.refunds
    return PaymentResult(
        refusal is None,
        txn.id,
        status or status_of(txn),
        None if refusal is None else refusal[0],
        None if refusal is None else refusal[1],
        {"order_ref": txn.order_ref},
        txn.amount_q,
        txn.currency,
        txn.authorized_q,
        txn.captured_q,
        refunded_q(txn) if refunds else 0,
        txn.disputed_q,
        tuple(RefundSnapshot(r.reference, r.amount_q, r.status, r.idempotency_key) for r in refunds)
        if refunds
        else (),
        next_action_of(txn) if txn.waiting else None,
        txn.expires_at if txn.waiting else None,
        txn.hold_expires_at,
        reference,
        None if txn.captures_at_once else held_q(txn),
    )
