"""Ability idempotency_key: one key one effect, two keys two, a changed request an error."""

from __future__ import annotations

from typing import Any

import pytest

from ..contracts import BackendRegistration
from ..errors import InvalidRequestError
from ..values import PaymentResult
from .base import ConformanceCase
from .driver import GatewayDriver


class IdempotencyCases(ConformanceCase):
    """What makes a repeat harmless."""

    def same(self, first: PaymentResult, second: PaymentResult) -> None:
        """The repeat's answer is the first one's, as far as money is concerned."""
        for name in ("success", "transaction_id", "status", "error_code", "captured_q"):
            was, now = getattr(first, name), getattr(second, name)
            assert was == now, f"the same key answered {name} {was!r}, then {now!r}"
        assert first.reference == second.reference, "the same key made two objects"

    def test_the_same_key_charges_once(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_key(backend, "charge")
        key = self.new_key()
        first = self.charge(backend, order_ref, idempotency_key=key)
        second = self.charge(backend, order_ref, idempotency_key=key)
        self.same(first, second)
        if first.transaction_id and driver.moved_q(order_ref) == 0:
            driver.pay(first.transaction_id)
        assert driver.moved_q(order_ref) == self.amount_q

    def test_the_same_key_holds_once(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
    ) -> None:
        self.need_feature(registration, "hold")
        self.need_key(backend, "authorize")
        key = self.new_key()
        first = self.authorize(backend, order_ref, idempotency_key=key)
        self.same(first, self.authorize(backend, order_ref, idempotency_key=key))
        assert driver.held_q(order_ref) == self.amount_q

    def test_the_same_key_from_another_process_charges_once(
        self, make_backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        one, other = make_backend(), make_backend()
        self.need_key(one, "charge")
        key = self.new_key()
        first = self.charge(one, order_ref, idempotency_key=key)
        second = self.charge(other, order_ref, idempotency_key=key)
        assert first.transaction_id == second.transaction_id
        assert driver.moved_q(order_ref) in (0, self.amount_q)

    def test_the_same_key_captures_once(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
    ) -> None:
        self.need_feature(registration, "hold", "partial_capture")
        self.need_key(backend, "capture")
        hold, key = self.held(backend, order_ref), self.new_key()
        first = self.send(backend, "capture", hold, 400, idempotency_key=key)
        assert first.success
        self.same(first, self.send(backend, "capture", hold, 400, idempotency_key=key))
        assert driver.moved_q(order_ref) == 400

    def test_the_same_key_refunds_once(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
    ) -> None:
        self.need_feature(registration, "partial_refund")
        self.need_key(backend, "refund")
        payment, key = self.paid(backend, driver, order_ref), self.new_key()
        first = self.send(backend, "refund", payment, 300, idempotency_key=key)
        self.same(first, self.send(backend, "refund", payment, 300, idempotency_key=key))
        assert driver.moved_q(order_ref) in (self.amount_q, self.amount_q - 300)
        assert self.send(backend, "get_status", payment).refunded_q in (None, 300)

    def test_the_same_key_cancels_once(
        self, registration: BackendRegistration, backend: Any, order_ref: str
    ) -> None:
        self.need_feature(registration, "hold")
        self.need_key(backend, "cancel")
        hold, key = self.held(backend, order_ref), self.new_key()
        first = self.send(backend, "cancel", hold, idempotency_key=key)
        assert first.success
        self.same(first, self.send(backend, "cancel", hold, idempotency_key=key))

    def test_a_declined_key_stays_declined(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_key(backend, "charge")
        key = self.new_key()
        driver.decline_next(self.decline_codes[0])
        self.refused(lambda: self.charge(backend, order_ref, idempotency_key=key))
        self.refused(lambda: self.charge(backend, order_ref, idempotency_key=key))
        assert driver.moved_q(order_ref) == 0

    def test_the_same_key_with_another_amount_is_an_error(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_key(backend, "charge")
        key = self.new_key()
        first = self.charge(backend, order_ref, idempotency_key=key)
        with pytest.raises(InvalidRequestError):
            self.charge(backend, order_ref, self.amount_q + 1, idempotency_key=key)
        if first.transaction_id and driver.moved_q(order_ref) == 0:
            driver.pay(first.transaction_id)
        assert driver.moved_q(order_ref) == self.amount_q

    def test_the_same_refund_key_with_another_amount_is_an_error(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
    ) -> None:
        self.need_feature(registration, "partial_refund", "multiple_refunds")
        self.need_key(backend, "refund")
        payment, key = self.paid(backend, driver, order_ref), self.new_key()
        self.send(backend, "refund", payment, 300, idempotency_key=key)
        with pytest.raises(InvalidRequestError):
            self.send(backend, "refund", payment, 301, idempotency_key=key)
        assert self.send(backend, "get_status", payment).refunded_q in (None, 300)

    def test_two_keys_are_two_charges(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_key(backend, "charge")
        first = self.charge(backend, order_ref)
        second = self.charge(backend, order_ref)
        assert first.transaction_id
        assert second.transaction_id
        assert first.transaction_id != second.transaction_id
        for result in (first, second):
            if result.status != "captured" and result.transaction_id:
                driver.pay(result.transaction_id)
        assert driver.moved_q(order_ref) == 2 * self.amount_q
