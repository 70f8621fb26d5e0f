"""Refusals as results: what cannot be, by the gateway's word or by what the charge shows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from omniman_payment_core.currencies import format_amount
from omniman_payment_core.values import DeclineCode, PaymentResult, PaymentStatus, RefundStatus

from .amounts import CURRENCY
from .reading import Payment

RETURNED = {
    RefundStatus.PENDING: PaymentStatus.PENDING,
    RefundStatus.SUCCEEDED: PaymentStatus.REFUNDED,
    RefundStatus.FAILED: PaymentStatus.FAILED,
}
"""The status of a refund's own result."""


def refused(transaction_id: str, code: DeclineCode, message: str, **metadata: str) -> PaymentResult:
    """A final no."""
    return PaymentResult(
        success=False,
        transaction_id=transaction_id,
        status=PaymentStatus.FAILED,
        error_code=code,
        error_message=message,
        metadata=metadata or None,
    )


def no_single_payment(transaction_id: str, payments: Sequence[Payment]) -> PaymentResult:
    """A refund of more than any one payment: each Pix goes back to whoever sent it."""
    parts = ", ".join(
        format_amount(payment.left_q, CURRENCY) for payment in payments if payment.left_q
    )
    return refused(
        transaction_id,
        DeclineCode.REFUND_REFUSED,
        f"the charge was paid by several Pix, and each goes back by itself; left are {parts}: "
        "refund them one by one",
    )
