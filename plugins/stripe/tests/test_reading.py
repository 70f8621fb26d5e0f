"""A PaymentIntent in every state reads as what it means, never as more than it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omniman_payment_core.values import PaymentResult, PaymentStatus, RefundStatus
from omniman_payment_stripe.reading import Page, read_intent, read_refund
from stripe_testing.objects import CREATED, captured, charge, held, intent, refund

PAGE = Page("pk_test_1", None, timedelta(hours=24))
ON_PAGE = {"order_ref": "O1", "paid_on": "page"}
S = PaymentStatus
DECLINE = {"code": "card_declined", "decline_code": "insufficient_funds", "message": "No money."}


def read(found: dict[str, Any], **more: Any) -> PaymentResult:
    return read_intent(found, PAGE, **more)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (intent(), S.PENDING),
        (intent(metadata=ON_PAGE), S.REQUIRES_ACTION),
        (intent(last_payment_error=DECLINE), S.FAILED),
        (intent(metadata=ON_PAGE, last_payment_error=DECLINE), S.REQUIRES_ACTION),
        (intent(status="requires_confirmation"), S.PENDING),
        (intent(status="requires_action"), S.REQUIRES_ACTION),
        (intent(status="processing"), S.PENDING),
        (held(), S.AUTHORIZED),
        (
            intent(status="requires_capture", amount_received=400, latest_charge=charge()),
            S.PARTIALLY_CAPTURED,
        ),
        (captured(), S.CAPTURED),
        (captured(400), S.CAPTURED),
        (intent(status="canceled", cancellation_reason="requested_by_customer"), S.CANCELLED),
        (intent(status="canceled"), S.CANCELLED),
        (intent(status="canceled", cancellation_reason="automatic"), S.EXPIRED),
        (intent(status="canceled", cancellation_reason="expired"), S.EXPIRED),
        (intent(status="a_state_of_next_year"), S.PENDING),
    ],
)
def test_every_state_has_its_status(found: dict[str, Any], status: PaymentStatus) -> None:
    assert read(found).status is status


def test_a_hold_has_its_amounts_and_its_end() -> None:
    result = read(held())
    assert (result.amount_q, result.currency) == (1000, "BRL")
    assert (result.authorized_q, result.captured_q, result.refunded_q) == (1000, 0, 0)
    assert result.hold_expires_at == datetime.fromtimestamp(CREATED + 600_000, UTC)
    assert result.expires_at is None
    assert result.next_action is None


def test_a_hold_whose_end_is_not_told_lasts_a_week() -> None:
    found = intent(status="requires_capture", latest_charge=charge(payment_method_details=None))
    assert read(found).hold_expires_at == datetime.fromtimestamp(CREATED + 5, UTC) + timedelta(7)


def test_a_part_of_a_hold_that_was_captured_is_all_that_counts() -> None:
    result = read(captured(400))
    assert (result.authorized_q, result.captured_q, result.hold_expires_at) == (1000, 400, None)


def test_a_charge_in_one_step_says_nothing_of_a_hold() -> None:
    found = captured() | {"capture_method": "automatic"}
    assert (read(found).authorized_q, read(found).captured_q) == (None, 1000)


def test_a_declined_card_has_our_reason_and_stripes_own() -> None:
    result = read(intent(last_payment_error=DECLINE))
    assert (result.success, result.error_code) == (False, "insufficient_funds")
    assert result.error_message == "No money."
    assert result.metadata is not None
    assert result.metadata["decline_code"] == "insufficient_funds"
    assert result.metadata["stripe_code"] == "card_declined"


def test_a_shopper_whose_card_was_declined_on_the_page_may_try_another() -> None:
    result = read(intent(metadata=ON_PAGE, last_payment_error=DECLINE))
    assert (result.success, result.error_code) == (True, None)
    assert result.next_action is not None
    assert result.next_action.data == {
        "provider": "stripe",
        "client_secret": "pi_1_secret_2",
        "publishable_key": "pk_test_1",
        "mode": "pay",
    }
    assert result.expires_at == datetime.fromtimestamp(CREATED, UTC) + timedelta(hours=24)


def test_three_d_secure_is_the_shoppers_to_do() -> None:
    page = Page("pk_test_1", "https://shop.example/done")
    result = read_intent(intent(status="requires_action"), page)
    assert result.next_action is not None
    assert result.next_action.kind == "confirm_with_client_secret"
    assert result.next_action.data["mode"] == "authenticate"
    assert result.next_action.data["return_url"] == "https://shop.example/done"


def test_what_stripe_is_working_on_is_not_given_up_by_the_clock() -> None:
    assert read(intent(status="processing")).expires_at is None


@pytest.mark.parametrize(
    "found", [intent(), intent(status="processing"), held(), captured(), intent(status="canceled")]
)
def test_the_client_secret_is_told_only_while_the_shopper_needs_it(found: dict[str, Any]) -> None:
    assert "secret" not in repr(read(found))


# -- refunds and disputes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stripes", "ours"),
    [
        ("pending", RefundStatus.PENDING),
        ("requires_action", RefundStatus.PENDING),
        ("succeeded", RefundStatus.SUCCEEDED),
        ("failed", RefundStatus.FAILED),
        ("canceled", RefundStatus.FAILED),
        (None, RefundStatus.PENDING),
        ("a_state_of_next_year", RefundStatus.PENDING),
    ],
)
def test_every_state_of_a_refund_is_mapped(stripes: str | None, ours: RefundStatus) -> None:
    result = read(captured(), refunds=[refund(status=stripes)])
    assert result.refunds is not None
    assert result.refunds[0].status == ours
    assert result.refunds[0].idempotency_key == "omp_key"
    assert result.refunded_q == (0 if ours is RefundStatus.FAILED else 300)


@pytest.mark.parametrize(
    ("refunds", "status", "refunded_q"),
    [
        ([], S.CAPTURED, 0),
        ([refund()], S.PARTIALLY_REFUNDED, 300),
        ([refund(), refund(id="re_2", amount=700)], S.REFUNDED, 1000),
        ([refund(), refund(id="re_2", amount=700, status="failed")], S.PARTIALLY_REFUNDED, 300),
        ([refund(status="pending", amount=1000)], S.REFUNDED, 1000),
    ],
)
def test_refunds_add_up(
    refunds: list[dict[str, Any]], status: PaymentStatus, refunded_q: int
) -> None:
    result = read(captured(), refunds=refunds)
    assert (result.status, result.refunded_q, result.captured_q) == (status, refunded_q, 1000)


def test_refunds_that_were_not_listed_count_as_the_charge_has_them() -> None:
    result = read(captured(amount_refunded=300))
    assert (result.status, result.refunded_q, result.refunds) == (S.PARTIALLY_REFUNDED, 300, None)


@pytest.mark.parametrize(
    ("stripes", "disputed_q"),
    [
        ("needs_response", 1000),
        ("under_review", 1000),
        ("lost", 1000),
        ("won", 0),
        ("warning_needs_response", 0),
        ("warning_under_review", 0),
        ("warning_closed", 0),
        ("prevented", 0),
    ],
)
def test_a_dispute_counts_while_it_has_the_money(stripes: str, disputed_q: int) -> None:
    result = read(captured(disputed=True), disputes=[{"amount": 1000, "status": stripes}])
    assert result.disputed_q == disputed_q
    assert result.status is (S.DISPUTED if disputed_q else S.CAPTURED)


def test_a_dispute_that_was_not_read_is_not_said_to_be_none() -> None:
    assert read(captured(disputed=True)).disputed_q is None
    assert read(captured()).disputed_q == 0


@pytest.mark.parametrize(
    ("whole", "status", "expected"),
    [
        (True, "succeeded", S.REFUNDED),
        (False, "succeeded", S.PARTIALLY_REFUNDED),
        (True, "pending", S.CAPTURED),
    ],
)
def test_the_answer_to_a_refund_says_how_far_it_got(
    whole: bool, status: str, expected: PaymentStatus
) -> None:
    answer = refund(status=status, charge=charge(refunded=whole))
    result = read_refund(answer, "pi_1")
    assert (result.success, result.status) == (True, expected)
    assert (result.transaction_id, result.reference) == ("pi_1", "re_1")


def test_a_refund_that_failed_at_once_is_a_refusal() -> None:
    result = read_refund(refund(status="failed", failure_reason="expired_or_canceled_card"), "pi_1")
    assert (result.success, result.error_code) == (False, "refund_refused")
    assert result.error_message == "the refund failed: expired_or_canceled_card"


# -- borders -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found", [intent(), held(), captured(), intent(last_payment_error=DECLINE, metadata=None)]
)
def test_a_result_is_json_of_our_own(found: dict[str, Any]) -> None:
    metadata = read(found).metadata
    assert metadata is not None
    assert json.loads(json.dumps(metadata)) == metadata


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 10.5},
        {"amount": "1000"},
        {"amount": True},
        {"amount_received": -1},
        {"amount_received": None},
        {"id": ""},
        {"id": None},
        {"currency": None},
    ],
)
def test_what_is_not_an_amount_is_never_read_as_one(wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        read(intent(**wrong))


@pytest.mark.parametrize(
    ("currency", "amount", "amount_q"), [("jpy", 500, 500), ("isk", 50_000, 500), ("mga", 5, 500)]
)
def test_amounts_come_back_in_the_currencys_own_unit(
    currency: str, amount: int, amount_q: int
) -> None:
    found = captured(amount) | {"currency": currency, "amount": amount}
    result = read(found, refunds=[refund(amount=amount, currency=currency)])
    assert (result.amount_q, result.captured_q, result.refunded_q) == (amount_q,) * 3
