"""Capability hold: authorize, capture, capture in parts, void."""

from __future__ import annotations

from typing import Any

import pytest

from ..contracts import BackendRegistration, abilities_of
from ..values import PaymentStatus
from .base import ConformanceCase
from .driver import GatewayDriver


class HoldCases(ConformanceCase):
    """Money that is held, and then taken or given back."""

    @pytest.fixture
    def hold(self, registration: BackendRegistration, backend: Any, order_ref: str) -> str:
        """The id of a transaction that holds money."""
        self.need_feature(registration, "hold")
        return self.held(backend, order_ref)

    def test_authorize_holds_and_moves_nothing(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
    ) -> None:
        self.need_feature(registration, "hold")
        result = self.authorize(backend, order_ref)
        assert result.success
        assert result.transaction_id
        assert result.status == PaymentStatus.AUTHORIZED
        assert driver.held_q(order_ref) == self.amount_q
        assert driver.moved_q(order_ref) == 0

    def test_capture_moves_exactly_what_was_held(
        self, backend: Any, driver: GatewayDriver, order_ref: str, hold: str
    ) -> None:
        result = self.send(backend, "capture", hold, self.amount_q)
        assert result.success
        assert result.status == PaymentStatus.CAPTURED
        assert result.transaction_id == hold
        assert driver.moved_q(order_ref) == self.amount_q
        assert driver.held_q(order_ref) == 0

    def test_capture_without_an_amount_takes_all_of_it(
        self, backend: Any, driver: GatewayDriver, order_ref: str, hold: str
    ) -> None:
        assert self.send(backend, "capture", hold).success
        assert driver.moved_q(order_ref) == self.amount_q

    def test_a_partial_capture_moves_exactly_that_part(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        hold: str,
    ) -> None:
        self.need_feature(registration, "partial_capture")
        result = self.send(backend, "capture", hold, self.amount_q - 300)
        assert result.success
        assert driver.moved_q(order_ref) == self.amount_q - 300
        status = self.send(backend, "get_status", hold)
        assert status.captured_q in (None, self.amount_q - 300)

    def test_captures_in_parts_add_up_and_no_further(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        hold: str,
    ) -> None:
        self.need_feature(registration, "partial_capture", "multiple_captures")
        keep = {"final": False} if abilities_of(backend).finalizes else {}
        assert self.send(backend, "capture", hold, self.amount_q - 300, **keep).success
        self.refused(lambda: self.send(backend, "capture", hold, 301))
        assert self.send(backend, "capture", hold, 300).success
        assert driver.moved_q(order_ref) == self.amount_q
        self.refused(lambda: self.send(backend, "capture", hold, 1))
        assert driver.moved_q(order_ref) == self.amount_q

    def test_a_final_part_lets_go_of_the_rest(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
        hold: str,
    ) -> None:
        self.need_feature(registration, "partial_capture")
        if not abilities_of(backend).finalizes:
            pytest.skip("ability 'final' is absent: capture() does what the gateway does")
        result = self.send(backend, "capture", hold, self.amount_q - 300, final=True)
        assert result.success
        assert driver.moved_q(order_ref) == self.amount_q - 300
        assert driver.held_q(order_ref) == 0
        assert self.send(backend, "get_status", hold).held_q in (None, 0)
        self.refused(lambda: self.send(backend, "capture", hold, 300))

    def test_more_than_is_held_cannot_be_captured(
        self, backend: Any, driver: GatewayDriver, order_ref: str, hold: str
    ) -> None:
        self.refused(lambda: self.send(backend, "capture", hold, self.amount_q + 1))
        assert driver.moved_q(order_ref) == 0

    def test_a_second_capture_takes_nothing(
        self, backend: Any, driver: GatewayDriver, order_ref: str, hold: str
    ) -> None:
        assert self.send(backend, "capture", hold, self.amount_q).success
        self.refused(lambda: self.send(backend, "capture", hold, self.amount_q))
        assert driver.moved_q(order_ref) == self.amount_q

    def test_cancel_releases_the_hold_for_good(
        self, backend: Any, driver: GatewayDriver, order_ref: str, hold: str
    ) -> None:
        self.need_ability(backend, "cancel")
        result = self.send(backend, "cancel", hold)
        assert result.success
        assert result.status == PaymentStatus.CANCELLED
        assert driver.held_q(order_ref) == 0
        self.refused(lambda: self.send(backend, "capture", hold, self.amount_q))
        assert driver.moved_q(order_ref) == 0
        assert self.send(backend, "get_status", hold).status == PaymentStatus.CANCELLED

    def test_what_is_captured_cannot_be_cancelled(
        self, backend: Any, driver: GatewayDriver, order_ref: str, hold: str
    ) -> None:
        self.need_ability(backend, "cancel")
        assert self.send(backend, "capture", hold, self.amount_q).success
        self.refused(lambda: self.send(backend, "cancel", hold))
        assert driver.moved_q(order_ref) == self.amount_q

    def test_a_hold_cannot_be_refunded(
        self, backend: Any, driver: GatewayDriver, order_ref: str, hold: str
    ) -> None:
        self.refused(lambda: self.send(backend, "refund", hold, self.amount_q))
        assert driver.moved_q(order_ref) == 0

    def test_a_declined_hold_is_a_result_with_its_reason(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
    ) -> None:
        self.need_feature(registration, "hold")
        for code in self.decline_codes:
            driver.decline_next(code)
            result = self.refused(lambda: self.authorize(backend, order_ref))
            assert result.error_code == code
            assert result.status == PaymentStatus.FAILED
            assert driver.held_q(order_ref) == driver.moved_q(order_ref) == 0

    def test_the_status_of_a_hold_has_its_amounts(
        self, backend: Any, driver: GatewayDriver, order_ref: str, hold: str
    ) -> None:
        status = self.send(backend, "get_status", hold)
        assert status.status == PaymentStatus.AUTHORIZED
        assert status.transaction_id == hold
        assert status.amount_q in (None, self.amount_q)
        assert status.authorized_q in (None, self.amount_q)
        assert status.captured_q in (None, 0)
        assert status.held_q in (None, self.amount_q)
        assert status.held_q is None or status.authorized_q is not None, "how much was ever held?"
        assert driver.held_q(order_ref) == self.amount_q, "a look must change nothing"

    def test_without_holds_authorize_is_refused_or_opens_a_charge(
        self,
        registration: BackendRegistration,
        backend: Any,
        driver: GatewayDriver,
        order_ref: str,
    ) -> None:
        if registration.feature("hold").supported:
            pytest.skip("feature 'hold' is declared: nothing to stand in for it")
        result = self.authorize(backend, order_ref)
        assert result.status != PaymentStatus.AUTHORIZED, "a hold is claimed that is not there"
        assert driver.moved_q(order_ref) == driver.held_q(order_ref) == 0
