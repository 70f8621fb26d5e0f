"""Answers that are lost, late or wrong: each ends with the money moved once."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_django.sessions import confirm_payment, refund_payment

from .shop import CARD, Shop

FAULTS = [
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "reset", "when": "before"},
    {"kind": "reset", "when": "after"},
    {"kind": "error", "when": "before", "status": 500},
    {"kind": "rate_limit", "when": "before", "retry_after": 1},
    {"kind": "drop", "when": "after", "times": 2},
]
every_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda f: "-".join(map(str, f.values())))


@every_fault
@pytest.mark.parametrize("path", ["/v1/payment_intents", "/v1/payment_intents/*/confirm"])
def test_a_hold_is_made_once(shop: Shop, path: str, fault: dict[str, Any]) -> None:
    shop.control.fault(**fault, method="POST", path=path)
    order = shop.sell(CARD)
    shop.settle()
    assert shop.facts(order) == [("opened", 1000), ("authorized", 1000)]
    shop.agrees(order)


@every_fault
def test_a_capture_is_made_once(shop: Shop, fault: dict[str, Any]) -> None:
    order = shop.sell(CARD)
    shop.settle()
    shop.control.fault(**fault, method="POST", path="/v1/payment_intents/*/capture")
    confirm_payment(order)
    shop.settle()
    assert shop.facts(order)[1:] == [("authorized", 1000), ("captured", 1000)]
    shop.agrees(order)


@every_fault
def test_a_refund_is_made_once(shop: Shop, fault: dict[str, Any]) -> None:
    order = shop.sell(CARD, flow="charge")
    shop.settle()
    shop.control.fault(**fault, method="POST", path="/v1/refunds")
    refund_payment(order, 300)
    shop.settle()
    assert shop.facts(order)[1:] == [("captured", 1000), ("refunded", 300)]
    shop.agrees(order)


def test_a_500_that_came_after_the_effect_is_found_out_by_looking(shop: Shop) -> None:
    shop.control.fault(
        kind="error", when="after", status=500, method="POST", path="/v1/payment_intents/*/confirm"
    )
    order = shop.sell(CARD, flow="charge")
    shop.settle()
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]
    shop.agrees(order)
    confirmed = [r for r in shop.control.requests() if r["path"].endswith("/confirm")]
    assert len(confirmed) == 1, "what a look had answered was asked again"
