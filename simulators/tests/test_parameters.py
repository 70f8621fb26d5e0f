"""Parameters: what is unknown, missing, malformed or out of range is refused with its code."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.tests.account import Account

INTENTS = "/v1/payment_intents"
GOOD = {"amount": "1000", "currency": "brl"}


def _refused(account: Account, **changed: str | None) -> Any:
    form = {name: value for name, value in (GOOD | changed).items() if value is not None}
    answer = account.send("POST", INTENTS, form)
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
    assert account.control.events() == []
    return answer.error


@pytest.mark.parametrize("name", ["amount", "currency"])
def test_a_missing_parameter_is_named(account: Account, name: str) -> None:
    error = _refused(account, **{name: None})
    assert (error["code"], error["param"]) == ("parameter_missing", name)


@pytest.mark.parametrize(
    "name", ["amonut", "source", "automatic_payment_methods[on]", "metadata_extra"]
)
def test_an_unknown_parameter_is_named(account: Account, name: str) -> None:
    error = _refused(account, **{name: "1"})
    assert (error["code"], error["param"]) == ("parameter_unknown", name)


@pytest.mark.parametrize("amount", ["10.0", "10.50", "1e3", "abc", " 10", "\u0661\u0660"])
def test_an_amount_is_a_whole_number(account: Account, amount: str) -> None:
    error = _refused(account, amount=amount)
    assert (error["code"], error["param"]) == ("parameter_invalid_integer", "amount")


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_an_amount_is_more_than_nothing(account: Account, amount: str) -> None:
    error = _refused(account, amount=amount)
    assert (error["code"], error["param"]) == ("parameter_invalid_integer", "amount")


@pytest.mark.parametrize(
    ("currency", "least"), [("brl", 50), ("usd", 50), ("gbp", 30), ("jpy", 50), ("huf", 17_500)]
)
def test_an_amount_has_a_least_and_a_most(account: Account, currency: str, least: int) -> None:
    error = _refused(account, amount=str(least - 1), currency=currency)
    assert (error["code"], error["param"]) == ("amount_too_small", "amount")
    error = _refused(account, amount="100000000", currency=currency)
    assert (error["code"], error["param"]) == ("amount_too_large", "amount")
    form = {"amount": least, "currency": currency}
    assert account.send("POST", INTENTS, form).json["amount"] == least


def test_amounts_with_three_places_end_in_nought(account: Account) -> None:
    assert _refused(account, amount="1005", currency="kwd")["param"] == "amount"
    assert account.send("POST", INTENTS, {"amount": 1010, "currency": "kwd"}).status == 200


def test_a_currency_is_known_and_written_small(account: Account) -> None:
    assert _refused(account, currency="xxx")["param"] == "currency"
    assert account.send("POST", INTENTS, GOOD | {"currency": "BRL"}).json["currency"] == "brl"


@pytest.mark.parametrize("path", ["", "/{id}", "/{id}/confirm"])
def test_payment_method_types_are_no_longer_taken(account: Account, path: str) -> None:
    opened = account.open()
    form = (GOOD if not path else {}) | {"payment_method_types[0]": "card"}
    answer = account.send("POST", INTENTS + path.format(id=opened.id), form)
    assert (answer.status, answer.error["code"]) == (
        400,
        "payment_method_types_no_longer_supported",
    )
    assert answer.error["param"] == "payment_method_types"


@pytest.mark.parametrize(
    ("name", "value", "param"),
    [
        ("confirm", "yes", "confirm"),
        ("capture_method", "later", "capture_method"),
        ("automatic_payment_methods", "on", "automatic_payment_methods"),
        (
            "automatic_payment_methods[allow_redirects]",
            "sometimes",
            "automatic_payment_methods[allow_redirects]",
        ),
        ("metadata", "text", "metadata"),
        ("off_session", "true", "off_session"),
        ("description[0]", "x", "description"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(
    account: Account, name: str, value: str, param: str
) -> None:
    assert _refused(account, **{name: value})["param"] == param


def test_metadata_has_its_limits(account: Account) -> None:
    for name, value in (("metadata[" + "n" * 41 + "]", "v"), ("metadata[n]", "v" * 501)):
        assert _refused(account, **{name: value})["param"] == "metadata"
    many = {f"metadata[{number}-n]": "v" for number in range(51)}
    assert _refused(account, **many)["param"] == "metadata"
    fits = GOOD | {"metadata[" + "n" * 40 + "]": "v" * 500}
    assert account.send("POST", INTENTS, fits).status == 200


def test_metadata_keeps_every_letter(account: Account) -> None:
    entries = {"it's": 'a "b" & c=d', "ç": "naïve 🍰\n", "0": "zero"}
    opened = account.open(metadata=entries)
    assert account.intents.retrieve(opened.id).metadata.to_dict() == entries


def test_metadata_named_by_numbers_stays_metadata(account: Account) -> None:
    opened = account.open(metadata={"0": "a", "1": "b"})
    assert opened.metadata.to_dict() == {"0": "a", "1": "b"}


def test_there_is_no_such_address(account: Account) -> None:
    answer = account.send("POST", "/v1/nonsense")
    assert (answer.status, answer.error["type"]) == (404, "invalid_request_error")
    assert "POST: /v1/nonsense" in answer.error["message"]
    assert account.send("DELETE", "/v1/refunds").status == 404
