"""From a session to a paid order and back, over real HTTP, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_core.records import DirectiveStatus
from omniman_payment_django.models import Directive, Refund
from omniman_payment_django.sessions import (
    cancel_order,
    confirm_payment,
    refund_payment,
    retry_payment,
)

from .shop import CARD, Shop


def test_a_card_is_held_captured_and_refunded(shop: Shop) -> None:
    order = shop.sell(CARD)
    shop.settle()
    assert shop.payment(order).status == "authorized"
    assert shop.payment(order).hold_expires_at is not None
    shop.agrees(order)
    confirm_payment(order)
    shop.settle()
    assert shop.payment(order).status == "captured"
    shop.agrees(order)
    refund_payment(order, 300, reason="one cup was broken")
    refund_payment(order, 700)
    shop.settle()
    assert shop.facts(order) == [
        ("opened", 1000),
        ("authorized", 1000),
        ("captured", 1000),
        ("refunded", 300),
        ("refunded", 700),
    ]
    assert shop.payment(order).status == "refunded"
    shop.agrees(order)
    assert shop.flags() == []
    assert shop.deliveries("unmatched") == 0


def test_a_charge_takes_the_money_at_once(shop: Shop) -> None:
    order = shop.sell({"type": "card", "token": "tok_visa"}, flow="charge")
    shop.settle()
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]
    shop.agrees(order)


def test_a_shopper_pays_on_the_page_and_the_order_moves_on(shop: Shop) -> None:
    order = shop.sell()
    shop.settle()
    payment = shop.payment(order)
    assert payment.status == "requires_action"
    action = payment.next_action
    assert action["kind"] == "confirm_with_client_secret"
    assert action["data"]["mode"] == "pay"
    assert action["data"]["publishable_key"] == shop.simulator.publishable_key
    shop.control.pay(payment.transaction_id, "pm_card_chargeDeclined")
    shop.settle()
    assert shop.payment(order).status == "requires_action", "the shopper may try another card"
    shop.control.pay(payment.transaction_id, "pm_card_visa")
    shop.settle()
    assert shop.payment(order).status == "authorized"
    assert shop.payment(order).next_action is None
    shop.agrees(order)


@pytest.mark.parametrize("passes", [True, False])
def test_three_d_secure_ends_as_the_bank_says(shop: Shop, passes: bool) -> None:
    order = shop.sell({"type": "card", "payment_method_id": "pm_card_threeDSecure2Required"})
    shop.settle()
    payment = shop.payment(order)
    assert payment.status == "requires_action"
    assert payment.next_action["data"]["mode"] == "authenticate"
    shop.control.authenticate(payment.transaction_id, passes)
    shop.settle()
    assert shop.payment(order).status == ("authorized" if passes else "failed")
    shop.agrees(order)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeDeclined", "card_declined"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "lost_or_stolen"),
        ("pm_card_chargeDeclinedStolenCard", "lost_or_stolen"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedVelocityLimitExceeded", "limit_exceeded"),
    ],
)
def test_a_declined_card_fails_the_payment_with_its_reason(
    shop: Shop, card: str, code: str
) -> None:
    order = shop.sell({"type": "card", "payment_method_id": card})
    shop.settle()
    assert shop.payment(order).status == "failed"
    directive = Directive.objects.get(order_ref=order.ref, topic="payment.hold")
    assert directive.status == DirectiveStatus.FAILED
    assert directive.result["error_code"] == code
    shop.agrees(order)


def test_after_a_decline_another_attempt_is_a_payment_of_its_own(shop: Shop) -> None:
    order = shop.sell({"type": "card", "payment_method_id": "pm_card_chargeDeclined"})
    shop.settle()
    retry_payment(order, payment_method=CARD)
    shop.settle()
    assert shop.payment(order).attempt == 2
    assert shop.payment(order).status == "authorized"
    shop.agrees(order)


def test_a_part_is_captured_and_the_rest_goes_back(shop: Shop) -> None:
    order = shop.sell(CARD)
    shop.settle()
    confirm_payment(order, 400)
    shop.settle()
    payment = shop.payment(order)
    assert (payment.captured_q, payment.released_q) == (400, 600)
    shop.agrees(order)
    refund_payment(order)
    shop.settle()
    assert shop.payment(order).status == "refunded"
    shop.agrees(order)


def test_a_cancelled_order_lets_its_hold_go(shop: Shop) -> None:
    order = shop.sell(
        CARD, order_flow={"transitions": {"new": ["cancelled"]}, "auto_transitions": {}}
    )
    shop.settle()
    cancel_order(order, actor="tester")
    shop.settle()
    assert shop.payment(order).status == "cancelled"
    shop.agrees(order)
    assert shop.flags() == []


def test_a_refund_in_stripes_dashboard_is_in_the_ledger(shop: Shop) -> None:
    order = shop.sell(CARD, flow="charge")
    shop.settle()
    shop.control.refund_outside(shop.payment(order).transaction_id, 250)
    shop.settle()
    assert shop.payment(order).refunded_q == 250
    (refund,) = Refund.objects.filter(payment_id=shop.payment(order).id)
    assert refund.external
    shop.agrees(order)


def test_a_refund_that_fails_later_is_money_that_is_back(shop: Shop) -> None:
    order = shop.sell(CARD, flow="charge")
    shop.settle()
    refund_payment(order, 400)
    shop.settle()
    (refund,) = Refund.objects.filter(payment_id=shop.payment(order).id)
    shop.control.settle_refund(refund.reference, "failed")
    shop.settle()
    assert shop.payment(order).refunded_q == 0
    assert shop.payment(order).status == "captured"
    assert shop.flags() == ["refund_failed"]
    shop.agrees(order)


@pytest.mark.parametrize(("verdict", "status"), [("won", "captured"), ("lost", "disputed")])
def test_a_dispute_takes_the_money_until_it_is_won(shop: Shop, verdict: str, status: str) -> None:
    order = shop.sell(CARD, flow="charge")
    shop.settle()
    dispute = shop.control.dispute(shop.payment(order).transaction_id, 1000)
    shop.settle()
    assert shop.payment(order).status == "disputed"
    assert shop.payment(order).disputed_q == 1000
    assert shop.flags() == ["disputed"]
    shop.agrees(order)
    shop.control.close_dispute(dispute["id"], verdict)
    shop.settle()
    assert shop.payment(order).status == status
    shop.agrees(order)


@pytest.mark.parametrize(
    ("currency", "total_q"), [("JPY", 500), ("KWD", 5120), ("ISK", 700), ("UGX", 5000)]
)
def test_every_kind_of_currency_arrives_as_it_was_asked(
    shop: Shop, currency: str, total_q: int
) -> None:
    order = shop.sell(CARD, total_q=total_q, currency=currency)
    shop.settle()
    confirm_payment(order)
    shop.settle()
    refund_payment(order)
    shop.settle()
    payment = shop.payment(order)
    assert payment.status == "refunded"
    assert (payment.authorized_q, payment.captured_q, payment.refunded_q) == (total_q,) * 3
    assert shop.control.moved(order.ref) == 0
    assert shop.flags() == []


@pytest.mark.parametrize(
    ("total_q", "currency", "code"),
    [(10, "BRL", "amount_invalid"), (5121, "KWD", "amount_invalid")],
)
def test_an_amount_that_stripe_does_not_take_is_a_clear_failure(
    shop: Shop, total_q: int, currency: str, code: str
) -> None:
    order = shop.sell(CARD, total_q=total_q, currency=currency)
    shop.settle()
    directive = Directive.objects.get(order_ref=order.ref)
    assert directive.status == DirectiveStatus.FAILED
    assert directive.result["error_code"] == code
    assert shop.flags() == []


def test_no_key_and_no_secret_is_stored_anywhere(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    order = shop.sell(CARD)
    shop.settle()
    shop.sell({"type": "card", "payment_method_id": "pm_card_chargeDeclined"})
    shop.settle()
    confirm_payment(order)
    shop.settle()
    stored = everything_stored()
    for secret in (shop.simulator.api_key, shop.simulator.webhook_secret, "_secret_"):
        assert secret not in stored
        assert secret not in caplog.text


def everything_stored() -> str:
    """Every row of every table, as text."""
    from django.apps import apps

    rows: list[Any] = []
    for model in apps.get_app_config("omniman_payment").get_models():
        rows += list(model._default_manager.values())
    return repr(rows)
