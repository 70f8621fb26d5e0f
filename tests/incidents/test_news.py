"""News that come at once, too early or in the wrong order, of payments, refunds and disputes."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.notices import PaymentChange
from omniman_payment_django.models import Directive, Order, OrderEvent
from omniman_payment_django.runtime import get_registry
from omniman_payment_django.sessions import cancel_order, confirm_payment
from tests.stripe_shop.shop import CARD, Shop
from tests.stripe_shop.test_races import at_once, deliver, endpoint

FLOW = {
    "transitions": {"new": ["paid", "cancelled"], "paid": ["paid_again", "cancelled"]},
    "auto_transitions": {"on_payment_confirm": "paid"},
}


class Listener:
    """Hears of every change of a payment, as something that sends mails would."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        get_registry().hooks.register(self)

    @hookimpl
    def payment_changed(self, change: PaymentChange) -> None:
        self.heard.append(change.status)


def moves(order: Order) -> list[str]:
    """Where the order went, oldest first."""
    events = OrderEvent.objects.filter(
        order_ref=order.ref, kind=OrderEvent.STATUS_CHANGED
    ).order_by("pk")
    return [str(event.data["to"]) for event in events]


def signed(shop: Shop, kind: str) -> dict[str, Any]:
    """The newest event of this kind, as Stripe would send it."""
    (event, *_) = [e for e in reversed(shop.control.events()) if e["type"] == kind]
    notification: dict[str, Any] = shop.control.sign(event["id"])
    return notification


def at_stripe(shop: Shop) -> stripe.StripeClient:
    """What somebody in Stripe's dashboard can do without the shop."""
    return stripe.StripeClient(
        shop.simulator.api_key, base_addresses={"api": shop.simulator.url}, max_network_retries=0
    )


def test_one_event_that_comes_three_times_at_once_pays_an_order_once(shop: Shop) -> None:
    """Pinelab-studio/pinelab-vendure-plugins #620: the order was settled three times."""
    shop.control.pause()
    listener = Listener()
    order = shop.sell(flow="charge", order_flow=FLOW)
    shop.work()
    transaction_id = shop.payment(order).transaction_id
    shop.control.pay(transaction_id)
    event = signed(shop, "payment_intent.succeeded")
    url = endpoint(shop)

    def answered() -> int:
        return deliver(url, event)

    *answers, _, _ = at_once(
        answered,
        answered,
        answered,
        lambda: shop.worker("one").run_until_idle(),
        lambda: shop.worker("two").run_until_idle(),
    )
    shop.work()
    assert answers == [200] * 3
    assert [fact for fact in shop.facts(order) if fact[1] and fact[0] != "opened"] == [
        ("captured", 1000)
    ]
    assert listener.heard.count("captured") == 1
    assert moves(order) == ["paid"]
    assert shop.flags() == []
    shop.agrees(order)


def test_a_payment_confirmed_twice_is_told_of_once(shop: Shop) -> None:
    """pretix/pretix #1166: browser and notification both confirmed, and two mails went out."""
    listener = Listener()
    order = shop.sell(CARD, order_flow=FLOW)
    shop.settle()
    at_once(lambda: confirm_payment(order), lambda: confirm_payment(order))
    at_once(
        lambda: shop.worker("one").run_until_idle(),
        lambda: shop.worker("two").run_until_idle(),
        shop.control.flush,
    )
    shop.settle()
    asked = Directive.objects.filter(order_ref=order.ref, topic="payment.confirm")
    assert [directive.status for directive in asked] == ["completed"] * 2
    assert listener.heard.count("captured") == 1
    assert moves(order) == ["paid"]
    captures = [r for r in shop.control.requests() if r["path"].endswith("/capture")]
    assert len(captures) == 1
    assert shop.facts(order)[1:] == [("authorized", 1000), ("captured", 1000)]
    shop.agrees(order)


def test_a_refund_told_of_before_its_payment_is_known_is_not_lost(shop: Shop) -> None:
    """razorpay/razorpay-woocommerce #664: it was dropped, and the order ended as paid."""
    shop.control.pause()
    order = shop.sell(flow="charge")
    shop.work()
    transaction_id = shop.payment(order).transaction_id
    shop.control.pay(transaction_id)
    shop.control.refund_outside(transaction_id, 1000)
    assert shop.payment(order).status == "requires_action", "the shop knows of nothing yet"
    assert deliver(endpoint(shop), signed(shop, "charge.refunded")) == 200
    shop.work()
    assert shop.payment(order).status == "refunded"
    before = shop.facts(order)
    assert before[-2:] == [("captured", 1000), ("refunded", 1000)]
    assert deliver(endpoint(shop), signed(shop, "payment_intent.succeeded")) == 200
    shop.work()
    assert shop.facts(order) == before
    assert shop.payment(order).status == "refunded"
    shop.agrees(order)


def test_a_capture_told_of_before_its_approval_is_both(shop: Shop) -> None:
    """checkout/checkout-sdk-php #369: captured came before approved, and the last word won."""
    shop.control.pause()
    order = shop.sell()
    shop.work()
    transaction_id = shop.payment(order).transaction_id
    shop.control.pay(transaction_id)
    at_stripe(shop).v1.payment_intents.capture(str(transaction_id))
    assert deliver(endpoint(shop), signed(shop, "payment_intent.succeeded")) == 200
    shop.work()
    assert shop.payment(order).status == "captured"
    before = shop.facts(order)
    approval = signed(shop, "payment_intent.amount_capturable_updated")
    assert deliver(endpoint(shop), approval) == 200
    shop.work()
    assert shop.payment(order).status == "captured"
    assert shop.facts(order) == before
    assert before[-1] == ("captured", 1000)
    shop.agrees(order)


def test_a_payment_that_failed_and_succeeds_later_pays_its_order(shop: Shop) -> None:
    """Sylius/Sylius #9568: what had failed once could not be paid any more."""
    order = shop.sell(
        {"type": "card", "payment_method_id": "pm_card_threeDSecure2Required"},
        flow="charge",
        order_flow=FLOW,
    )
    shop.settle()
    transaction_id = shop.payment(order).transaction_id
    shop.control.authenticate(transaction_id, False)
    shop.settle()
    assert shop.payment(order).status == "failed"
    shop.control.pay(transaction_id)
    shop.settle()
    assert shop.payment(order).status == "captured"
    assert moves(order) == ["paid"]
    shop.agrees(order)


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_a_dispute_of_a_cancelled_order_pays_and_reopens_nothing(shop: Shop, verdict: str) -> None:
    """mollie/WooCommerce #1049, woocommerce/woocommerce-gateway-stripe #1098: it became paid."""
    order = shop.sell(CARD, flow="charge", order_flow=FLOW)
    shop.settle()
    order.refresh_from_db()
    cancel_order(order, actor="tester")
    shop.settle()
    dispute = shop.control.dispute(shop.payment(order).transaction_id)
    shop.settle()
    assert shop.payment(order).disputed_q == 1000
    assert "disputed" in shop.flags()
    shop.control.close_dispute(dispute["id"], verdict)
    shop.settle()
    assert moves(order) == ["paid", "cancelled"]
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert shop.payment(order).disputed_q == (0 if verdict == "won" else 1000)
    shop.agrees(order)
