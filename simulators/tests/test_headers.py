"""Headers: who asks, in which version, and what a client may do next."""

from __future__ import annotations

import base64
import http.client
from urllib.parse import urlsplit

import pytest
import stripe

from simulators.tests.account import Account, refused

ACCOUNT = "/v1/account"


def ask(account: Account, **headers: str) -> http.client.HTTPResponse:
    """A request with these headers alone; ``_`` stands for ``-`` in their names."""
    connection = http.client.HTTPConnection(str(urlsplit(account.simulator.url).netloc), timeout=15)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request("GET", ACCOUNT, headers=sent)
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:".encode()).decode()


def test_a_key_comes_as_a_bearer_or_as_a_user(account: Account) -> None:
    key = account.simulator.api_key
    assert ask(account, Authorization=f"Bearer {key}").status == 200
    assert ask(account, Authorization=basic(key)).status == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Basic ???", "Digest x", basic("sk_test_nobody"), basic("")]
)
def test_whoever_has_no_key_is_turned_away(account: Account, header: str) -> None:
    answer = ask(account, Authorization=header)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_wrong_key_is_shown_in_part_only(account: Account) -> None:
    error = account.send("GET", ACCOUNT, secret="sk_test_abcdefghijklmnop").error
    assert error["message"] == "Invalid API Key provided: sk_test_************mnop"


def test_the_version_that_was_asked_for_is_told_back(account: Account) -> None:
    key = f"Bearer {account.simulator.api_key}"
    asked = ask(account, Authorization=key, Stripe_Version="2026-09-30.endive")
    assert asked.headers["Stripe-Version"] == "2026-09-30.endive"
    assert ask(account, Authorization=key).headers["Stripe-Version"] == "2026-10-28.endive"


def test_every_request_has_a_name_of_its_own(account: Account) -> None:
    names = {account.send("GET", ACCOUNT).headers["Request-Id"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("req_") for name in names)


def test_a_client_is_told_whether_to_ask_again(account: Account) -> None:
    account.control.fault(kind="rate_limit", path=ACCOUNT, retry_after=7)
    limited = account.send("GET", ACCOUNT)
    assert (limited.status, limited.headers["Retry-After"]) == (429, "7")
    assert limited.headers["Stripe-Should-Retry"] == "true"
    assert account.send("GET", ACCOUNT).headers["Stripe-Should-Retry"] == "false"


def test_radar_blocks_before_any_bank_is_asked(account: Account) -> None:
    error = refused(lambda: account.open("radarBlock"), stripe.CardError)
    charge = account.sdk.v1.charges.retrieve(error.error.charge)
    assert charge.outcome is not None
    assert (charge.outcome.type, charge.outcome.network_status) == (
        "blocked",
        "not_sent_to_network",
    )
    assert account.movements() == []
