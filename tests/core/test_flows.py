"""Holding, capturing, refunding and cancelling, counted in money that really moved."""

from __future__ import annotations

import pytest

from omniman_payment_core.records import (
    DirectiveStatus,
    NewDirective,
    Topic,
)
from omniman_payment_core.values import PaymentStatus
from omniman_payment_mock import MockPaymentBackend

from .harness import Shop

S = PaymentStatus
DONE, FAILED, PARKED, WAITS = (
    DirectiveStatus.COMPLETED,
    DirectiveStatus.FAILED,
    DirectiveStatus.PARKED,
    DirectiveStatus.PENDING,
)


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.order()
    return shop


# -- hold, capture, charge -------------------------------------------------------------------


def test_a_hold_is_captured_and_refunded_in_full(shop: Shop) -> None:
    hold = shop.do(shop.hold())
    assert hold.status == DONE
    assert hold.result == {
        "transaction_id": shop.payment().transaction_id,
        "status": "authorized",
    }
    assert (shop.moved_q(), shop.gateway.held_q("O1")) == (0, 1000)

    assert shop.do(shop.confirm()).status == DONE
    assert (shop.moved_q(), shop.gateway.held_q("O1")) == (1000, 0)

    assert shop.do(shop.refund()).status == DONE
    assert shop.moved_q() == 0
    payment = shop.payment()
    assert payment.status is S.REFUNDED
    assert (payment.authorized_q, payment.captured_q, payment.refunded_q) == (1000, 1000, 1000)
    assert shop.summary()["status"] == "refunded"
    assert shop.summary()["amount_q"] == 1000
    assert shop.summary()["transaction_id"] == payment.transaction_id
    assert shop.triggers() == ["on_payment_hold", "on_payment_confirm", "on_payment_refund"]
    assert shop.methods() == ["authorize", "capture", "refund"]
    assert not shop.flags()


def test_a_charge_takes_the_money_at_once(shop: Shop) -> None:
    assert shop.do(shop.charge()).status == DONE
    assert shop.payment().status is S.CAPTURED
    assert shop.moved_q() == 1000
    assert shop.triggers() == ["on_payment_confirm"]


def test_a_confirm_after_a_charge_finds_it_done(shop: Shop) -> None:
    shop.charge()
    assert shop.do(shop.confirm()).status == DONE
    assert shop.methods() == ["charge"]


def test_a_hold_can_be_captured_in_parts(shop: Shop) -> None:
    shop.hold()
    for amount, status in ((300, S.PARTIALLY_CAPTURED), (200, S.PARTIALLY_CAPTURED)):
        assert shop.do(shop.confirm(amount)).status == DONE
        assert shop.payment().status is status
    assert shop.moved_q() == 500
    assert shop.do(shop.confirm()).result == {
        "transaction_id": shop.payment().transaction_id,
        "status": "captured",
        "captured_q": 500,
    }
    assert shop.moved_q() == 1000
    assert len(set(shop.keys("capture"))) == 3
    assert shop.triggers() == ["on_payment_hold", "on_payment_confirm"]


def test_no_more_is_captured_than_is_held(shop: Shop) -> None:
    shop.hold()
    shop.confirm(700)
    too_much = shop.do(shop.confirm(301))
    assert too_much.result == {
        "error_code": "capture_exceeds_hold",
        "error_message": "asked to capture 3.01 BRL, 3.00 BRL is held",
    }
    assert shop.moved_q() == 700


def test_a_capture_that_was_made_is_not_made_again(shop: Shop) -> None:
    shop.hold()
    shop.confirm()
    assert shop.do(shop.confirm()).status == DONE
    assert shop.methods().count("capture") == 1
    assert shop.do(shop.confirm(1)).result == {
        "error_code": "nothing_to_capture",
        "error_message": "nothing is left of the hold of order O1",
    }


def test_a_confirm_that_comes_before_its_hold_is_done_waits_for_it(shop: Shop) -> None:
    shop.fault("not_attempted", "authorize")
    hold = shop.hold()
    confirm = shop.confirm()
    shop.run()
    assert (shop.directive(hold).status, shop.directive(confirm).status) == (WAITS, WAITS)
    shop.settle_down()
    assert shop.directive(confirm).status == DONE
    assert shop.moved_q() == 1000


