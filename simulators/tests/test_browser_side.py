"""What a browser may do: with the publishable key, for the client secret that it holds."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from simulators.tests.account import Account, Answer

CARD = {
    "payment_method_data[type]": "card",
    "payment_method_data[card][number]": "4242 4242 4242 4242",
    "payment_method_data[card][exp_month]": "12",
    "payment_method_data[card][exp_year]": "2034",
    "payment_method_data[card][cvc]": "123",
}


def _preflight(account: Account, path: str) -> Answer:
    connection = http.client.HTTPConnection(str(urlsplit(account.simulator.url).netloc))
    try:
        headers = {"Origin": "http://shop.example", "Access-Control-Request-Method": "POST"}
        connection.request("OPTIONS", path, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
    finally:
        connection.close()


@pytest.mark.parametrize("how", ["header", "parameter"])
def test_a_shopper_confirms_with_the_client_secret(account: Account, how: str) -> None:
    opened = account.open()
    form = {"client_secret": str(opened.client_secret), **CARD}
    path = f"/v1/payment_intents/{opened.id}/confirm"
    if how == "header":
        answer = account.browser("POST", path, form)
    else:
        form["key"] = account.simulator.publishable_key
        answer = account.send("POST", path, form, secret="")
    assert (answer.status, answer.json["status"]) == (200, "succeeded")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert account.control.moved("A-1") == 1000


def test_a_shopper_reads_the_payment_with_its_secret(account: Account) -> None:
    opened = account.open()
    form = {"client_secret": str(opened.client_secret)}
    answer = account.browser("GET", f"/v1/payment_intents/{opened.id}", form)
    assert (answer.status, answer.json["id"]) == (200, opened.id)


@pytest.mark.parametrize("action", ["", "/confirm"])
def test_a_wrong_secret_opens_nothing(account: Account, action: str) -> None:
    opened, other = account.open(), account.open()
    method = "POST" if action else "GET"
    path = f"/v1/payment_intents/{opened.id}{action}"
    form = {"client_secret": str(other.client_secret), **(CARD if action else {})}
    answer = account.browser(method, path, form)
    assert (answer.status, answer.error["param"]) == (400, "client_secret")
    assert account.movements() == []


@pytest.mark.parametrize("action", ["", "/confirm"])
def test_without_a_secret_the_publishable_key_opens_nothing(account: Account, action: str) -> None:
    opened = account.open()
    method = "POST" if action else "GET"
    answer = account.browser(method, f"/v1/payment_intents/{opened.id}{action}")
    assert (answer.status, answer.error["code"]) == (401, "secret_key_required")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/payment_intents"),
        ("GET", "/v1/payment_intents/search"),
        ("POST", "/v1/payment_intents"),
        ("POST", "/v1/payment_intents/{id}"),
        ("POST", "/v1/payment_intents/{id}/capture"),
        ("POST", "/v1/payment_intents/{id}/cancel"),
        ("POST", "/v1/refunds"),
        ("GET", "/v1/refunds"),
        ("GET", "/v1/charges/{charge}"),
        ("GET", "/v1/events"),
        ("GET", "/v1/account"),
    ],
)
def test_the_publishable_key_is_refused_elsewhere(account: Account, method: str, path: str) -> None:
    held = account.hold()
    form = {"client_secret": str(held.client_secret)}
    answer = account.browser(method, path.format(id=held.id, charge=held.latest_charge), form)
    assert (answer.status, answer.error["code"]) == (401, "secret_key_required")
    assert account.movements() == [("authorized", 1000)]


def test_a_decline_is_told_to_the_shopper(account: Account) -> None:
    opened = account.open()
    number = "payment_method_data[card][number]"
    form = {"client_secret": str(opened.client_secret), **CARD, number: "4000000000009995"}
    answer = account.browser("POST", f"/v1/payment_intents/{opened.id}/confirm", form)
    assert (answer.status, answer.error["decline_code"]) == (402, "insufficient_funds")
    assert answer.error["message"] == "Your card has insufficient funds."


def test_the_sdk_of_the_browser_handles_3d_secure_in_the_page(account: Account) -> None:
    opened = account.open()
    form = {
        "client_secret": str(opened.client_secret),
        **CARD,
        "payment_method_data[card][number]": "4000000000003220",
        "return_url": "https://shop.example/back",
        "use_stripe_sdk": "true",
    }
    answer = account.browser("POST", f"/v1/payment_intents/{opened.id}/confirm", form)
    assert answer.json["next_action"]["type"] == "use_stripe_sdk"


@pytest.mark.parametrize("secret", ["", "sk_test_somebody_elses_key"])
def test_nobody_else_gets_in(account: Account, secret: str) -> None:
    answer = account.send("GET", "/v1/account", secret=secret)
    assert (answer.status, answer.error["type"]) == (401, "invalid_request_error")
    # A key in an answer would end in somebody's log.
    assert "somebody_elses" not in answer.text


def test_the_script_is_served_to_every_origin(account: Account) -> None:
    answer = account.send("GET", "/js/stripe.js", secret="")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "window.Stripe" in answer.text


@pytest.mark.parametrize(
    "path",
    ["/v1/payment_intents/pi_1/confirm", "/_simulator/payment_intents/pi_1/authenticate"],
)
def test_a_page_of_another_origin_may_ask(account: Account, path: str) -> None:
    answer = _preflight(account, path)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


def test_a_page_of_another_origin_may_not_touch_the_rest(account: Account) -> None:
    for path in ("/_simulator/ledger", "/_simulator/reset", "/_simulator/faults"):
        answer = _preflight(account, path)
        assert "Access-Control-Allow-Origin" not in answer.headers
