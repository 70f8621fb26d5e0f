"""Each promise of the payment flows, by name, counted in money that really moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.errors import ConfigurationError, OutcomeUnknownError
from omniman_payment_core.records import (
    ChannelView,
    DirectiveStatus,
    NewDirective,
    OperationState,
    Topic,
    evolve,
)
from omniman_payment_core.values import PaymentResult, PaymentStatus
from omniman_payment_mock import MockPaymentBackend
from tests.simulation.gateways import Prepares

from .harness import Shop, registration

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


class Unaddressed(MockPaymentBackend):
    """Understands keys, names its transactions itself and cannot be searched."""

    choose_transaction_id = None  # type: ignore[assignment]
    find = None  # type: ignore[assignment]


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


# -- payers who pay elsewhere ------------------------------------------------------------------


def test_a_qr_charge_is_shown_and_its_confirm_waits_for_the_payer(shop: Shop) -> None:
    charge = shop.do(shop.charge(behaviour={"qr": True}))
    assert charge.status == DONE
    assert shop.summary()["status"] == "pending"
    assert shop.summary()["next_action"]["kind"] == "show_qr"
    assert shop.summary()["next_action"]["qr_code"].startswith("mockqr:")

    confirm = shop.confirm()
    assert shop.do(confirm).status == WAITS
    shop.gateway.pay(str(shop.payment().transaction_id))
    shop.sync()
    assert shop.directive(confirm).status == DONE
    assert shop.payment().status is S.CAPTURED
    assert "next_action" not in shop.summary()
    assert shop.triggers() == ["on_payment_confirm"]


def test_a_payment_is_found_without_anybody_knocking(shop: Shop) -> None:
    shop.charge(behaviour={"pending": True, "pays_after_seconds": 20})
    shop.run()
    shop.advance(seconds=30)
    assert shop.payment().status is S.CAPTURED


def test_an_unpaid_charge_expires(shop: Shop) -> None:
    shop.charge(behaviour={"qr": True, "expires_in": 600})
    confirm = shop.confirm()
    shop.run()
    for _ in range(12):
        shop.advance(minutes=1)
    assert shop.payment().status is S.EXPIRED
    assert shop.directive(confirm).status == FAILED
    assert shop.triggers() == ["on_payment_expired"]


def test_a_shopper_who_passes_3d_secure_has_a_hold(shop: Shop) -> None:
    hold = shop.do(shop.hold(behaviour={"authenticate": True}))
    assert hold.result == {
        "transaction_id": shop.payment().transaction_id,
        "status": "requires_action",
    }
    assert shop.summary()["next_action"]["kind"] == "confirm_with_client_secret"
    shop.gateway.confirm_3ds(str(shop.payment().transaction_id))
    shop.sync()
    assert shop.payment().status is S.AUTHORIZED
    assert shop.do(shop.confirm()).status == DONE


def test_a_shopper_who_fails_3d_secure_is_told_once(shop: Shop) -> None:
    shop.hold(behaviour={"authenticate": True})
    confirm = shop.confirm()
    shop.run()
    shop.gateway.confirm_3ds(str(shop.payment().transaction_id), ok=False)
    shop.sync()
    shop.sync()
    assert shop.payment().status is S.FAILED
    assert shop.directive(confirm).status == FAILED
    assert shop.triggers() == ["on_payment_failed"]


# -- a final no --------------------------------------------------------------------------------


def test_a_decline_fails_directive_and_payment_and_is_told_once(shop: Shop) -> None:
    hold = shop.do(shop.hold(behaviour={"decline": "insufficient_funds"}))
    assert hold.status == FAILED
    assert hold.result == {
        "error_code": "insufficient_funds",
        "error_message": "the payment was declined",
    }
    assert shop.payment().status is S.FAILED
    shop.sync()
    shop.advance(days=2)
    assert shop.triggers() == ["on_payment_failed"]
    assert shop.methods().count("authorize") == 1


def test_a_second_attempt_after_a_decline_can_succeed(shop: Shop) -> None:
    shop.hold(behaviour={"decline": "card_declined"})
    shop.run()
    assert shop.do(shop.hold(attempt=2)).status == DONE
    assert [p.status for p in shop.payments()] == [S.FAILED, S.AUTHORIZED]
    assert shop.summary()["payment_id"] == shop.payments()[1].id
    assert len(set(shop.keys("authorize"))) == 2
    assert shop.do(shop.confirm()).status == DONE
    assert shop.moved_q() == 1000


def test_the_first_attempt_asked_for_again_has_its_old_answer(shop: Shop) -> None:
    shop.hold(behaviour={"decline": "card_declined"})
    shop.run()
    again = shop.do(shop.hold(behaviour={"decline": "card_declined"}))
    assert again.result == {
        "error_code": "card_declined",
        "error_message": "the payment was declined",
    }
    assert shop.methods().count("authorize") == 1


@pytest.mark.parametrize(
    ("attempt", "declined", "code", "message"),
    [
        (
            2,
            False,
            "payment_already_open",
            "order O1 already has payment 1 (authorized)",
        ),
        (3, True, "invalid_payload", '"attempt" is 3; the next one of order O1 is 2'),
        (0, True, "invalid_payload", '"attempt" is not a whole number from 1 up'),
        ("2", True, "invalid_payload", '"attempt" is not a whole number from 1 up'),
        (True, True, "invalid_payload", '"attempt" is not a whole number from 1 up'),
    ],
)
def test_a_wrongly_numbered_attempt_begins_nothing(
    shop: Shop, attempt: Any, declined: bool, code: str, message: str
) -> None:
    shop.hold(behaviour={"decline": "card_declined"} if declined else None)
    shop.run()
    wrong = shop.do(shop.hold(attempt=attempt))
    assert wrong.result == {"error_code": code, "error_message": message}
    assert len(shop.payments()) == 1
    assert shop.methods() == ["authorize"]


def test_an_attempt_cannot_be_repeated_with_another_amount(shop: Shop) -> None:
    shop.hold()
    shop.run()
    other = shop.do(shop.hold(amount_q=999))
    assert other.result is not None
    assert other.result["error_code"] == "parameters_changed"
    assert shop.gateway.held_q("O1") == 1000


# -- time runs out -----------------------------------------------------------------------------


def test_a_hold_that_lapses_is_noticed_and_told(shop: Shop) -> None:
    shop.hold(behaviour={"expires_in": 3600})
    shop.run()
    shop.advance(hours=2)
    assert shop.payment().status is S.EXPIRED
    assert shop.do(shop.confirm()).result == {
        "error_code": "nothing_to_capture",
        "error_message": "no transaction to capture: the payment of order O1 is expired",
    }
    assert shop.triggers() == ["on_payment_hold", "on_payment_expired"]


def test_a_capture_after_the_hold_lapsed_is_the_gateways_no(shop: Shop) -> None:
    shop.hold(behaviour={"expires_in": 3600})
    shop.run()
    shop.clock.advance(timedelta(hours=2))
    confirm = shop.do(shop.confirm())
    assert confirm.status == FAILED
    assert confirm.result is not None
    assert confirm.result["error_code"] == "expired"
    assert shop.payment().status is S.EXPIRED
    assert shop.moved_q() == 0


# -- what happens at the gateway itself --------------------------------------------------------


def test_a_refund_made_at_the_gateway_is_found(shop: Shop) -> None:
    shop.charge()
    shop.run()
    shop.gateway.refund_outside(str(shop.payment().transaction_id), 400)
    shop.sync()
    shop.sync()
    assert shop.payment().status is S.PARTIALLY_REFUNDED
    assert shop.payment().refunded_q == 400
    (refund,) = shop.store.refunds.values()
    assert refund.external
    assert shop.do(shop.refund(601)).status == FAILED
    assert shop.do(shop.refund(600)).status == DONE
    assert shop.moved_q() == 0


def test_a_dispute_is_found_flagged_and_given_back(shop: Shop) -> None:
    shop.charge()
    shop.run()
    name = str(shop.payment().transaction_id)
    shop.gateway.dispute(name, 1000)
    shop.sync()
    assert shop.payment().status is S.DISPUTED
    assert shop.flag_kinds() == ["disputed"]
    assert shop.do(shop.refund()).result == {
        "error_code": "refund_exceeds_capture",
        "error_message": (
            "asked to refund 0.00 BRL; of 10.00 BRL captured, 0.00 BRL is left "
            "(10.00 BRL is disputed)"
        ),
    }
    shop.gateway.win_dispute(name)
    shop.sync()
    assert shop.payment().status is S.CAPTURED
    assert shop.triggers() == ["on_payment_confirm", "on_payment_dispute"]


def test_money_that_comes_after_a_cancellation_is_flagged(shop: Shop) -> None:
    shop.charge(behaviour={"qr": True})
    shop.cancel()
    shop.run()
    shop.gateway.pay(str(shop.payment().transaction_id), late=True)
    shop.sync()
    assert shop.payment().status is S.CAPTURED
    (flag,) = shop.flags()
    assert (flag.kind, flag.message) == (
        "late_money",
        "order O1 was cancelled before it was paid: 10.00 BRL is kept; refund it or settle "
        "this flag",
    )


def test_money_that_comes_after_a_cancellation_is_returned_where_the_channel_says_so() -> None:
    shop = Shop(config={"late_money": "refund"})
    shop.order()
    shop.charge(behaviour={"qr": True})
    shop.run()
    shop.store.cancel_order("O1")
    shop.cancel()
    shop.run()
    shop.gateway.pay(str(shop.payment().transaction_id), late=True)
    shop.sync()
    assert shop.moved_q() == 0
    assert "on_payment_confirm" not in shop.triggers()


def test_a_cancelled_order_is_not_moved_on_by_late_money(shop: Shop) -> None:
    shop.charge(behaviour={"qr": True})
    shop.run()
    shop.store.cancel_order("O1")
    shop.cancel()
    shop.run()
    shop.gateway.pay(str(shop.payment().transaction_id), late=True)
    shop.sync()
    assert "on_payment_confirm" not in shop.triggers()
    assert shop.payment().status is S.CAPTURED


def test_a_hold_that_comes_after_a_cancellation_is_let_go(shop: Shop) -> None:
    shop.hold(behaviour={"authenticate": True, "expires_in": 600})
    shop.run()
    for _ in range(12):
        shop.advance(minutes=1)
    assert shop.payment().status is S.EXPIRED
    shop.store.cancel_order("O1")
    shop.cancel()
    shop.run()
    shop.gateway.pay(str(shop.payment().transaction_id), late=True)
    assert shop.gateway.held_q("O1") == 1000
    shop.sync()
    assert shop.gateway.held_q("O1") == 0
    assert shop.payment().status is S.CANCELLED
    assert "on_payment_hold" not in shop.triggers()


def test_an_expired_charge_that_is_paid_late_still_pays_the_order(shop: Shop) -> None:
    shop.charge(behaviour={"qr": True, "expires_in": 600})
    shop.run()
    for _ in range(12):
        shop.advance(minutes=1)
    shop.gateway.pay(str(shop.payment().transaction_id), late=True)
    shop.sync()
    assert shop.payment().status is S.CAPTURED
    assert shop.triggers() == ["on_payment_expired", "on_payment_confirm"]
    (flag,) = shop.flags()
    assert flag.message == "order O1 was paid after its payment expired"


@pytest.mark.parametrize(("policy", "kept"), [("flag", 2000), ("refund", 1000)])
def test_what_is_paid_twice_is_kept_or_returned_by_policy(policy: str, kept: int) -> None:
    shop = Shop(config={"late_money": policy})
    shop.order()
    shop.charge(behaviour={"qr": True})
    shop.run()
    name = str(shop.payment().transaction_id)
    shop.gateway.pay(name)
    shop.gateway.pay(name, late=True)
    shop.sync()
    assert shop.moved_q() == kept
    assert shop.payment().captured_q == 2000
    assert shop.flag_kinds() == (["late_money"] if policy == "flag" else [])


@pytest.mark.parametrize(("policy", "kept"), [("flag", 1500), ("refund", 1000)])
def test_what_is_paid_beyond_the_total_is_kept_or_returned_by_policy(
    policy: str, kept: int
) -> None:
    shop = Shop(config={"late_money": policy})
    shop.order()
    shop.charge(behaviour={"qr": True, "pays_amount_q": 1500, "pays_after_seconds": 60})
    shop.run()
    shop.advance(seconds=90)
    assert shop.moved_q() == kept
    assert shop.payment().captured_q == 1500


def test_somebody_who_paid_too_little_has_not_paid(shop: Shop) -> None:
    shop.charge(behaviour={"qr": True})
    shop.run()
    name = str(shop.payment().transaction_id)
    shop.gateway.pay(name, 700)
    shop.sync()
    assert shop.payment().status is S.PARTIALLY_CAPTURED
    assert shop.triggers() == []
    (flag,) = shop.flags()
    assert (flag.kind, flag.message) == (
        "underpaid",
        "order O1 was paid 7.00 BRL of 10.00 BRL; ask for the rest or return it",
    )
    shop.gateway.pay(name, 300)
    shop.sync()
    assert shop.payment().status is S.CAPTURED
    assert shop.triggers() == ["on_payment_confirm"]


# -- answers that do not fit -------------------------------------------------------------------


class Answering(MockPaymentBackend):
    """Its answers are changed on the way back."""

    change: dict[str, Any]

    def authorize(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return replace(super().authorize(*args, **kwargs), **self.change)


def test_an_answer_in_another_currency_is_not_believed() -> None:
    class InDollars(Answering):
        change = {"currency": "USD"}  # noqa: RUF012

    shop = Shop(backend=InDollars)
    shop.order()
    assert shop.do(shop.hold()).status == PARKED
    assert shop.payment().authorized_q == 0
    (flag,) = shop.flags("currency_mismatch")
    assert flag.message == "the gateway answered in 'USD' for a payment in BRL"
    assert [op.state for op in shop.operations()] == [OperationState.PARKED]
    assert shop.triggers() == []


def test_another_amount_at_the_gateway_is_flagged() -> None:
    class Dearer(Answering):
        change = {"amount_q": 1100}  # noqa: RUF012

    shop = Shop(backend=Dearer)
    shop.order()
    shop.hold()
    shop.run()
    (flag,) = shop.flags("amount_mismatch")
    assert flag.message == (
        f"the gateway has 1100 BRL for transaction {shop.payment().transaction_id}, asked were 1000"
    )


# -- trouble on the way ------------------------------------------------------------------------


def test_what_never_left_is_tried_again_later_with_the_same_key(shop: Shop) -> None:
    shop.fault("not_attempted")
    hold = shop.do(shop.hold())
    assert (hold.status, hold.attempts, hold.last_error) == (WAITS, 1, "the request never left")
    assert hold.available_at > shop.clock.now()
    shop.settle_down()
    assert shop.directive(hold.id).status == DONE
    assert len(shop.keys("authorize")) == 2
    assert len(set(shop.keys("authorize"))) == 1
    assert shop.methods() == ["authorize", "authorize"]


@pytest.mark.parametrize(("told", "waits"), [(90, 90), (7200, 3600)])
def test_a_rate_limit_is_honoured_up_to_an_hour_and_counts_no_attempt(
    shop: Shop, told: int, waits: int
) -> None:
    shop.fault("rate_limit", retry_after=told)
    hold = shop.do(shop.hold())
    assert (hold.status, hold.attempts) == (WAITS, 0)
    assert hold.available_at - shop.clock.now() == timedelta(seconds=waits)
    shop.settle_down()
    assert shop.directive(hold.id).status == DONE
    assert len(set(shop.keys("authorize"))) == 1


@pytest.mark.parametrize(
    ("when", "methods"),
    [
        ("before", ["authorize", "get_status", "authorize"]),
        ("after", ["authorize", "get_status"]),
    ],
)
def test_an_unknown_outcome_is_looked_up_before_anything_is_repeated(
    shop: Shop, when: str, methods: list[str]
) -> None:
    shop.fault("timeout", when=when)
    hold = shop.hold()
    shop.settle_down()
    assert shop.directive(hold).status == DONE
    assert shop.methods() == methods
    assert len(set(shop.keys("authorize"))) == 1
    assert len(shop.gateway.transactions()) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["timeout", "crash"])
def test_every_operation_takes_effect_once_however_its_answer_is_lost(
    shop: Shop, kind: str, when: str
) -> None:
    for enqueue, method in ((shop.hold, "authorize"), (shop.confirm, "capture")):
        shop.fault(kind, method, when=when)
        number = enqueue()
        shop.settle_down()
        assert shop.directive(number).status == DONE
    shop.fault(kind, "refund", when=when)
    refund = shop.refund(400)
    shop.settle_down()
    assert shop.directive(refund).status == DONE
    assert shop.moved_q() == 600
    for method in ("authorize", "capture", "refund"):
        assert len(set(shop.keys(method))) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_void_whose_answer_is_lost_is_a_void(shop: Shop, when: str) -> None:
    shop.hold()
    shop.run()
    shop.fault("timeout", "cancel", when=when)
    cancel = shop.cancel()
    shop.settle_down()
    assert shop.directive(cancel).status == DONE
    assert shop.gateway.held_q("O1") == 0
    assert shop.payment().status is S.CANCELLED


def test_a_fault_of_the_plugin_is_flagged(shop: Shop) -> None:
    shop.fault("crash")
    shop.hold()
    shop.settle_down()
    (flag,) = shop.flags()
    assert flag.kind == "plugin_fault"
    assert "RuntimeError: the mock backend crashed, as scripted" in flag.message


class Blind:
    """Takes money and answers nothing; no key, no address, no search."""

    def __init__(self, **far_side: Any) -> None:
        self.calls = 0

    def authorize(self, *args: Any, **kwargs: Any) -> PaymentResult:
        self.calls += 1
        raise OutcomeUnknownError("the line went dead")


def test_an_operation_of_which_nobody_knows_is_parked_and_flagged() -> None:
    class Plain(Blind):
        def authorize(  # type: ignore[override]
            self,
            amount_q: int,
            currency: str,
            order_ref: str,
            payment_method: dict[str, Any],
            metadata: dict[str, Any] | None = None,
        ) -> PaymentResult:
            return super().authorize()

    shop = Shop(backend=Plain)
    shop.order()
    hold, confirm = shop.hold(), shop.confirm()
    shop.settle_down()
    backend: Any = shop.accounts.configured["mock"].backend
    assert backend.calls == 1
    assert shop.directive(hold).status == PARKED
    assert shop.directive(confirm).status == PARKED
    (operation,) = shop.operations()
    assert operation.state == OperationState.PARKED
    assert shop.flag_kinds() == ["outcome_unknown", "blocked_by_unknown"]
    assert shop.flags()[0].message == (
        "nobody knows whether the authorize of 1000 BRL was carried out (operation "
        f"{operation.key}); look at the gateway, then settle it"
    )
    assert shop.payment().status is S.PENDING


def test_a_key_is_never_sent_again_once_the_gateway_may_have_forgotten_it() -> None:
    shop = Shop(backend=Unaddressed, facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    hold = shop.hold()
    shop.fault("timeout", when="before")
    (work,) = shop.engine.claim(1).works
    shop.engine.perform(work)  # the worker dies here, and its answer with it
    shop.clock.advance(timedelta(hours=25))
    shop.settle_down()
    assert shop.directive(hold).status == PARKED
    assert shop.gateway.transactions() == ()
    assert shop.flag_kinds() == ["outcome_unknown"]


def test_inside_its_window_the_same_key_is_sent_again() -> None:
    shop = Shop(backend=Unaddressed, facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    hold = shop.hold()
    shop.fault("timeout", when="after")
    shop.settle_down()
    assert shop.directive(hold).status == DONE
    assert shop.methods() == ["authorize", "authorize"]
    assert len(set(shop.keys("authorize"))) == 1
    assert len(shop.gateway.transactions()) == 1


def test_what_may_have_happened_once_stays_in_doubt_when_its_repetition_never_leaves() -> None:
    shop = Shop(backend=Unaddressed, facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    hold = shop.hold()
    shop.fault("timeout", when="after")
    shop.run()
    shop.fault("not_attempted")
    shop.advance(seconds=2)
    assert [call.outcome for call in shop.store.calls] == ["unknown", "not_attempted"]
    assert [op.state for op in shop.operations()] == [OperationState.SENT]

    cancel = shop.cancel()
    shop.settle_down()
    assert shop.directive(hold).status == DONE
    assert shop.directive(cancel).status == DONE
    assert shop.gateway.held_q("O1") == 0, "a cancellation did not take it for never sent"


def test_after_too_many_attempts_a_directive_is_parked_visibly(shop: Shop) -> None:
    hold = shop.hold(
        behaviour={"faults": {"kind": "not_attempted", "on": "authorize", "times": 1000}}
    )
    shop.settle_down()
    assert shop.directive(hold).status == PARKED
    assert shop.directive(hold).attempts == shop.rules.max_attempts
    (flag,) = shop.flags()
    assert flag.kind == "attempts_exhausted"
    assert shop.gateway.transactions() == ()


# -- the worker dies ---------------------------------------------------------------------------


def test_an_answer_lost_with_its_worker_is_looked_up_by_the_next(shop: Shop) -> None:
    hold = shop.hold()
    (work,) = shop.engine.claim(1).works
    shop.engine.perform(work)
    other = shop.new_engine("other")
    assert other.claim(1).taken == 0
    shop.clock.advance(shop.limits.lease)
    shop.settle_down()
    assert shop.directive(hold).status == DONE
    assert shop.methods() == ["get_status"]
    assert len(shop.gateway.transactions()) == 1


def test_the_fact_of_a_worker_that_lost_its_lease_is_recorded_and_decides_nothing(
    shop: Shop,
) -> None:
    hold = shop.hold()
    (work,) = shop.engine.claim(1).works
    answer = shop.engine.perform(work)
    shop.clock.advance(shop.limits.lease + timedelta(seconds=1))
    shop.new_engine("other").claim(1)
    before = shop.directive(hold)
    assert shop.engine.settle([answer]) == []
    assert shop.payment().status is S.AUTHORIZED
    assert shop.directive(hold) == before


def test_a_worker_that_lost_its_lease_plans_nothing_new() -> None:
    shop = Shop(backend=Prepares, facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    hold = shop.hold()
    (work,) = shop.engine.claim(1).works
    answer = shop.engine.perform(work)
    assert answer.call.method == "prepare"
    shop.clock.advance(shop.limits.lease + timedelta(seconds=1))
    other = shop.new_engine("other")
    (again,) = other.claim(1).works
    assert shop.engine.settle([answer]) == []
    assert shop.payment().transaction_id is not None, "the fact counts"
    assert shop.operations("authorize") == []
    works = other.settle([other.perform(again)])
    assert [work.request.method for work in works] == ["authorize"]
    other.settle([other.perform(work) for work in works])
    assert shop.directive(hold).status == DONE
    assert len(shop.gateway.transactions()) == 1


def test_a_call_is_not_sent_under_a_lease_that_is_nearly_over(shop: Shop) -> None:
    shop.hold()
    (work,) = shop.engine.claim(1).works
    shop.clock.advance(timedelta(seconds=61))
    answer = shop.engine.perform(work)
    assert answer.call.outcome == "not_attempted"
    assert shop.gateway.transactions() == ()


# -- accounts ----------------------------------------------------------------------------------


def test_an_account_that_cannot_work_keeps_its_directives_and_is_flagged_once(
    shop: Shop,
) -> None:
    shop.accounts.broken["mock"] = ConfigurationError("the certificate has expired")
    hold = shop.hold()
    for _ in range(3):
        shop.advance(minutes=2)
    waiting = shop.directive(hold)
    assert (waiting.status, waiting.attempts) == (WAITS, 0)
    assert waiting.last_error == "the certificate has expired"
    assert shop.flag_kinds() == ["account_unusable"]
    assert shop.payments() == []

    del shop.accounts.broken["mock"]
    shop.advance(minutes=2)
    assert shop.directive(hold).status == DONE


def test_a_payment_never_goes_to_another_account_under_the_same_name(shop: Shop) -> None:
    shop.hold()
    shop.run()
    old = shop.accounts.configured["mock"]
    stranger = shop.add_account("mock", fingerprint="somebody-else")
    confirm = shop.confirm()
    for _ in range(3):
        shop.advance(minutes=2)
    assert shop.directive(confirm).status == WAITS
    assert shop.directive(confirm).attempts == 0
    assert "is not the one this payment was begun with" in shop.directive(confirm).last_error
    assert shop.flag_kinds() == ["account_unusable"]
    assert stranger.transactions() == ()
    assert shop.moved_q() == 0

    shop.accounts.configured["mock"] = old
    shop.advance(minutes=2)
    assert shop.directive(confirm).status == DONE
    assert shop.moved_q() == 1000


def test_test_money_and_real_money_never_meet(shop: Shop) -> None:
    shop.hold()
    shop.run()
    account = shop.accounts.configured["mock"]
    shop.accounts.configured["mock"] = replace(account, livemode=True)
    confirm = shop.do(shop.confirm())
    assert confirm.status == WAITS
    assert "live mode True" in confirm.last_error
    assert shop.moved_q() == 0


def test_a_running_payment_keeps_its_account_when_the_channel_changes(shop: Shop) -> None:
    other = shop.add_account("other")
    shop.hold()
    shop.run()
    order = shop.store.orders["O1"]
    order.view = replace(order.view, channel=ChannelView("shop", {"payment_backend": "other"}))
    shop.confirm(600)
    shop.refund(100)
    shop.run()
    assert shop.moved_q() == 500
    assert other.transactions() == ()
    assert shop.payment().account == "mock"


def test_a_new_payment_goes_to_the_account_its_channel_names(shop: Shop) -> None:
    other = shop.add_account("other")
    shop.order("O2", payment_backend="other")
    shop.charge("O2")
    shop.run()
    assert other.moved_q("O2") == 1000
    assert shop.moved_q("O2") == 0


# -- versions and repetition -------------------------------------------------------------------


def test_a_payload_from_a_newer_version_waits_for_a_newer_worker(shop: Shop) -> None:
    hold = shop.hold()
    shop.store.directives[hold] = evolve(shop.directive(hold), schema_version=2)
    shop.run()
    shop.advance(hours=1)
    waiting = shop.directive(hold)
    assert (waiting.status, waiting.attempts) == (WAITS, 0)
    assert waiting.last_error == "payload version 2 needs a newer worker"
    assert (shop.payments(), shop.store.calls) == ([], [])


def test_every_transition_of_an_order_fires_once_however_often_it_is_seen(shop: Shop) -> None:
    shop.hold()
    shop.hold()
    shop.confirm()
    shop.confirm()
    shop.run()
    shop.sync()
    shop.sync()
    shop.refund(100)
    shop.refund(100)
    shop.run()
    assert shop.triggers() == [
        "on_payment_hold",
        "on_payment_confirm",
        "on_payment_partial_refund",
    ]
