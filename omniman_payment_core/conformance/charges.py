"""Charging in one step, or opening a charge the shopper pays; and reading what became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ..values import PaymentStatus
from .base import ConformanceCase
from .driver import GatewayDriver

_LONG_AGO = datetime(2020, 11, 1, tzinfo=UTC)
_BEFORE = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)


class ChargeCases(ConformanceCase):
    """Every backend can charge."""

    def test_a_charge_takes_its_amount_or_waits_for_the_shopper(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        result = self.charge(backend, order_ref)
        assert result.success
        assert result.transaction_id
        if result.status == PaymentStatus.CAPTURED:
            assert driver.moved_q(order_ref) == self.amount_q
        else:
            assert result.status in _BEFORE
            assert driver.moved_q(order_ref) == 0
            driver.pay(result.transaction_id)
        status = self.send(backend, "get_status", result.transaction_id)
        assert status.status == PaymentStatus.CAPTURED
        assert driver.moved_q(order_ref) == self.amount_q

    def test_a_declined_charge_is_a_result_with_its_reason(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        for code in self.decline_codes:
            driver.decline_next(code)
            result = self.refused(lambda: self.charge(backend, order_ref))
            assert result.error_code == code
            assert result.status == PaymentStatus.FAILED
            assert driver.moved_q(order_ref) == 0

    def test_the_smallest_amount_and_an_odd_one_arrive_to_the_cent(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        for number, amount in enumerate(self.odd_amounts):
            ref = f"{order_ref}-{number}"
            result = self.charge(backend, ref, amount)
            assert result.transaction_id
            if result.status in _BEFORE:
                driver.pay(result.transaction_id)
            assert driver.moved_q(ref) == amount

    def test_the_status_of_a_paid_charge_has_its_amounts(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        transaction_id = self.paid(backend, driver, order_ref)
        status = self.send(backend, "get_status", transaction_id)
        assert status.transaction_id == transaction_id
        assert status.amount_q in (None, self.amount_q)
        assert status.captured_q in (None, driver.moved_q(order_ref))
        assert status.refunded_q in (None, 0)
        assert driver.moved_q(order_ref) == self.amount_q, "a look must change nothing"

    def test_an_unpaid_charge_can_be_withdrawn(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_ability(backend, "cancel")
        result = self.charge(backend, order_ref)
        if result.status not in _BEFORE:
            pytest.skip("this payment method is charged at once: nothing to withdraw")
        assert result.transaction_id
        assert self.send(backend, "cancel", result.transaction_id).success
        status = self.send(backend, "get_status", result.transaction_id)
        assert status.status == PaymentStatus.CANCELLED
        assert driver.moved_q(order_ref) == 0

    def test_what_the_caller_gave_is_not_changed(self, backend: Any, order_ref: str) -> None:
        method, metadata = dict(self.payment_method), {"note": "kept"}
        before = dict(method)
        self.send(backend, "charge", self.amount_q, self.currency, order_ref, method, metadata)
        assert method == before
        assert metadata == {"note": "kept"}

    def test_two_orders_never_share_a_transaction(self, backend: Any, order_ref: str) -> None:
        first = self.charge(backend, f"{order_ref}-a")
        second = self.charge(backend, f"{order_ref}-b")
        assert first.transaction_id != second.transaction_id

    def test_find_answers_an_orders_transactions_and_no_others(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_ability(backend, "find")
        assert list(backend.find(order_ref)) == []
        transaction_id = self.paid(backend, driver, order_ref)
        self.paid(backend, driver, f"{order_ref}-other")
        found = list(backend.find(order_ref))
        for result in found:
            self.check(result)
        assert [r.transaction_id for r in found] == [transaction_id]
        assert found[0].captured_q in (None, self.amount_q)

    def test_listing_shows_a_transaction_made_since(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_ability(backend, "list_transactions")
        transaction_id = self.paid(backend, driver, order_ref)
        listed = list(backend.list_transactions(_LONG_AGO))
        for result in listed:
            self.check(result)
        assert transaction_id in [r.transaction_id for r in listed]
        future = datetime.now(UTC) + timedelta(days=365 * 50)
        assert list(backend.list_transactions(future)) == []

    def test_polling_tells_of_a_payment_each_time_with_the_same_event(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_ability(backend, "poll_events")
        transaction_id = self.paid(backend, driver, order_ref)
        first, second = (
            [e for e in backend.poll_events(_LONG_AGO) if e.transaction_id == transaction_id]
            for _ in range(2)
        )
        assert first
        assert [e.event_id for e in first] == [e.event_id for e in second]
        assert list(backend.poll_events(datetime.now(UTC) + timedelta(days=365 * 50))) == []

    def test_a_dispute_at_the_gateway_is_seen(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_driver(driver, "dispute")
        transaction_id = self.paid(backend, driver, order_ref)
        driver.dispute(transaction_id, self.amount_q)
        status = self.send(backend, "get_status", transaction_id)
        assert status.status == PaymentStatus.DISPUTED
        assert status.disputed_q in (None, self.amount_q)
