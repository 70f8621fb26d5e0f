"""What an endpoint does not know it refuses, and so it does with what is malformed."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.tests.account import NEVER_REDIRECT, Account, refused

INTENTS = "/v1/payment_intents"
MADE = {"amount": "1000", "currency": "brl"}


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"colour": "red"}, "parameter_unknown", "colour"),
        (
            {"automatic_payment_methods[on]": "true"},
            "parameter_unknown",
            "automatic_payment_methods[on]",
        ),
        (
            {"payment_method_types[0]": "card"},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        ({"application_fee_amount": "5"}, "parameter_not_simulated", "application_fee_amount"),
        (
            {"payment_method_options[card][moto]": "true"},
            "parameter_not_simulated",
            "payment_method_options[card][moto]",
        ),
        ({"confirm": "yes"}, "parameter_invalid_boolean", "confirm"),
        ({"amount": "10.5"}, "parameter_invalid_integer", "amount"),
        ({"amount": "1e3"}, "parameter_invalid_integer", "amount"),
        ({"amount": "\u0661\u0660\u0660\u0660"}, "parameter_invalid_integer", "amount"),
        ({"amount": ""}, "parameter_invalid_empty", "amount"),
        ({"amount": "0"}, "parameter_invalid_integer", "amount"),
        ({"amount": "49"}, "amount_too_small", "amount"),
        ({"amount": "100000000"}, "amount_too_large", "amount"),
        ({"shipping": "here"}, "parameter_invalid_object", "shipping"),
        ({"metadata[a][b]": "1"}, None, "metadata"),
        ({"metadata[" + "k" * 41 + "]": "1"}, None, "metadata"),
        ({"metadata[k]": "v" * 501}, None, "metadata"),
        ({"capture_method": "later"}, None, "capture_method"),
        ({"setup_future_usage": "always"}, None, "setup_future_usage"),
        ({"currency": "zzz"}, None, "currency"),
        ({"off_session": "true"}, None, "off_session"),
        ({"return_url": "https://shop.example"}, None, "return_url"),
    ],
)
def test_a_wrong_parameter_is_named(
    account: Account, more: dict[str, str], code: str | None, param: str
) -> None:
    answer = account.send("POST", INTENTS, {**MADE, **more})
    assert answer.status == 400
    assert answer.error["type"] == "invalid_request_error"
    assert (answer.error.get("code"), answer.error["param"]) == (code, param)
    assert account.send("GET", INTENTS).json["data"] == []


@pytest.mark.parametrize("name", ["amount", "currency"])
def test_what_is_missing_is_named(account: Account, name: str) -> None:
    rest = {key: value for key, value in MADE.items() if key != name}
    error = account.send("POST", INTENTS, rest).error
    assert (error["code"], error["param"]) == ("parameter_missing", name)
    assert error["message"] == f"Missing required param: {name}."


def test_an_unknown_parameter_is_told_in_stripes_words(account: Account) -> None:
    error = account.send("POST", INTENTS, {**MADE, "colour": "red"}).error
    assert error["message"] == "Received unknown parameter: colour"


@pytest.mark.parametrize(
    ("currency", "taken", "refused_amount"),
    [
        ("jpy", 50, 49),
        ("kwd", 1230, 1234),
        ("isk", 5000, 5050),
        ("ugx", 500000, 500050),
        ("gbp", 30, 29),
        ("mxn", 1000, 999),
    ],
)
def test_every_currency_has_its_own_amounts(
    account: Account, currency: str, taken: int, refused_amount: int
) -> None:
    paid = account.open("visa", taken, currency=currency)
    assert (paid.amount_received, paid.currency) == (taken, currency)
    error = refused(lambda: account.open("visa", refused_amount, currency=currency))
    assert error.param == "amount"


def test_metadata_may_have_numbers_for_names(account: Account) -> None:
    for names in (("0", "1"), ("7",), ("0", "x")):
        metadata = dict.fromkeys(names, "v")
        assert account.open(metadata=metadata).metadata.to_dict() == metadata


def test_an_empty_whole_takes_every_entry_of_metadata_away(account: Account) -> None:
    made = account.open()
    answer = account.send("POST", f"{INTENTS}/{made.id}", {"metadata": ""})
    assert answer.json["metadata"] == {}


def test_where_the_goods_go_is_kept(account: Account) -> None:
    to: dict[str, Any] = {"name": "Ana", "address": {"line1": "Rua A, 1", "country": "BR"}}
    shipping = account.intents.retrieve(account.open(shipping=to).id).shipping
    assert shipping is not None
    assert (shipping.name, shipping.address.line1, shipping.phone) == ("Ana", "Rua A, 1", None)


def test_the_cards_own_options_can_hold_what_would_be_captured(account: Account) -> None:
    held = account.open("visa", payment_method_options={"card": {"capture_method": "manual"}})
    assert (held.status, held.amount_capturable) == ("requires_capture", 1000)


def test_the_shop_can_want_the_shopper_to_be_asked(account: Account) -> None:
    wanted = {"card": {"request_three_d_secure": "any"}}
    assert account.open("threeDSecureOptional").status == "succeeded"
    asked = account.open("threeDSecureOptional", payment_method_options=wanted)
    assert asked.status == "requires_action"


def test_an_empty_id_is_answered_by_the_list(account: Account) -> None:
    made = account.open()
    answer = account.send("GET", f"{INTENTS}/")
    assert [each["id"] for each in answer.json["data"]] == [made.id]


def test_only_one_way_of_choosing_payment_methods(account: Account) -> None:
    error = refused(
        lambda: account.open(
            automatic_payment_methods=NEVER_REDIRECT, allowed_payment_method_types=["card"]
        )
    )
    assert error.param == "automatic_payment_methods"


@pytest.mark.parametrize(
    ("currency", "amount", "words"),
    [
        ("brl", 49, "Amount must be at least R$0.50 brl"),
        ("jpy", 49, "Amount must be at least ¥50 jpy"),
        ("usd", 100_000_000, "Amount must be no more than $999,999.99"),
        ("kwd", 100_000_000, "Amount must be no more than 99,999.999"),
    ],
)
def test_an_amount_is_written_as_its_currency_writes_it(
    account: Account, currency: str, amount: int, words: str
) -> None:
    answer = account.send("POST", INTENTS, {"amount": str(amount), "currency": currency})
    assert answer.error["message"] == words
