"""Each state of a payment is told in plain words, and only what can be paid asks for money."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from omniman_payment_core.values import PaymentStatus
from omniman_payment_django import sessions
from omniman_payment_django.models import Directive

from .options import pay_page_with
from .shop import SECRET, Shop, stripe_action


def offers_to_pay(page: Any) -> bool:
    text = page.content.decode()
    return "<form" in text or SECRET in text or "pay/stripe.js" in text


@pytest.mark.parametrize(
    ("status", "word", "done", "title"),
    [
        ("authorized", "authorized", True, "Your payment is approved"),
        ("partially_captured", "paid", True, "Your payment has arrived"),
        ("captured", "paid", True, "Your payment has arrived"),
        ("disputed", "paid", True, "Your payment has arrived"),
        ("partially_refunded", "partly_refunded", True, "Your payment was returned in part"),
        ("refunded", "refunded", True, "Your payment was returned"),
        ("cancelled", "cancelled", True, "This payment was cancelled"),
        ("expired", "expired", True, "The time to pay is over"),
        ("failed", "failed", True, "The payment did not go through"),
    ],
)
def test_a_payment_that_has_ended_never_offers_to_pay(
    shop: Shop, status: str, word: str, done: bool, title: str
) -> None:
    # What the shopper had to do may still stand in the row.
    payment = shop.waiting(status=status)
    page = shop.page(payment)
    assert title in page.content.decode()
    assert not offers_to_pay(page)
    told = shop.status(payment)
    assert (told["status"], told["done"], told["title"]) == (word, done, title)
    assert shop.syncs(payment) == []


def test_every_status_of_a_payment_has_its_words(shop: Shop) -> None:
    for status in PaymentStatus:
        payment = shop.waiting(status=status.value)
        assert shop.status(payment)["title"]


def test_a_payment_that_waits_shows_the_order_the_amount_and_what_to_do(shop: Shop) -> None:
    payment = shop.waiting(amount_q=123456, expires_at=timezone.now() + timedelta(hours=1))
    page = shop.page(payment)
    text = page.content.decode()
    assert payment.order_ref in text
    assert "R$\xa01,234.56" in text
    assert "Pay by" in text
    assert offers_to_pay(page)
    assert shop.status(payment)["status"] == "waiting"


def test_a_payment_with_nothing_to_do_is_being_processed(shop: Shop) -> None:
    payment = shop.waiting(status="pending", next_action=None)
    assert not offers_to_pay(shop.page(payment))
    assert shop.status(payment)["status"] == "processing"


@pytest.mark.parametrize(
    "changes", [{"cancel_requested": True}, {"expires_at": timezone.now() - timedelta(seconds=1)}]
)
def test_nobody_is_asked_to_pay_what_is_over(shop: Shop, changes: dict[str, Any]) -> None:
    payment = shop.waiting(**changes)
    assert not offers_to_pay(shop.page(payment))
    told = shop.status(payment)
    assert (told["status"], told["done"]) == ("closing", False)


def test_nobody_is_asked_to_pay_an_order_that_is_being_cancelled(shop: Shop) -> None:
    payment = shop.waiting()
    assert offers_to_pay(shop.page(payment))
    Directive.objects.create(topic="payment.cancel", order_ref=payment.order_ref)
    assert not offers_to_pay(shop.page(payment))
    assert shop.status(payment)["status"] == "closing"


def test_an_order_paid_by_an_earlier_attempt_is_never_paid_again(shop: Shop) -> None:
    first = shop.waiting(status="captured", captured_q=1000)
    order = first.order_ref
    second = shop.row(_order(order), attempt=2, next_action=stripe_action())
    assert not offers_to_pay(shop.page(second))
    assert shop.status(second)["status"] == "paid"


def test_a_second_attempt_takes_the_place_of_one_that_failed(shop: Shop) -> None:
    first = shop.waiting(status="failed")
    second = shop.row(
        _order(first.order_ref), attempt=2, status="requires_action", next_action=stripe_action()
    )
    assert offers_to_pay(shop.page(second))


def test_a_retry_that_has_not_begun_yet_is_being_prepared(shop: Shop) -> None:
    first = shop.waiting(status="failed")
    assert shop.status(first)["status"] == "failed"
    sessions.retry_payment(_order(first.order_ref), {})
    assert shop.status(first)["status"] == "preparing"


def test_before_the_worker_has_begun_the_page_says_so(shop: Shop) -> None:
    order = shop.order(total_q=4990)
    shop.opening(order)
    text = _page_of(shop, order)
    assert "We are preparing your payment" in text
    assert "R$\xa049.90" in text


def test_a_payment_that_could_not_even_begin_has_failed(shop: Shop) -> None:
    order = shop.order()
    shop.opening(order, status="failed")
    assert "The payment did not go through" in _page_of(shop, order)


def test_the_way_back_to_the_shop_is_there_if_the_shop_names_it(shop: Shop) -> None:
    payment = shop.waiting(status="failed")
    assert b"Back to the shop" not in shop.page(payment).content
    with pay_page_with(shop_url="https://shop.example/cart?a=1&b=2"):
        text = shop.page(payment).content.decode()
    assert 'href="https://shop.example/cart?a=1&amp;b=2"' in text


def test_an_order_reference_cannot_bring_markup_along(shop: Shop) -> None:
    order = shop.order()
    order.ref = "<script>alert(1)</script>"
    order.save()
    shop.opening(order)
    text = _page_of(shop, order)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def _order(ref: str) -> Any:
    from omniman_payment_django.models import Order

    return Order.objects.get(ref=ref)


def _page_of(shop: Shop, order: Any) -> str:
    from omniman_payment_django.pay import pay_url

    return str(shop.client.get(pay_url(order)).content.decode())
