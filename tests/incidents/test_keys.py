"""One key for one operation: kept when the answer is lost, never lent to another one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from omniman_payment_django.models import Refund
from omniman_payment_django.sessions import (
    RequestRefusedError,
    confirm_payment,
    refund_payment,
    retry_payment,
)
from tests.pix_shop.shop import Shop as PixShop
from tests.stripe_shop.shop import CARD, Shop

DECLINED = {"type": "card", "payment_method_id": "pm_card_chargeDeclined"}
LOST = [
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "error", "when": "before", "status": 500},
]


def asked(shop: Shop, path: str) -> list[dict[str, Any]]:
    """What changed something at the gateway, or tried to."""
    requests = shop.control.requests()
    return [r for r in requests if r["method"] == "POST" and r["path"].startswith(path)]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: f"{fault['kind']}-{fault['when']}")
def test_a_refund_asked_for_again_after_a_lost_answer_has_the_key_it_had(
    shop: Shop, fault: dict[str, Any]
) -> None:
    """medusajs/medusa #16681: the try after a timeout had another key, and money went twice."""
    order = shop.sell(CARD, flow="charge")
    shop.settle()
    shop.control.fault(**fault, method="POST", path="/v1/refunds")
    refund_payment(order, 400)
    shop.settle()
    tries = asked(shop, "/v1/refunds")
    assert len({json.dumps([r["idempotency_key"], r["params"]]) for r in tries}) == 1
    assert tries[0]["idempotency_key"]
    if fault["when"] == "before":
        assert len(tries) == 2, "the fault did not make anybody ask again"
    (refund,) = Refund.objects.filter(payment_id=shop.payment(order).id)
    assert (refund.amount_q, refund.status) == (400, "succeeded")
    assert shop.control.moved(order.ref) == 600
    shop.agrees(order)


def test_a_key_is_never_used_for_other_parameters(shop: Shop) -> None:
    """vendurehq/vendure #3903: the key was made of order and amount, and stood in the way."""
    for path in ("/v1/payment_intents", "/v1/refunds"):
        shop.control.fault(kind="drop", when="before", method="POST", path=path)
    order = shop.sell(DECLINED)
    shop.settle()
    retry_payment(order, payment_method=CARD)
    shop.settle()
    confirm_payment(order)
    shop.settle()
    for amount_q in (300, 300, 400):
        refund_payment(order, amount_q)
    shop.settle()
    requests = asked(shop, "/v1/")
    stands_for: dict[str, set[str]] = {}
    for request in requests:
        meaning = json.dumps([request["path"], request["params"]], sort_keys=True)
        stands_for.setdefault(request["idempotency_key"], set()).add(meaning)
    assert len(requests) > len(stands_for), "nothing was asked for twice"
    assert {key: len(meanings) for key, meanings in stands_for.items() if len(meanings) > 1} == {}
    assert "idempotency_error" not in json.dumps([r["response"] for r in requests])
    assert shop.payment(order).status == "refunded"
    shop.agrees(order)


@pytest.mark.parametrize("amount_q", [700, None])
def test_a_shops_own_key_asked_for_with_another_amount_is_refused(
    shop: Shop, amount_q: int | None
) -> None:
    """vendurehq/vendure #3903: whoever uses a key again for something else has to be told."""
    order = shop.sell(CARD, flow="charge")
    shop.settle()
    first = refund_payment(order, 300, dedupe_key="return-1")
    with pytest.raises(RequestRefusedError, match="return-1"):
        refund_payment(order, amount_q, dedupe_key="return-1")
    assert refund_payment(order, 300, dedupe_key="return-1") == first
    shop.settle()
    assert shop.control.moved(order.ref) == 700
    shop.agrees(order)


def test_equal_refunds_are_as_many_refunds_at_stripe(shop: Shop) -> None:
    """mollie/magento2 #626, mollie/mollie-api-node #256: the second was taken for the first."""
    order = shop.sell(CARD, flow="charge")
    shop.settle()
    for _ in range(3):
        refund_payment(order, 250, reason="one of four cups was broken")
    shop.settle()
    assert shop.facts(order)[2:] == [("refunded", 250)] * 3
    assert len({r["idempotency_key"] for r in asked(shop, "/v1/refunds")}) == 3
    assert shop.control.moved(order.ref) == 250
    shop.agrees(order)


def test_equal_refunds_are_as_many_refunds_at_efi_also_when_an_answer_is_lost(
    pix: PixShop,
) -> None:
    """mollie/magento2 #626, mollie/mollie-api-node #256: nor is the first taken for the second."""
    order, _ = pix.paid()
    pix.control.fault(kind="drop", when="after", method="PUT", path="/v2/pix/*")
    for _ in range(3):
        refund_payment(order, 250)
    pix.settle()
    assert pix.facts(order)[2:] == [("refunded", 250)] * 3
    assert len({r["path"] for r in pix.asked("PUT", "/v2/pix/")}) == 3
    assert pix.control.moved(order.ref) == 250
    pix.agrees(order)
