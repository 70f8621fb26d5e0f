"""A gateway without a memory, so that what grows is the worker's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omniman_payment_core.values import PaymentResult, PaymentStatus


class ForgetfulGateway:
    """Holds whatever it is asked to hold; knows nothing of it afterwards."""

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Has no options."""

    def authorize(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        idempotency_key: str,
    ) -> PaymentResult:
        return PaymentResult(
            True, f"txn_{idempotency_key}", PaymentStatus.AUTHORIZED, amount_q=amount_q
        )

    def capture(self, transaction_id: str, amount_q: int | None = None) -> PaymentResult:
        raise NotImplementedError("only holds are measured")

    def refund(
        self, transaction_id: str, amount_q: int | None = None, reason: str | None = None
    ) -> PaymentResult:
        raise NotImplementedError("only holds are measured")

    def get_status(self, transaction_id: str) -> PaymentResult:
        return PaymentResult(True, transaction_id, PaymentStatus.AUTHORIZED)