# -- refunds -----------------------------------------------------------------------------------


def test_refunds_come_in_parts_and_end_at_the_capture(shop: Shop) -> None:
    shop.charge()
    for amount in (300, 300):
        assert shop.do(shop.refund(amount)).status == DONE
        assert shop.payment().status is S.PARTIALLY_REFUNDED
    assert shop.do(shop.refund(401)).result == {
        "error_code": "refund_exceeds_capture",
        "error_message": "asked to refund 4.01 BRL; of 10.00 BRL captured, 4.00 BRL is left",
    }
    assert shop.do(shop.refund()).status == DONE
    assert shop.payment().status is S.REFUNDED
    assert shop.moved_q() == 0
    assert len(set(shop.keys("refund"))) == 3
    assert shop.triggers() == [
        "on_payment_confirm",
        "on_payment_partial_refund",
        "on_payment_refund",
    ]


def test_a_refund_of_what_is_left_of_nothing_is_done(shop: Shop) -> None:
    shop.charge()
    shop.refund()
    assert shop.do(shop.refund()).status == DONE
    assert shop.methods().count("refund") == 1


def test_one_refund_enqueued_twice_under_one_key_is_one_refund(shop: Shop) -> None:
    shop.charge()
    refund = NewDirective(Topic.REFUND, "O1", {"amount_q": 400}, "return-7")
    assert len(shop.engine.enqueue([refund])) == 1
    assert shop.engine.enqueue([refund]) == []
    shop.run()
    assert shop.engine.enqueue([refund]) == []
    shop.run()
    assert shop.moved_q() == 600


def test_a_pending_refund_is_done_when_the_gateway_says_so(shop: Shop) -> None:
    shop.charge(behaviour={"refund": "pending"})
    refund = shop.do(shop.refund(400))
    assert refund.status == DONE
    assert refund.result is not None
    assert refund.result["status"] == "pending"
    assert shop.payment().status is S.CAPTURED
    assert shop.payment().refund_pending_q == 400

    shop.gateway.settle_refund(refund.result["reference"])
    shop.sync()
    assert shop.payment().status is S.PARTIALLY_REFUNDED
    assert (shop.payment().refund_pending_q, shop.payment().refunded_q) == (0, 400)
    assert shop.moved_q() == 600


def test_a_pending_refund_reserves_its_amount(shop: Shop) -> None:
    shop.charge(behaviour={"refund": "pending"})
    shop.refund(400)
    too_much = shop.do(shop.refund(601))
    assert too_much.result is not None
    assert too_much.result["error_code"] == "refund_exceeds_capture"
    assert shop.methods().count("refund") == 1, "the gateway is not asked"
    assert shop.do(shop.refund(600)).status == DONE


def test_a_pending_refund_is_looked_at_without_being_asked(shop: Shop) -> None:
    shop.charge(behaviour={"refund": "pending"})
    refund = shop.do(shop.refund())
    assert refund.result is not None
    shop.gateway.settle_refund(refund.result["reference"])
    shop.advance(days=1)
    assert shop.payment().status is S.REFUNDED


def test_a_refund_that_fails_later_is_open_again_and_flagged(shop: Shop) -> None:
    shop.charge(behaviour={"refund": "fails_later"})
    shop.refund(400)
    shop.run()
    assert shop.payment().status is S.PARTIALLY_REFUNDED
    shop.sync()
    assert shop.payment().status is S.CAPTURED
    assert shop.payment().refunded_q == 0
    assert shop.moved_q() == 1000
    (flag,) = shop.flags("refund_failed")
    assert "the shopper does not have it" in flag.message
    assert shop.do(shop.refund(1000)).status == DONE


def test_a_refused_refund_reserves_nothing(shop: Shop) -> None:
    shop.charge(behaviour={"refund": "refund_refused"})
    refused = shop.do(shop.refund(400))
    assert refused.status == FAILED
    assert refused.result is not None
    assert refused.result["error_code"] == "refund_refused"
    assert [refund.status for refund in shop.store.refunds.values()] == ["failed"]
    assert shop.moved_q() == 1000


