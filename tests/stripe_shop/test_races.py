"""What happens at the same time: one transition, one event, the right amounts, in any order."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe
from django.db import connections

from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.notices import PaymentChange
from omniman_payment_django.models import Directive, WebhookDelivery
from omniman_payment_django.runtime import get_registry
from omniman_payment_django.sessions import confirm_payment, refund_payment

from .shop import CARD, Shop


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run every call in a thread of its own, all from the same moment."""
    together = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        together.wait(10)
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(30) for future in [pool.submit(run, call) for call in calls]]


def deliver(url: str, notification: dict[str, Any]) -> int:
    """Send a signed notification as Stripe would; the HTTP status."""
    request = urllib.request.Request(
        url,
        notification["body"].encode(),
        {**notification["headers"], "Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def endpoint(shop: Shop) -> str:
    return str(shop.control.webhook_endpoints()[0]["url"])


@pytest.mark.parametrize("flow", ["authorize_capture", "charge"])
def test_a_webhook_that_comes_before_the_call_returns_changes_nothing(
    shop: Shop, flow: str
) -> None:
    shop.control.fault(
        kind="delay", when="after", seconds=0.7, method="POST", path="/v1/payment_intents/*/confirm"
    )
    order = shop.sell(CARD, flow=flow)

    def knock() -> None:
        shop.until(lambda: bool(shop.control.ledger()["movements"]), "no money moved")
        shop.control.flush()
        assert WebhookDelivery.objects.exists(), "no notification came while the call was under way"

    at_once(shop.work, knock, lambda: shop.worker("two").run_until_idle())
    shop.settle()
    kind = "captured" if flow == "charge" else "authorized"
    assert shop.facts(order) == [("opened", 1000), (kind, 1000)]
    shop.agrees(order)
    assert shop.flags() == []


def test_the_same_notification_many_times_at_once_is_one(shop: Shop) -> None:
    shop.control.pause()
    order = shop.sell()
    shop.work()
    transaction_id = shop.payment(order).transaction_id
    shop.control.pay(transaction_id, "pm_card_visa")
    notification = shop.control.webhook(transaction_id)
    url = endpoint(shop)
    answers = at_once(*[lambda: deliver(url, notification)] * 8)
    assert answers == [200] * 8
    assert shop.deliveries() == 1
    assert Directive.objects.filter(order_ref=order.ref, topic="payment.sync").count() == 1
    shop.work()
    assert shop.facts(order) == [
        ("opened", 1000),
        ("action_required", 0),
        ("authorized", 1000),
    ]
    shop.agrees(order)


def test_news_of_a_payment_that_come_after_its_refund_take_nothing_back(shop: Shop) -> None:
    shop.control.pause()
    order = shop.sell(CARD)
    shop.work()
    held = shop.control.webhook(shop.payment(order).transaction_id)
    confirm_payment(order)
    shop.work()
    paid = shop.control.webhook(shop.payment(order).transaction_id)
    refund_payment(order)
    shop.work()
    before = shop.facts(order)
    for late in (paid, held, paid):
        assert deliver(endpoint(shop), late) == 200
        shop.work()
    assert shop.facts(order) == before
    assert shop.payment(order).status == "refunded"
    shop.agrees(order)
    assert shop.flags() == []


def test_notifications_while_two_workers_capture(shop: Shop) -> None:
    order = shop.sell(CARD)
    shop.settle()
    shop.control.fault(
        kind="delay", when="after", seconds=0.5, method="POST", path="/v1/payment_intents/*/capture"
    )
    confirm_payment(order, dedupe_key="capture-once")
    transaction_id = shop.payment(order).transaction_id

    def knock() -> None:
        for _ in range(5):
            assert deliver(endpoint(shop), shop.control.webhook(transaction_id)) == 200

    at_once(
        lambda: shop.worker("one").run_until_idle(),
        lambda: shop.worker("two").run_until_idle(),
        knock,
        knock,
    )
    shop.settle()
    assert shop.facts(order) == [("opened", 1000), ("authorized", 1000), ("captured", 1000)]
    shop.agrees(order)
    captures = [r for r in shop.control.requests() if r["path"].endswith("/capture")]
    assert len(captures) == 1


def test_paid_is_told_once_and_moves_the_order_once(shop: Shop) -> None:
    told: list[tuple[str | None, str]] = []

    class Observer:
        @hookimpl
        def payment_changed(self, change: PaymentChange) -> None:
            told.append((change.previous, change.status))

    get_registry().hooks.register(Observer())
    order = shop.sell(
        CARD,
        flow="charge",
        order_flow={
            "transitions": {"new": ["paid"], "paid": ["paid_again"]},
            "auto_transitions": {"on_payment_confirm": "paid"},
        },
    )
    shop.control.fault(
        kind="delay", when="after", seconds=0.4, method="POST", path="/v1/payment_intents/*/confirm"
    )

    def knock() -> None:
        shop.until(lambda: bool(shop.control.ledger()["movements"]), "no money moved")
        transaction_id = shop.control.ledger()["movements"][0]["transaction"]
        notification = shop.control.webhook(transaction_id)
        assert deliver(endpoint(shop), notification) == 200
        assert deliver(endpoint(shop), notification) == 200

    at_once(
        lambda: shop.worker("one").run_until_idle(),
        lambda: shop.worker("two").run_until_idle(),
        knock,
        knock,
    )
    shop.settle()
    assert told == [(None, "pending"), ("pending", "captured")]
    order.refresh_from_db()
    assert order.status == "paid"
    assert shop.flags() == []
    shop.agrees(order)


def test_two_refunds_that_together_exceed_the_capture(shop: Shop) -> None:
    order = shop.sell(CARD, flow="charge")
    shop.settle()
    refund_payment(order, 700, dedupe_key="a")
    refund_payment(order, 700, dedupe_key="b")
    at_once(
        lambda: shop.worker("one").run_until_idle(), lambda: shop.worker("two").run_until_idle()
    )
    shop.settle()
    assert shop.payment(order).refunded_q == 700
    outcomes = Directive.objects.filter(order_ref=order.ref, topic="payment.refund")
    assert sorted(d.status for d in outcomes) == ["completed", "failed"]
    shop.agrees(order)


def test_notifications_in_any_order_lead_to_the_same_ledger(shop: Shop) -> None:
    shop.control.pause()
    order = shop.sell(CARD)
    shop.work()
    confirm_payment(order)
    shop.work()
    refund_payment(order, 400)
    shop.work()
    before = shop.facts(order)
    events = shop.control.events()
    assert len(events) > 5
    for event in reversed(events):
        signed = shop.control.sign(event["id"])
        assert deliver(endpoint(shop), signed) == 200
        shop.work()
    assert shop.facts(order) == before
    shop.agrees(order)


def test_an_event_that_is_not_about_a_payment_is_stored_and_wakes_nobody(shop: Shop) -> None:
    order = shop.sell(CARD)
    shop.settle()
    before = Directive.objects.count()
    body = json.dumps(
        {"id": "evt_other", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}
    )
    header = stripe.WebhookSignature.generate_signature_header(body, shop.simulator.webhook_secret)
    signed = {"headers": {"Stripe-Signature": header}, "body": body}
    assert deliver(endpoint(shop), signed) == 200
    assert WebhookDelivery.objects.get(event_id="evt_other").status == "ignored"
    assert Directive.objects.count() == before
    shop.agrees(order)


def test_a_forged_notification_wakes_nobody(shop: Shop) -> None:
    order = shop.sell(CARD)
    shop.settle()
    signed = shop.control.webhook(shop.payment(order).transaction_id)
    stored = shop.deliveries()
    event = json.loads(signed["body"])
    event["data"]["object"]["amount_received"] = 10**6
    forged = {**signed, "body": json.dumps(event)}
    assert deliver(endpoint(shop), forged) == 400
    assert shop.deliveries() == stored
