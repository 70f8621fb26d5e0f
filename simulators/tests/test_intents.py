"""The life of a PaymentIntent: every status, what it allows, and the code of every refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from simulators.tests.account import Account, refused

STATE = "payment_intent_unexpected_state"
UNPAID = ("requires_payment_method", "requires_confirmation", "requires_action")


def _confirmed_later(account: Account) -> stripe.PaymentIntent:
    return account.open(payment_method="pm_card_visa")


def _processing(account: Account) -> stripe.PaymentIntent:
    opened = _confirmed_later(account)
    account.control.start_processing(opened.id)
    return account.intents.retrieve(opened.id)


def _canceled(account: Account) -> stripe.PaymentIntent:
    return account.intents.cancel(account.open().id)


IN: dict[str, Callable[[Account], stripe.PaymentIntent]] = {
    "requires_payment_method": lambda account: account.open(),
    "requires_confirmation": _confirmed_later,
    "requires_action": lambda account: account.open("threeDSecure2Required"),
    "processing": _processing,
    "requires_capture": lambda account: account.hold(),
    "succeeded": lambda account: account.open("visa"),
    "canceled": _canceled,
}


@pytest.mark.parametrize("status", IN)
def test_each_status_is_reached_and_read_again(account: Account, status: str) -> None:
    made = IN[status](account)
    assert made.status == status
    assert account.intents.retrieve(made.id).status == status


@pytest.mark.parametrize("status", sorted(set(IN) - {"requires_capture"}))
def test_only_a_hold_is_captured(account: Account, status: str) -> None:
    made = IN[status](account)
    before = account.movements()
    error = refused(lambda: account.intents.capture(made.id))
    assert (error.http_status, error.code) == (400, STATE)
    assert status in str(error)
    assert error.error.payment_intent.status == status
    assert account.movements() == before


@pytest.mark.parametrize("status", ["succeeded", "canceled"])
def test_what_is_over_is_not_canceled(account: Account, status: str) -> None:
    made = IN[status](account)
    error = refused(lambda: account.intents.cancel(made.id))
    assert (error.http_status, error.code) == (400, STATE)
    assert account.intents.retrieve(made.id).status == status


@pytest.mark.parametrize("status", sorted(set(IN) - {"succeeded", "canceled"}))
def test_what_is_not_over_is_canceled_and_holds_nothing(account: Account, status: str) -> None:
    made = IN[status](account)
    canceled = account.intents.cancel(made.id, {"cancellation_reason": "abandoned"})
    assert canceled.status == "canceled"
    assert canceled.cancellation_reason == "abandoned"
    assert canceled.canceled_at
    assert canceled.amount_capturable == 0
    assert canceled.next_action is None
    assert account.control.held("A-1") == 0
    assert account.kinds()[-1] == "payment_intent.canceled"


@pytest.mark.parametrize("status", sorted(set(IN) - set(UNPAID)))
def test_what_was_confirmed_is_not_confirmed_again(account: Account, status: str) -> None:
    made = IN[status](account)
    before = account.movements()
    card: Any = {"payment_method": "pm_card_visa"}
    error = refused(lambda: account.intents.confirm(made.id, card))
    assert (error.http_status, error.code) == (400, STATE)
    assert account.movements() == before


@pytest.mark.parametrize("status", UNPAID)
def test_what_is_unpaid_is_confirmed_with_a_card(account: Account, status: str) -> None:
    made = IN[status](account)
    paid = account.intents.confirm(made.id, {"payment_method": "pm_card_mastercard"})
    assert paid.status == "succeeded"
    assert paid.amount_received == 1000
    assert account.movements() == [("captured", 1000)]


@pytest.mark.parametrize("status", sorted(set(IN) - set(UNPAID)))
def test_the_amount_of_what_was_confirmed_stays(account: Account, status: str) -> None:
    made = IN[status](account)
    error = refused(lambda: account.intents.update(made.id, {"amount": 500}))
    assert (error.http_status, error.code) == (400, STATE)
    assert account.intents.retrieve(made.id).amount == 1000


def test_the_amount_of_what_is_unpaid_can_change(account: Account) -> None:
    made = account.open()
    assert account.intents.update(made.id, {"amount": 700}).amount == 700
    account.control.pay(made.id)
    assert account.control.moved("A-1") == 700


def test_metadata_is_merged_and_an_empty_value_removes_one(account: Account) -> None:
    made = account.open(metadata={"order_ref": "A-1", "a": "1", "b": "2"})
    changed = account.intents.update(made.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"order_ref": "A-1", "b": "2", "c": "3"}


def test_without_a_card_there_is_nothing_to_confirm(account: Account) -> None:
    error = refused(lambda: account.intents.confirm(account.open().id))
    assert (error.http_status, error.code) == (400, STATE)
    assert "missing a payment method" in str(error)


def test_a_decline_leaves_an_intent_that_waits_for_another_card(account: Account) -> None:
    error = refused(lambda: account.open("visa_chargeDeclined"), stripe.CardError)
    assert error.http_status == 402
    left = error.error.payment_intent
    assert left.status == "requires_payment_method"
    assert left.last_payment_error.decline_code == "generic_decline"
    assert left.payment_method is None
    paid = account.intents.confirm(left.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)
    assert account.kinds() == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_the_bank_is_passed_or_not(account: Account) -> None:
    waiting = IN["requires_action"](account)
    assert waiting.next_action is not None
    assert waiting.next_action.type == "use_stripe_sdk"
    failed = account.control.authenticate(waiting.id, success=False)
    assert failed["status"] == "requires_payment_method"
    assert failed["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert account.movements() == []
    again = account.intents.confirm(waiting.id, {"payment_method": "pm_card_threeDSecureRequired"})
    assert again.status == "requires_action"
    assert account.control.authenticate(waiting.id)["status"] == "succeeded"
    assert account.movements() == [("captured", 1000)]


def test_a_page_to_return_to_makes_it_a_redirect(account: Account) -> None:
    waiting = account.open("threeDSecure2Required", return_url="https://shop.example/back")
    assert waiting.next_action is not None
    assert waiting.next_action.type == "redirect_to_url"
    assert waiting.next_action.redirect_to_url is not None
    assert waiting.next_action.redirect_to_url.return_url == "https://shop.example/back"


@pytest.mark.parametrize(("success", "status"), [(True, "succeeded"), (False, UNPAID[0])])
def test_what_takes_its_time_comes_to_an_end(account: Account, success: bool, status: str) -> None:
    waiting = _processing(account)
    assert account.control.finish_processing(waiting.id, success)["status"] == status
    assert account.control.moved("A-1") == (1000 if success else 0)


def test_nobody_who_is_not_waited_for_can_continue(account: Account) -> None:
    paid = account.open("visa")
    for act in (account.control.authenticate, account.control.finish_processing):
        with pytest.raises(Exception, match="has a status of succeeded"):
            act(paid.id)


def test_there_is_no_such_intent(account: Account) -> None:
    for call in (account.intents.retrieve, account.intents.capture, account.intents.cancel):
        error = refused(lambda call=call: call("pi_none"))  # type: ignore[misc]
        assert (error.http_status, error.code, error.param) == (404, "resource_missing", "intent")
    assert account.send("GET", "/v1/payment_intents/none").status == 404


def test_a_redirect_needs_a_page_to_return_to(account: Account) -> None:
    always = {"enabled": True}
    error = refused(lambda: account.open("visa", automatic_payment_methods=always))
    assert "return_url" in str(error)
    assert account.control.events() == []
    paid = account.open(
        "visa", automatic_payment_methods=always, return_url="https://shop.example/"
    )
    assert paid.status == "succeeded"