def test_a_refund_waits_for_the_capture_it_follows(shop: Shop) -> None:
    shop.hold(behaviour={"qr": True})
    shop.confirm()
    refund = shop.refund()
    assert shop.do(refund).status == WAITS
    shop.gateway.pay(str(shop.payment().transaction_id))
    shop.sync()
    assert shop.directive(refund).status == DONE
    assert shop.moved_q() == 0


# -- cancelling --------------------------------------------------------------------------------


def test_cancelling_voids_a_hold(shop: Shop) -> None:
    shop.hold()
    assert shop.do(shop.cancel()).status == DONE
    assert shop.payment().status is S.CANCELLED
    assert shop.gateway.held_q("O1") == 0
    assert shop.triggers() == ["on_payment_hold", "on_payment_cancel"]
    assert shop.do(shop.confirm()).status == FAILED
    assert shop.methods() == ["authorize", "cancel"]


def test_cancelling_releases_what_a_partial_capture_left(shop: Shop) -> None:
    shop.hold()
    shop.confirm(300)
    assert shop.do(shop.cancel()).status == DONE
    assert shop.gateway.held_q("O1") == 0
    assert shop.payment().released_q == 700
    assert shop.flag_kinds() == ["cancelled_but_paid"]


def test_a_hold_that_never_left_is_given_up_on_cancelling(shop: Shop) -> None:
    shop.fault("not_attempted", "authorize")
    hold = shop.hold()
    shop.run()
    assert shop.do(shop.cancel()).status == DONE
    shop.settle_down()
    assert shop.payment().status is S.CANCELLED
    assert shop.directive(hold).result == {
        "error_code": "order_cancelled",
        "error_message": "order O1 was cancelled before it was paid",
    }
    assert shop.gateway.transactions() == ()


def test_nothing_is_begun_for_a_cancelled_order(shop: Shop) -> None:
    shop.store.cancel_order("O1")
    hold = shop.do(shop.hold())
    assert (hold.status, hold.last_error) == (
        FAILED,
        "order O1 was cancelled before it was paid",
    )
    assert (shop.payments(), shop.store.calls) == ([], [])
    assert shop.do(shop.cancel()).result == {"status": "nothing_to_cancel"}


def test_cancelling_withdraws_a_charge_nobody_has_paid(shop: Shop) -> None:
    shop.charge(behaviour={"qr": True})
    assert shop.do(shop.cancel()).status == DONE
    assert shop.payment().status is S.CANCELLED
    (name,) = shop.gateway.transactions()
    with pytest.raises(ValueError, match="takes no payment"):
        shop.gateway.pay(name)


def test_money_of_a_cancelled_order_is_kept_and_flagged_by_default(shop: Shop) -> None:
    shop.charge()
    shop.run()
    shop.store.cancel_order("O1")
    assert shop.do(shop.cancel()).status == DONE
    (flag,) = shop.flags()
    assert (flag.kind, flag.payment_id) == ("cancelled_but_paid", shop.payment().id)
    assert flag.message == (
        "order O1 was cancelled and keeps 10.00 BRL; refund it or settle this flag"
    )
    assert shop.moved_q() == 1000


def test_money_of_a_cancelled_order_is_returned_where_the_channel_says_so() -> None:
    shop = Shop(config={"late_money": "refund"})
    shop.order()
    shop.charge()
    shop.cancel()
    shop.cancel()
    shop.run()
    assert shop.moved_q() == 0
    assert shop.payment().status is S.REFUNDED
    assert shop.methods() == ["charge", "refund"]
    assert not shop.flags()


def test_a_gateway_that_cannot_void_is_said_so(shop: Shop) -> None:
    class CannotVoid(MockPaymentBackend):
        cancel = None  # type: ignore[assignment]

    shop = Shop(backend=CannotVoid)
    shop.order()
    shop.hold()
    assert shop.do(shop.cancel()).status == DONE
    (flag,) = shop.flags()
    assert flag.message == 'the backend "mock" of account "mock" has no cancel()'
    assert shop.payment().status is S.AUTHORIZED
