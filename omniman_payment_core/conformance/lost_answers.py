"""Lost answers: the backend says that it does not know, and a repeat or a look heals it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..contracts import BackendRegistration
from ..errors import TransactionNotFoundError
from .base import ConformanceCase
from .driver import GatewayDriver

either = pytest.mark.parametrize("when", ["before", "after"])


class LostAnswerCases(ConformanceCase):
    """A timeout is not a failure. It is not knowing."""

    @either
    def test_a_lost_charge_repeated_with_its_key_is_carried_out_once(
        self, backend: Any, driver: GatewayDriver, order_ref: str, when: str
    ) -> None:
        self.need_key(backend, "charge")
        address = self.address_for(backend, order_ref, "charge")
        driver.lose_next(when)
        self.lose(lambda: self.charge(backend, order_ref, **address))
        result = self.charge(backend, order_ref, **address)
        assert result.transaction_id
        if driver.moved_q(order_ref) == 0:
            driver.pay(result.transaction_id)
        assert driver.moved_q(order_ref) == self.amount_q

    @either
    def test_a_lost_hold_repeated_with_its_key_is_carried_out_once(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        when: str,
    ) -> None:
        self.need_feature(registration, "hold")
        self.need_key(backend, "authorize")
        address = self.address_for(backend, order_ref, "authorize")
        driver.lose_next(when)
        self.lose(lambda: self.authorize(backend, order_ref, **address))
        assert self.authorize(backend, order_ref, **address).success
        assert driver.held_q(order_ref) == self.amount_q

    @either
    def test_a_lost_capture_repeated_with_its_key_is_carried_out_once(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        when: str,
    ) -> None:
        self.need_feature(registration, "hold")
        self.need_key(backend, "capture")
        hold = self.held(backend, order_ref)
        self.lost_then_repeated(
            driver,
            when,
            lambda key: self.send(backend, "capture", hold, self.amount_q, idempotency_key=key),
        )
        assert driver.moved_q(order_ref) == self.amount_q

    @either
    def test_a_lost_refund_repeated_with_its_key_is_carried_out_once(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        when: str,
    ) -> None:
        self.need_feature(registration, "partial_refund")
        self.need_key(backend, "refund")
        payment = self.paid(backend, driver, order_ref)
        self.lost_then_repeated(
            driver,
            when,
            lambda key: self.send(backend, "refund", payment, 300, idempotency_key=key),
        )
        assert driver.moved_q(order_ref) in (self.amount_q, self.amount_q - 300)
        assert self.send(backend, "get_status", payment).refunded_q in (None, 300)

    @either
    def test_after_a_lost_capture_the_status_tells_the_truth(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        when: str,
    ) -> None:
        self.need_feature(registration, "hold")
        hold = self.held(backend, order_ref)
        driver.lose_next(when)
        self.lose(lambda: self.send(backend, "capture", hold, self.amount_q))
        status = self.send(backend, "get_status", hold)
        assert (status.status == "captured") is (when == "after")
        assert status.captured_q in (None, driver.moved_q(order_ref))

    @either
    def test_after_a_lost_charge_its_address_tells_the_truth(
        self, backend: Any, driver: GatewayDriver, order_ref: str, when: str
    ) -> None:
        self.need_key(backend, "charge")
        address = self.address_for(backend, order_ref, "charge")
        chosen = address.get("transaction_id")
        if chosen is None:
            pytest.skip("abilities 'prepare' and 'choose_transaction_id' are absent: no address")
        driver.lose_next(when)
        self.lose(lambda: self.charge(backend, order_ref, **address))
        try:
            status = self.send(backend, "get_status", chosen)
        except TransactionNotFoundError:
            assert when == "before", "what was carried out is denied"
            return
        assert status.captured_q in (None, driver.moved_q(order_ref))

    @either
    def test_after_a_lost_charge_find_tells_the_truth(
        self, backend: Any, driver: GatewayDriver, order_ref: str, when: str
    ) -> None:
        self.need_ability(backend, "find")
        address = self.address_for(backend, order_ref, "charge")
        driver.lose_next(when)
        self.lose(lambda: self.charge(backend, order_ref, **address))
        found = list(backend.find(order_ref))
        if when == "after":
            assert len(found) == 1, "what was carried out is not found"
        assert sum(r.captured_q or 0 for r in found) in (0, driver.moved_q(order_ref))

    def address_for(self, backend: Any, order_ref: str, method: str) -> dict[str, Any]:
        """Key and address of a call, settled before anything goes wrong with it."""
        key = self.new_key()
        request = (self.amount_q, self.currency, order_ref, dict(self.payment_method))
        chosen = self.address(backend, method, request, {"idempotency_key": key})
        return {"idempotency_key": key, "transaction_id": chosen}

    def lost_then_repeated(
        self, driver: GatewayDriver, when: str, call: Callable[[str], Any]
    ) -> None:
        """Lose one call, make it again with the key it had."""
        key = self.new_key()
        driver.lose_next(when)
        self.lose(lambda: call(key))
        assert call(key).success
