"""The documented test cards behave as documented, by number, by name and by token."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from omniman_payment_simulators.stripe.cards import CARDS
from simulators.tests.account import Account, refused

ACCEPTED = {
    "visa": ("4242424242424242", "visa", "credit"),
    "visa_debit": ("4000056655665556", "visa", "debit"),
    "mastercard": ("5555555555554444", "mastercard", "credit"),
    "mastercard_debit": ("5200828282828210", "mastercard", "debit"),
    "amex": ("378282246310005", "amex", "credit"),
    "discover": ("6011111111111117", "discover", "credit"),
    "br": ("4000000760000002", "visa", "credit"),
    "threeDSecureOptional": ("4000000000003055", "visa", "credit"),
}
DECLINED = {
    "visa_chargeDeclined": ("4000000000000002", "card_declined", "generic_decline"),
    "visa_chargeDeclinedInsufficientFunds": (
        "4000000000009995",
        "card_declined",
        "insufficient_funds",
    ),
    "visa_chargeDeclinedLostCard": ("4000000000009987", "card_declined", "lost_card"),
    "visa_chargeDeclinedStolenCard": ("4000000000009979", "card_declined", "stolen_card"),
    "chargeDeclinedExpiredCard": ("4000000000000069", "expired_card", None),
    "chargeDeclinedIncorrectCvc": ("4000000000000127", "incorrect_cvc", None),
    "chargeDeclinedProcessingError": ("4000000000000119", "processing_error", None),
    "visa_chargeDeclinedVelocityLimitExceeded": (
        "4000000000006975",
        "card_declined",
        "card_velocity_exceeded",
    ),
    "chargeDeclinedFraudulent": ("4100000000000019", "card_declined", "fraudulent"),
    "chargeCustomerFail": ("4000000000000341", "card_declined", "generic_decline"),
}
ASKS = {
    "threeDSecure2Required": "4000000000003220",
    "threeDSecureRequired": "4000000000003063",
    "threeDSecureRequiredChargeDeclined": "4000008400001629",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredOnSetup": "4000002500003155",
    "authenticationRequiredSetupForOffSession": "4000003800000446",
    "authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
}


def _by_number(account: Account, number: str) -> str:
    card: Any = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    return account.sdk.v1.payment_methods.create({"type": "card", "card": card}).id


def _charge(intent: stripe.PaymentIntent) -> Any:
    return intent.latest_charge


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_accepted_card_pays_and_shows_what_it_is(account: Account, name: str) -> None:
    number, brand, funding = ACCEPTED[name]
    for method in (f"pm_card_{name}", _by_number(account, number)):
        paid = account.open(
            payment_method=method, confirm=True, expand=["latest_charge", "payment_method"]
        )
        card = _charge(paid).payment_method_details.card
        assert (paid.status, card.brand, card.funding) == ("succeeded", brand, funding)
        assert card.last4 == number[-4:]
        kept: Any = paid.payment_method
        assert kept.card.last4 == number[-4:]
    assert number not in str(account.control.requests()[-1]["response"])


@pytest.mark.parametrize("name", DECLINED)
def test_a_declined_card_says_what_the_bank_lets_it_say(account: Account, name: str) -> None:
    number, code, decline_code = DECLINED[name]
    for method in (f"pm_card_{name}", _by_number(account, number)):
        error = refused(
            lambda method=method: account.open(payment_method=method, confirm=True),  # type: ignore[misc]
            stripe.CardError,
        )
        assert (error.http_status, error.code) == (402, code)
        assert error.error.decline_code == decline_code
        assert error.error.charge.startswith("ch_")
        charge = account.sdk.v1.charges.retrieve(error.error.charge)
        assert (charge.status, charge.paid, charge.captured) == ("failed", False, False)
        assert charge.failure_code == code
    assert account.movements() == []


def test_a_stolen_card_is_not_called_stolen_to_the_shopper(account: Account) -> None:
    stolen = refused(lambda: account.open("visa_chargeDeclinedStolenCard"), stripe.CardError)
    plain = refused(lambda: account.open("visa_chargeDeclined"), stripe.CardError)
    assert stolen.user_message == plain.user_message


@pytest.mark.parametrize("name", ASKS)
def test_a_card_that_asks_waits_for_its_shopper(account: Account, name: str) -> None:
    for method in (f"pm_card_{name}", _by_number(account, ASKS[name])):
        waiting = account.open(payment_method=method, confirm=True)
        assert waiting.status == "requires_action"
    assert account.movements() == []


@pytest.mark.parametrize(
    ("name", "decline_code"),
    [
        ("threeDSecureRequiredChargeDeclined", "generic_decline"),
        ("authenticationRequiredChargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
def test_some_are_declined_after_their_shopper_was_asked(
    account: Account, name: str, decline_code: str
) -> None:
    waiting = account.open(name)
    left = account.control.authenticate(waiting.id)
    assert left["status"] == "requires_payment_method"
    assert left["last_payment_error"]["decline_code"] == decline_code
    assert account.movements() == []


@pytest.mark.parametrize("name", ["authenticationRequired", "authenticationRequiredOnSetup"])
def test_nobody_can_be_asked_who_is_not_there(account: Account, name: str) -> None:
    error = refused(lambda: account.open(name, off_session=True), stripe.CardError)
    assert error.code == error.error.decline_code == "authentication_required"
    assert error.error.payment_intent.status == "requires_payment_method"


def test_a_card_that_was_set_up_pays_without_its_shopper(account: Account) -> None:
    ready = account.open("authenticationRequiredSetupForOffSession", off_session=True)
    assert ready.status == "succeeded"
    first = account.open("authenticationRequiredOnSetup", setup_future_usage="off_session")
    account.control.authenticate(first.id)
    method = account.intents.retrieve(first.id).payment_method
    again = account.open(payment_method=method, confirm=True, off_session=True)
    assert again.status == "succeeded"
    present = account.open(payment_method=method, confirm=True)
    assert present.status == "requires_action"


def test_a_shop_can_refuse_to_ask(account: Account) -> None:
    error = refused(
        lambda: account.open("threeDSecure2Required", error_on_requires_action=True),
        stripe.CardError,
    )
    assert error.code == "authentication_required"


def test_a_mistyped_number_is_told_before_anything_is_charged(account: Account) -> None:
    error = refused(lambda: _by_number(account, "4242424242424241"), stripe.CardError)
    assert (error.http_status, error.code) == (402, "incorrect_number")


def test_a_card_is_known_by_its_token_as_well(account: Account) -> None:
    for token in ("tok_visa", "tok_mastercard"):
        paid = account.open(
            payment_method_data={"type": "card", "card": {"token": token}}, confirm=True
        )
        assert paid.status == "succeeded"
    unknown = {"type": "card", "card": {"token": "tok_none"}}
    error = refused(lambda: account.open(payment_method_data=unknown, confirm=True))
    assert error.code == "resource_missing"


def test_there_is_no_such_card(account: Account) -> None:
    error = refused(lambda: account.open("none"))
    assert (error.http_status, error.code, error.param) == (
        400,
        "resource_missing",
        "payment_method",
    )


def test_every_card_has_a_number_of_its_own() -> None:
    assert len({card.number for card in CARDS.values()}) == len(CARDS)


def test_the_next_card_is_declined_as_wished_and_only_that(account: Account) -> None:
    account.control.decline_next("insufficient_funds")
    error = refused(lambda: account.open("visa"), stripe.CardError)
    assert error.error.decline_code == "insufficient_funds"
    assert account.open("visa").status == "succeeded"
