"""Requests, answers and notifications that are lost, late or wrong: the money is counted once."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_django.runtime import get_registry
from omniman_payment_django.sessions import cancel_order, refund_payment

from .shop import Shop

FAULTS = [
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "reset", "when": "before"},
    {"kind": "reset", "when": "after"},
    {"kind": "error", "when": "before", "status": 503},
    {"kind": "error", "when": "after", "status": 500},
    {"kind": "html", "when": "before", "status": 502},
    {"kind": "html", "when": "after", "status": 200},
    {"kind": "rate_limit", "when": "before", "retry_after": 1},
    {"kind": "drop", "when": "after", "times": 2},
]
every_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda f: "-".join(map(str, f.values())))


@every_fault
def test_a_charge_is_opened_once(shop: Shop, fault: dict[str, Any]) -> None:
    shop.control.fault(**fault, method="PUT", path="/v2/cob/*")
    order, txid = shop.sold()
    assert shop.payment(order).next_action is not None, "there is nothing to show the shopper"
    assert {r["path"] for r in shop.asked("PUT", "/v2/cob/")} == {f"/v2/cob/{txid}"}
    shop.control.pay(txid)
    shop.settle()
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]
    shop.agrees(order)


@every_fault
def test_a_refund_is_made_once(shop: Shop, fault: dict[str, Any]) -> None:
    order, _ = shop.paid()
    shop.control.fault(**fault, method="PUT", path="/v2/pix/*")
    refund_payment(order, 300)
    shop.settle()
    assert shop.facts(order)[1:] == [("captured", 1000), ("refunded", 300)]
    assert shop.control.moved(order.ref) == 700
    shop.agrees(order)


@every_fault
def test_a_charge_is_withdrawn(shop: Shop, fault: dict[str, Any]) -> None:
    order, _ = shop.sold()
    shop.control.fault(**fault, method="PATCH", path="/v2/cob/*")
    cancel_order(order, "a test")
    shop.settle()
    assert shop.payment(order).status == "cancelled"
    assert shop.flags() == []
    shop.agrees(order)


@every_fault
def test_a_look_that_fails_is_made_again(shop: Shop, fault: dict[str, Any]) -> None:
    order, txid = shop.sold()
    shop.control.fault(**fault, method="GET", path="/v2/cob/*")
    shop.control.pay(txid)
    shop.settle()
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]


def test_a_lost_notification_costs_seconds(shop: Shop) -> None:
    shop.control.pause()
    order, txid = shop.sold()
    shop.control.pay(txid)
    assert shop.poll() == 1
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]
    shop.control.resume()
    shop.settle()
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]
    assert shop.deliveries() == 1, "what was found by asking was stored again when it was told"


def test_without_notifications_and_news_the_payments_own_look_finds_the_money(shop: Shop) -> None:
    shop.control.pause()
    order, txid = shop.sold()
    shop.control.pay(txid)
    shop.look()
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]


def test_an_expired_token_costs_one_more_request_and_nothing_else(shop: Shop) -> None:
    shop.sold()
    issued = shop.control.tokens_issued()
    shop.control.expire_tokens()
    order, _ = shop.sold()
    assert shop.payment(order).status == "pending"
    assert shop.control.tokens_issued() == issued + 1


def test_a_new_process_needs_no_memory_of_the_old_one(shop: Shop) -> None:
    order, _ = shop.paid()
    get_registry().close()
    refund_payment(order, 300)
    shop.settle()
    assert shop.facts(order)[2:] == [("refunded", 300)]
