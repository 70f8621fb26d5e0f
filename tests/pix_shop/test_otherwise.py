"""Money that comes otherwise than asked: recorded, flagged or returned, and never lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from omniman_payment_django.sessions import cancel_order, refund_payment

from .shop import Shop


def test_paid_with_less(shop: Shop) -> None:
    order, txid = shop.sold()
    shop.control.pay(txid, 400)
    shop.settle()
    assert shop.facts(order) == [("opened", 1000), ("captured", 400)]
    assert shop.payment(order).status == "partially_captured"
    assert shop.flags() == ["underpaid"]
    shop.agrees(order)


@pytest.mark.parametrize(("policy", "kept"), [("flag", 1500), ("refund", 1000)])
def test_paid_with_more(shop: Shop, policy: str, kept: int) -> None:
    order, txid = shop.sold(late_money=policy)
    shop.control.pay(txid, 1500)
    shop.settle()
    assert ("captured", 1500) in shop.facts(order)
    assert shop.control.moved(order.ref) == kept
    assert shop.flags() == (["late_money"] if policy == "flag" else [])
    shop.agrees(order)


@pytest.mark.parametrize(("policy", "kept"), [("flag", 2000), ("refund", 1000)])
def test_paid_twice(shop: Shop, policy: str, kept: int) -> None:
    order, txid = shop.paid(late_money=policy)
    shop.control.pay(txid, in_flight=True)
    shop.settle()
    assert shop.facts(order)[1:3] == [("captured", 1000), ("captured", 1000)]
    assert shop.control.moved(order.ref) == kept
    assert shop.flags() == (["late_money"] if policy == "flag" else [])
    shop.agrees(order)


def test_of_two_payments_each_goes_back_by_itself(shop: Shop) -> None:
    order, txid = shop.paid()
    shop.control.pay(txid, in_flight=True)
    shop.settle()
    whole = refund_payment(order)
    shop.settle()
    whole.refresh_from_db()
    assert whole.status == "failed"
    assert "one by one" in str(whole.result)
    for _ in range(2):
        refund_payment(order, 1000)
        shop.settle()
    assert shop.payment(order).status == "refunded"
    returned = {r["path"].split("/")[3] for r in shop.asked("PUT", "/v2/pix/")}
    assert len(returned) == 2
    shop.agrees(order)


def test_paid_after_its_time(shop: Shop) -> None:
    order, txid = shop.sold()
    shop.let_pass(timedelta(hours=2))
    shop.look()
    assert shop.payment(order).status == "expired"
    shop.control.pay(txid, in_flight=True)
    shop.settle()
    assert shop.facts(order) == [("opened", 1000), ("expired", 0), ("captured", 1000)]
    assert shop.payment(order).status == "captured"
    assert shop.flags() == ["late_money"]
    shop.agrees(order)


def test_paid_after_its_time_and_nobody_says_so(shop: Shop) -> None:
    shop.control.pause()
    order, txid = shop.sold()
    shop.let_pass(timedelta(hours=2))
    shop.look()
    shop.control.pay(txid, in_flight=True)
    assert shop.poll() == 1
    assert shop.payment(order).status == "captured"
    shop.agrees(order)


@pytest.mark.parametrize(("policy", "kept"), [("flag", 1000), ("refund", 0)])
def test_paid_after_its_order_was_cancelled(shop: Shop, policy: str, kept: int) -> None:
    order, txid = shop.sold(late_money=policy)
    cancel_order(order, "a test")
    shop.work()
    assert shop.payment(order).status == "cancelled"
    shop.control.pay(txid, in_flight=True)
    shop.settle()
    assert ("captured", 1000) in shop.facts(order)
    assert shop.control.moved(order.ref) == kept
    assert shop.flags() == (["late_money"] if policy == "flag" else [])
    shop.agrees(order)
