"""Idempotency keys: one answer for a key, and exactly what is not kept."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import stripe

from simulators.tests.account import Account, refused

DAY = 24 * 3600
INTENTS = "/v1/payment_intents"
PAY = {
    "amount": "1000",
    "currency": "brl",
    "payment_method": "pm_card_visa",
    "confirm": "true",
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
    "metadata[order_ref]": "A-1",
}


def _pay(account: Account, key: str | None = "k", **changes: str) -> Any:
    return account.send("POST", INTENTS, PAY | changes, key=key)


def test_a_repeated_request_gets_the_first_answer_and_moves_nothing(account: Account) -> None:
    first, second = _pay(account), _pay(account)
    assert second.text == first.text
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert second.headers["Idempotency-Key"] == "k"
    assert account.control.moved("A-1") == 1000
    assert account.movements() == [("captured", 1000)]


def test_the_first_answer_stays_when_the_object_changes(account: Account) -> None:
    first = _pay(account)
    account.refunds.create({"payment_intent": first.json["id"]})
    account.intents.update(first.json["id"], {"description": "later"})
    assert _pay(account).text == first.text


def test_the_order_of_parameters_does_not_matter(account: Account) -> None:
    first = _pay(account)
    turned = account.send("POST", INTENTS, dict(reversed(PAY.items())), key="k")
    assert turned.text == first.text


@pytest.mark.parametrize("changed", [{"amount": "1001"}, {"description": "x"}])
def test_a_key_for_other_parameters_is_refused(account: Account, changed: dict[str, str]) -> None:
    _pay(account)
    answer = _pay(account, **changed)
    assert (answer.status, answer.error["type"]) == (400, "idempotency_error")
    assert answer.error["message"] == (
        "Keys for idempotent requests can only be used with the same parameters they were first "
        "used with. Try using a key other than 'k' if you meant to execute a different request."
    )
    assert account.movements() == [("captured", 1000)]
    assert _pay(account).status == 200


def test_a_key_for_another_endpoint_is_refused(account: Account) -> None:
    opened = _pay(account)
    answer = account.send("POST", f"{INTENTS}/{opened.json['id']}/cancel", {}, key="k")
    assert (answer.status, answer.error["type"]) == (400, "idempotency_error")
    assert "the same endpoint they were first used for" in answer.error["message"]


def test_the_sdk_tells_such_a_conflict_by_its_class(account: Account) -> None:
    asked: Any = {"amount": 1000, "currency": "brl"}
    account.intents.create(asked, {"idempotency_key": "k"})
    error = refused(
        lambda: account.intents.create({**asked, "amount": 2000}, {"idempotency_key": "k"}),
        stripe.IdempotencyError,
    )
    assert error.http_status == 400


def test_a_decline_is_kept(account: Account) -> None:
    first = _pay(account, payment_method="pm_card_visa_chargeDeclined")
    second = _pay(account, payment_method="pm_card_visa_chargeDeclined")
    assert (first.status, second.text) == (402, first.text)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert account.kinds().count("charge.failed") == 1


def test_a_refusal_of_the_work_itself_is_kept(account: Account) -> None:
    opened = account.open()
    path = f"{INTENTS}/{opened.id}/capture"
    first = account.send("POST", path, {}, key="k")
    assert first.status == 400
    account.control.pay(opened.id)
    assert account.send("POST", path, {}, key="k").text == first.text


def test_a_server_error_after_the_effect_is_kept(account: Account) -> None:
    account.control.fault(kind="error", when="after", path=INTENTS)
    first, second = _pay(account), _pay(account)
    assert (first.status, second.status) == (500, 500)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert account.movements() == [("captured", 1000)]


@pytest.mark.parametrize("wrong", [{"amount": "0"}, {"nonsense": "1"}, {"currency": "xxx"}])
def test_what_failed_its_validation_leaves_its_key_free(
    account: Account, wrong: dict[str, str]
) -> None:
    assert _pay(account, **wrong).status == 400
    answer = _pay(account)
    assert (answer.status, "Idempotent-Replayed" in answer.headers) == (200, False)


@pytest.mark.parametrize("kind", ["rate_limit", "error", "drop"])
def test_what_was_turned_away_before_its_effect_leaves_its_key_free(
    account: Account, kind: str
) -> None:
    account.control.fault(kind=kind, path=INTENTS)
    try:
        assert _pay(account).status in (429, 500)
    except ConnectionError:
        assert kind == "drop"
    assert account.movements() == []
    assert _pay(account).status == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_key_in_use_is_told_so(account: Account, when: str) -> None:
    account.control.fault(kind="delay", when=when, path=INTENTS, seconds=0.5)
    answers: list[Any] = []
    both = [threading.Thread(target=lambda: answers.append(_pay(account))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    told, paid = answers
    assert (told.status, paid.status) == (409, 200)
    assert told.error["code"] == "idempotency_key_in_use"
    assert told.headers["Stripe-Should-Retry"] == "true"
    assert _pay(account).text == paid.text
    assert account.movements() == [("captured", 1000)]


def test_a_key_is_forgotten_after_a_day(account: Account) -> None:
    first = _pay(account)
    account.control.advance(DAY - 60)
    assert _pay(account).text == first.text
    account.control.advance(60)
    again = _pay(account)
    assert again.json["id"] != first.json["id"]
    assert account.control.moved("A-1") == 2000


def test_a_lost_answer_is_asked_for_again(account: Account) -> None:
    account.control.fault(kind="drop", when="after", path=INTENTS)
    with pytest.raises(ConnectionError):
        _pay(account)
    assert account.control.moved("A-1") == 1000
    answer = _pay(account)
    assert (answer.status, answer.headers["Idempotent-Replayed"]) == (200, "true")
    assert account.movements() == [("captured", 1000)]


def test_a_key_can_be_too_long(account: Account) -> None:
    assert _pay(account, key="k" * 255).status == 200
    answer = _pay(account, key="k" * 256)
    assert (answer.status, answer.error["type"]) == (400, "idempotency_error")


def test_without_a_key_every_request_is_a_new_one(account: Account) -> None:
    assert _pay(account, key=None).json["id"] != _pay(account, key=None).json["id"]
    assert account.control.moved("A-1") == 2000


def test_reading_has_no_keys(account: Account) -> None:
    opened = account.open()
    path = f"{INTENTS}/{opened.id}"
    assert account.send("GET", path, key="k").json["status"] == "requires_payment_method"
    account.control.pay(opened.id)
    assert account.send("GET", path, key="k").json["status"] == "succeeded"
