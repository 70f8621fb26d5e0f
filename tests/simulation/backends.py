"""Backends of several strengths over one far side: what they can do decides what is safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from omniman_payment_core.errors import NotAttemptedError, TransactionNotFoundError
from omniman_payment_core.values import PaymentResult, PaymentStatus, WebhookEvent
from omniman_payment_mock import MockPaymentBackend

SHOPS_PATIENCE = timedelta(hours=2)
"""How long a shop waits for a shopper at a gateway that would wait for ever."""


class FiveMethods:
    """A backend written to the specification page alone: no keys, six fields in an answer."""

    def __init__(self, mock: MockPaymentBackend) -> None:
        self._mock = mock

    def authorize(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> PaymentResult:
        return _plain(self._mock.authorize(amount_q, currency, order_ref, payment_method, metadata))

    def charge(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> PaymentResult:
        return _plain(self._mock.charge(amount_q, currency, order_ref, payment_method, metadata))

    def capture(self, transaction_id: str, amount_q: int | None = None) -> PaymentResult:
        return _plain(self._mock.capture(transaction_id, amount_q))

    def refund(
        self, transaction_id: str, amount_q: int | None = None, reason: str | None = None
    ) -> PaymentResult:
        result = self._mock.refund(transaction_id, amount_q, reason)
        return replace(_plain(result), transaction_id=result.reference)

    def get_status(self, transaction_id: str) -> PaymentResult:
        return _plain(self._mock.get_status(transaction_id))


def _plain(result: PaymentResult) -> PaymentResult:
    return PaymentResult(
        result.success,
        result.transaction_id,
        result.status,
        result.error_code,
        result.error_message,
    )


class Prepares(MockPaymentBackend):
    """Gets its address by a call of its own, before money can move."""

    choose_transaction_id = None  # type: ignore[assignment]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._withdrawn: set[str] = set()

    def prepare(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        capture: bool,
        idempotency_key: str,
    ) -> str:
        return super().choose_transaction_id(idempotency_key)

    def get_status(self, transaction_id: str) -> PaymentResult:
        try:
            return super().get_status(transaction_id)
        except TransactionNotFoundError:
            status = "cancelled" if transaction_id in self._withdrawn else "pending"
            return PaymentResult(True, transaction_id, status)

    def cancel(self, transaction_id: str, *, idempotency_key: str | None = None) -> PaymentResult:
        if self.gateway.transaction(transaction_id) is not None:
            return super().cancel(transaction_id, idempotency_key=idempotency_key)
        self._withdrawn.add(transaction_id)
        return PaymentResult(True, transaction_id, "cancelled")

    def authorize(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return self._refused(kwargs) or super().authorize(*args, **kwargs)

    def charge(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return self._refused(kwargs) or super().charge(*args, **kwargs)

    def _refused(self, asked: Mapping[str, Any]) -> PaymentResult | None:
        """Nobody confirms what was withdrawn before it was ever confirmed."""
        address = asked.get("transaction_id")
        if address is None or address not in self._withdrawn:
            return None
        return PaymentResult(False, address, "failed", "declined", "it was withdrawn")


class Patient(Prepares):
    """Prepares; lets an open charge be paid for ever, and a part be the last capture."""

    def authorize(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return self._until(super().authorize(*args, **kwargs))

    def charge(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return self._until(super().charge(*args, **kwargs))

    def get_status(self, transaction_id: str) -> PaymentResult:
        return self._until(super().get_status(transaction_id))

    def capture(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        *,
        currency: str,
        final: bool = True,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        result = super().capture(transaction_id, amount_q, idempotency_key=idempotency_key)
        if not final or result.status != PaymentStatus.PARTIALLY_CAPTURED:
            return result
        self.gateway.cancel(transaction_id)
        return replace(result, status=PaymentStatus.CAPTURED)

    def _until(self, seen: PaymentResult) -> PaymentResult:
        """How long the shop wants to wait; the gateway itself would wait longer."""
        txn = self.gateway.transaction(seen.transaction_id or "")
        if txn is None or not txn.waiting:
            return seen
        return replace(seen, expires_at=txn.created_at + SHOPS_PATIENCE)


class FiveMethodsAndFind(FiveMethods):
    """No keys, but an order's transactions can be searched: every answer in full."""

    def find(self, order_ref: str) -> Sequence[PaymentResult]:
        return self._mock.find(order_ref)

    def get_status(self, transaction_id: str) -> PaymentResult:
        return self._mock.get_status(transaction_id)


class Finds(MockPaymentBackend):
    """Knows keys and can be searched, and names its transactions itself."""

    choose_transaction_id = None  # type: ignore[assignment]


class Unaddressed(MockPaymentBackend):
    """Knows keys, but names its transactions itself and cannot be searched."""

    choose_transaction_id = None  # type: ignore[assignment]
    find = None  # type: ignore[assignment]


class ChargesOnly(MockPaymentBackend):
    """Has no holds: a channel that wants one gets a charge."""

    authorize = None  # type: ignore[assignment]
    capture = None  # type: ignore[assignment]


class Names(MockPaymentBackend):
    """As Pix: no holds; whoever asks names charges and refunds, and no key is read back."""

    authorize = None  # type: ignore[assignment]
    capture = None  # type: ignore[assignment]
    find = None  # type: ignore[assignment]

    def choose_refund_id(self, idempotency_key: str) -> str:
        return f"name-of-{idempotency_key}"

    def refund(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        reason: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        result = super().refund(transaction_id, amount_q, reason, idempotency_key=idempotency_key)
        if not result.success or idempotency_key is None:
            return result
        return replace(result, reference=self.choose_refund_id(idempotency_key))

    def cancel(self, transaction_id: str) -> PaymentResult:
        return super().cancel(transaction_id)

    def get_status(self, transaction_id: str) -> PaymentResult:
        seen = super().get_status(transaction_id)
        if seen.refunds is None:
            return seen
        named = [
            replace(
                refund,
                idempotency_key=None,
                reference=self.choose_refund_id(refund.idempotency_key)
                if refund.idempotency_key
                else refund.reference,
            )
            for refund in seen.refunds
        ]
        return replace(seen, refunds=tuple(named))

    def poll_events(self, since: datetime) -> Sequence[WebhookEvent]:
        """Never asked here, so that the payments' own rare looks have to do."""
        raise NotAttemptedError("nobody asks")
