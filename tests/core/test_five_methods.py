"""A backend written to the specification page alone works unchanged, through the real registry."""

from __future__ import annotations

import random
from typing import Any

import pytest

from omniman_payment_core.plugins.registry import PaymentRegistry
from omniman_payment_core.records import DirectiveStatus, Topic
from omniman_payment_core.values import PaymentStatus as S

from .harness import Shop

SETTINGS = {
    "PAYMENT_BACKENDS": {
        "till": {"class": "tests.core.till.TillBackend", "config": {"drawer": "left"}}
    },
    "DEFAULT_PAYMENT_BACKEND": "till",
}
DONE, FAILED, PARKED = DirectiveStatus.COMPLETED, DirectiveStatus.FAILED, DirectiveStatus.PARKED


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    registry = PaymentRegistry(SETTINGS, hooks=shop.hooks)
    shop.accounts = registry  # type: ignore[assignment]
    shop.engine = shop.new_engine("worker")
    shop.order()
    return shop


def till(shop: Shop) -> Any:
    return shop.accounts.account("till").backend


def test_it_is_made_from_the_settings_as_the_page_writes_them(shop: Shop) -> None:
    backend = till(shop)
    assert type(backend).__module__ == "tests.core.till"
    assert backend.drawer == "left"
    assert backend is shop.accounts.account_for(shop.view().channel).backend


def test_a_hold_is_captured_and_refunded(shop: Shop) -> None:
    hold = shop.do(shop.hold(currency="brl", payment_method={"type": "card"}))
    assert hold.status == DONE
    assert hold.result == {"transaction_id": "till-1", "status": "authorized"}
    assert shop.do(shop.confirm()).status == DONE
    assert shop.do(shop.refund()).status == DONE
    payment = shop.payment()
    assert payment.status is S.REFUNDED
    assert (payment.authorized_q, payment.captured_q, payment.refunded_q) == (1000, 1000, 1000)
    assert [r.reference for r in shop.store.refunds.values()] == ["refund-of-till-1"]
    assert shop.triggers() == ["on_payment_hold", "on_payment_confirm", "on_payment_refund"]
    assert not shop.flags()


def test_a_charge_is_refunded_in_parts(shop: Shop) -> None:
    assert shop.do(shop.charge()).status == DONE
    assert shop.payment().status is S.CAPTURED
    for amount in (300, 700):
        assert shop.do(shop.refund(amount)).status == DONE
    assert shop.payment().status is S.REFUNDED
    assert till(shop).intents["till-1"].refunded_q == 1000


def test_a_pending_charge_is_found_paid_by_get_status(shop: Shop) -> None:
    shop.charge(payment_method={"type": "qr"})
    confirm = shop.confirm()
    shop.run()
    assert shop.payment().status is S.PENDING
    till(shop).intents["till-1"].status = "captured"
    shop.sync()
    assert shop.payment().status is S.CAPTURED
    assert shop.payment().captured_q == 1000
    assert shop.directive(confirm).status == DONE


def test_a_decline_is_a_decline(shop: Shop) -> None:
    hold = shop.do(shop.hold(payment_method={"type": "stolen"}))
    assert hold.status == FAILED
    assert hold.result == {
        "error_code": "card_declined",
        "error_message": "Your card was declined.",
    }
    assert shop.payment().status is S.FAILED


def test_a_no_without_a_reason_is_believed_only_after_a_look(shop: Shop) -> None:
    shop.hold()
    shop.run()
    till(shop).intents["till-1"].status = "captured"
    assert shop.do(shop.confirm()).status == DONE
    assert shop.methods() == ["authorize", "capture", "get_status"]
    assert shop.payment().status is S.CAPTURED


@pytest.mark.parametrize("method", ["capture", "refund"])
def test_a_lost_answer_is_looked_up(shop: Shop, method: str) -> None:
    shop.hold()
    shop.run()
    for enqueue, name in ((shop.confirm, "capture"), (shop.refund, "refund")):
        till(shop).lose = name if name == method else ""
        number = enqueue()
        shop.settle_down()
        assert shop.directive(number).status == DONE
    assert shop.methods().count(method) == 1
    assert till(shop).intents["till-1"].refunded_q == 1000
    assert shop.payment().status is S.REFUNDED


def test_a_lost_opening_is_parked_and_never_sent_twice(shop: Shop) -> None:
    till(shop).lose = "authorize"
    hold = shop.hold()
    shop.settle_down()
    assert shop.directive(hold).status == PARKED
    assert len(till(shop).intents) == 1
    assert {"plugin_fault", "outcome_unknown"} == set(shop.flag_kinds())


def test_what_it_answered_cannot_be_changed_behind_our_back(shop: Shop) -> None:
    shop.hold()
    shop.run()
    shop.sync()
    assert shop.payment().status is S.AUTHORIZED
    assert {answer.status for answer in till(shop).answers} == {"captured", "authorized"}
    assert shop.payment().captured_q == 0


def test_an_object_of_its_sdk_goes_no_further_than_the_border(shop: Shop) -> None:
    shop.hold()
    shop.confirm()
    shop.refund()
    shop.run()
    stored = repr(vars(shop.store))
    assert "tests.core.till.TillBackend" in stored, "the plugin's name is kept"
    assert "Intent" not in stored


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_requests_moves_no_more_than_was_asked(shop: Shop, seed: int) -> None:
    rng = random.Random(seed)
    topics = [Topic.HOLD, Topic.CONFIRM, Topic.REFUND, Topic.CANCEL, Topic.SYNC]
    for _ in range(12):
        shop.enqueue(rng.choice(topics))
        till(shop).lose = rng.choice(["", "", "capture", "refund", "get_status"])
        shop.run()
    till(shop).lose = ""
    shop.settle_down()
    intents = list(till(shop).intents.values())
    assert len(intents) <= 1
    for intent in intents:
        assert intent.refunded_q in (0, 1000)
        assert shop.payment().refunded_q == intent.refunded_q
