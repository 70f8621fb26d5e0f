"""Confirmation tokens, and a browser that confirms by itself."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.tests.account import Account, refused

TOKENS = "/v1/confirmation_tokens"
ENTERED = {"payment_method_data[type]": "card", "payment_method_data[card][token]": "tok_visa"}


def entered(account: Account, **more: str) -> str:
    """A token of what the shopper entered on the shop's page."""
    answer = account.browser("POST", TOKENS, {**ENTERED, **more})
    assert answer.status == 200, answer.text
    return str(answer.json["id"])


def test_the_shops_server_confirms_what_the_shopper_entered(account: Account) -> None:
    paid = account.open(confirm=True, confirmation_token=entered(account))
    assert (paid.status, account.control.moved("A-1")) == ("succeeded", 1000)


def test_a_token_brings_its_page_to_return_to(account: Account) -> None:
    token = entered(account, return_url="https://shop.example/back")
    paid = account.open(
        confirm=True, confirmation_token=token, automatic_payment_methods={"enabled": True}
    )
    assert paid.status == "succeeded"


def test_a_token_is_for_one_payment(account: Account) -> None:
    token = entered(account)
    account.open(confirm=True, confirmation_token=token)
    error = refused(lambda: account.open(confirm=True, confirmation_token=token))
    assert error.param == "confirmation_token"
    assert account.control.moved("A-1") == 1000


def test_tests_make_tokens_without_a_browser(account: Account) -> None:
    made = account.sdk.v1.test_helpers.confirmation_tokens.create(
        {"payment_method": "pm_card_threeDSecure2Required"}
    )
    found = account.sdk.v1.confirmation_tokens.retrieve(made.id)
    assert found.payment_method_preview is not None
    assert found.payment_method_preview.type == "card"
    asked = account.open(confirm=True, confirmation_token=made.id)
    assert asked.status == "requires_action"


@pytest.mark.parametrize(
    "more", [{"payment_method": "pm_card_visa"}, {"payment_method_data": {"type": "card"}}]
)
def test_a_token_comes_alone(account: Account, more: dict[str, Any]) -> None:
    token = entered(account)
    error = refused(lambda: account.open(confirm=True, confirmation_token=token, **more))
    assert error.param == "confirmation_token"


def test_there_is_no_such_token(account: Account) -> None:
    error = refused(lambda: account.open(confirm=True, confirmation_token="ctoken_none"))
    assert error.code == "resource_missing"


def test_a_browser_confirms_its_own_payment_and_no_other(account: Account) -> None:
    mine, other = account.open(), account.open()
    path = f"/v1/payment_intents/{mine.id}/confirm"
    secrets = (other.client_secret, "", None)
    for secret in secrets:
        form = {**ENTERED, **({} if secret is None else {"client_secret": secret})}
        assert account.browser("POST", path, form).status in (400, 401)
    answer = account.browser("POST", path, {**ENTERED, "client_secret": str(mine.client_secret)})
    assert (answer.status, answer.json["status"]) == (200, "succeeded")
