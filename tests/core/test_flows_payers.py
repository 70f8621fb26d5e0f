"""Payers, banks and clocks: what happens to a payment from outside, and is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.records import (
    DirectiveStatus,
    OperationState,
)
from omniman_payment_core.values import PaymentResult, PaymentStatus
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
    assert [op.state for op in shop.operations()] == ["ok"], "nothing is left pending"


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
        f"the gateway has 11.00 BRL for transaction {shop.payment().transaction_id}, asked were "
        "10.00 BRL"
    )
