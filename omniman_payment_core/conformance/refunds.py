"""Capability refund: all of it, parts of it, never more than was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..contracts import BackendRegistration, ChoosesRefundId
from ..values import PaymentStatus, RefundStatus
from .base import ConformanceCase
from .driver import GatewayDriver

_ACCEPTED = (PaymentStatus.REFUNDED, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.PENDING)


class RefundCases(ConformanceCase):
    """Money that goes back."""

    @pytest.fixture
    def payment(self, backend: Any, driver: GatewayDriver, order_ref: str) -> str:
        """The id of a transaction whose money was taken."""
        return self.paid(backend, driver, order_ref)

    def test_a_full_refund_returns_everything(
        self, backend: Any, driver: GatewayDriver, order_ref: str, payment: str
    ) -> None:
        result = self.send(backend, "refund", payment, self.amount_q, "requested_by_customer")
        assert result.success
        assert result.status in _ACCEPTED
        if result.status != PaymentStatus.PENDING:
            assert driver.moved_q(order_ref) == 0
        status = self.send(backend, "get_status", payment)
        assert status.refunded_q in (None, self.amount_q)

    def test_a_refund_without_an_amount_returns_everything(
        self, backend: Any, driver: GatewayDriver, order_ref: str, payment: str
    ) -> None:
        result = self.send(backend, "refund", payment)
        assert result.success
        if result.status != PaymentStatus.PENDING:
            assert driver.moved_q(order_ref) == 0

    def test_a_partial_refund_returns_exactly_that_part(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        payment: str,
    ) -> None:
        self.need_feature(registration, "partial_refund")
        result = self.send(backend, "refund", payment, 300)
        assert result.success
        if result.status != PaymentStatus.PENDING:
            assert driver.moved_q(order_ref) == self.amount_q - 300
        status = self.send(backend, "get_status", payment)
        assert status.refunded_q in (None, 300)
        assert status.captured_q in (None, self.amount_q), "refunds are counted apart"

    def test_refunds_in_parts_add_up_and_no_further(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        payment: str,
    ) -> None:
        self.need_feature(registration, "partial_refund", "multiple_refunds")
        results = [
            self.send(backend, "refund", payment, 300),
            self.send(backend, "refund", payment, self.amount_q - 300),
        ]
        assert all(r.success for r in results)
        self.refused(lambda: self.send(backend, "refund", payment, 1))
        assert driver.moved_q(order_ref) >= 0
        if all(r.status != PaymentStatus.PENDING for r in results):
            assert driver.moved_q(order_ref) == 0

    def test_two_equal_partial_refunds_with_two_keys_are_two_refunds(
        self,
        registration: BackendRegistration,
        backend: Any,
        payment: str,
    ) -> None:
        self.need_feature(registration, "partial_refund", "multiple_refunds")
        first = self.send(backend, "refund", payment, 200)
        second = self.send(backend, "refund", payment, 200)
        if first.reference is not None:
            assert first.reference != second.reference
        assert self.send(backend, "get_status", payment).refunded_q in (None, 400)

    def test_more_than_was_taken_cannot_be_refunded(
        self, backend: Any, driver: GatewayDriver, order_ref: str, payment: str
    ) -> None:
        self.refused(lambda: self.send(backend, "refund", payment, self.amount_q + 1))
        assert driver.moved_q(order_ref) == self.amount_q

    def test_a_second_full_refund_is_refused(
        self, backend: Any, driver: GatewayDriver, order_ref: str, payment: str
    ) -> None:
        assert self.send(backend, "refund", payment, self.amount_q).success
        self.refused(lambda: self.send(backend, "refund", payment, self.amount_q))
        assert driver.moved_q(order_ref) >= 0

    def test_refunds_read_back_with_our_keys(
        self, registration: BackendRegistration, backend: Any, payment: str
    ) -> None:
        self.need_feature(registration, "partial_refund", "refund_reads_back")
        self.need_key(backend, "refund")
        key = self.new_key()
        self.send(backend, "refund", payment, 300, idempotency_key=key)
        refunds = self.send(backend, "get_status", payment).refunds
        assert refunds is not None, "the feature is declared, and get_status() lists no refunds"
        (refund,) = refunds
        assert refund.amount_q == 300
        assert refund.reference
        named = isinstance(backend, ChoosesRefundId) and backend.choose_refund_id(key)
        assert refund.idempotency_key == key or refund.reference == named

    def test_a_chosen_refund_id_is_pure_and_the_refunds_reference(
        self, make_backend: Callable[[], Any], backend: Any, payment: str
    ) -> None:
        self.need_ability(backend, "choose_refund_id")
        self.need_key(backend, "refund")
        key = self.new_key()
        chosen = backend.choose_refund_id(key)
        assert isinstance(chosen, str)
        assert chosen == make_backend().choose_refund_id(key)
        assert chosen != backend.choose_refund_id(self.new_key())
        result = self.send(backend, "refund", payment, self.amount_q, idempotency_key=key)
        assert result.reference == chosen

    def test_a_refund_made_outside_is_seen(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        payment: str,
    ) -> None:
        self.need_feature(registration, "partial_refund")
        self.need_driver(driver, "refund_outside")
        driver.refund_outside(payment, 300)
        assert driver.moved_q(order_ref) == self.amount_q - 300
        status = self.send(backend, "get_status", payment)
        listed = sum(r.amount_q for r in status.refunds or () if r.status != RefundStatus.FAILED)
        assert 300 in (status.refunded_q, listed)

    def test_a_refund_that_failed_later_is_seen_as_failed(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        payment: str,
    ) -> None:
        self.need_feature(registration, "refund_reads_back")
        self.need_driver(driver, "fail_refund")
        result = self.send(backend, "refund", payment, self.amount_q)
        assert result.reference, "a refund that may fail later needs its reference"
        driver.fail_refund(result.reference)
        assert driver.moved_q(order_ref) == self.amount_q
        status = self.send(backend, "get_status", payment)
        assert [r.status for r in status.refunds or ()] == [RefundStatus.FAILED]
        assert status.refunded_q in (None, 0)
