"""Faults on demand: what breaks, before or after the effect, for whom, and how often."""

from __future__ import annotations

import http.client
import time
from typing import Any

import pytest
import stripe

from omniman_payment_simulators.stripe.control import ControlError
from simulators.tests.account import NEVER_REDIRECT, Account, refused

INTENTS = "/v1/payment_intents"
BROKEN = (ConnectionError, http.client.RemoteDisconnected)


def _pay(account: Account, timeout: float = 15.0) -> Any:
    form = {
        "amount": 1000,
        "currency": "brl",
        "payment_method": "pm_card_visa",
        "confirm": "true",
        "automatic_payment_methods[enabled]": "true",
        "automatic_payment_methods[allow_redirects]": "never",
        "metadata[order_ref]": "A-1",
    }
    return account.send("POST", INTENTS, form, timeout=timeout)


@pytest.mark.parametrize(("when", "moved"), [("before", 0), ("after", 1000)])
@pytest.mark.parametrize("kind", ["drop", "reset"])
def test_a_connection_ends_without_an_answer(
    account: Account, kind: str, when: str, moved: int
) -> None:
    account.control.fault(kind=kind, when=when, path=INTENTS)
    with pytest.raises(BROKEN):
        _pay(account)
    assert account.control.moved("A-1") == moved
    assert _pay(account).status == 200


def test_a_reset_is_seen_as_one(account: Account) -> None:
    account.control.fault(kind="reset", when="after")
    with pytest.raises(ConnectionResetError):
        _pay(account)


@pytest.mark.parametrize("kind", ["drop", "reset"])
def test_the_sdk_cannot_know_what_happened(account: Account, kind: str) -> None:
    account.control.fault(kind=kind, when="after", method="POST")
    refused(lambda: account.open("visa"), stripe.APIConnectionError)
    assert account.control.moved("A-1") == 1000


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_comes_late(account: Account, when: str) -> None:
    account.control.fault(kind="delay", when=when, seconds=0.3)
    began = time.monotonic()
    assert _pay(account).status == 200
    assert time.monotonic() - began >= 0.3


def test_who_does_not_wait_is_charged_all_the_same(account: Account) -> None:
    account.control.fault(kind="delay", when="after", seconds=0.5)
    with pytest.raises(TimeoutError):
        _pay(account, timeout=0.1)
    assert account.control.moved("A-1") == 1000


def test_a_rate_limit_says_when_to_come_again(account: Account) -> None:
    account.control.fault(kind="rate_limit", retry_after=7)
    answer = _pay(account)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert (answer.error["type"], answer.error["code"]) == ("rate_limit_error", "rate_limit")
    assert answer.headers["Stripe-Should-Retry"] == "true"
    assert account.movements() == []
    account.control.fault(kind="rate_limit")
    refused(lambda: account.open("visa"), stripe.RateLimitError)


@pytest.mark.parametrize(("when", "moved"), [("before", 0), ("after", 1000)])
@pytest.mark.parametrize("status", [500, 503])
def test_an_error_of_the_server(account: Account, when: str, moved: int, status: int) -> None:
    account.control.fault(kind="error", when=when, status=status)
    answer = _pay(account)
    assert (answer.status, answer.error["type"]) == (status, "api_error")
    assert account.control.moved("A-1") == moved
    account.control.fault(kind="error", status=status)
    refused(lambda: account.open("visa"), stripe.APIError)


def test_a_fault_is_for_the_requests_that_fit(account: Account) -> None:
    held = account.hold()
    account.control.fault(kind="error", method="POST", path=f"{INTENTS}/*/capture")
    assert account.intents.retrieve(held.id).status == "requires_capture"
    assert _pay(account).status == 200
    capture = f"{INTENTS}/{held.id}/capture"
    assert account.send("POST", capture).status == 500
    assert account.send("POST", capture).status == 200


def test_a_fault_happens_as_often_as_wished(account: Account) -> None:
    account.control.fault(kind="error", times=3)
    answers = [account.send("GET", "/v1/account").status for _ in range(5)]
    assert answers == [500, 500, 500, 200, 200]


def test_faults_come_in_their_order(account: Account) -> None:
    account.control.fault(kind="error", status=503)
    account.control.fault(kind="rate_limit")
    answers = [account.send("GET", "/v1/account").status for _ in range(3)]
    assert answers == [503, 429, 200]


def test_faults_can_be_called_off(account: Account) -> None:
    account.control.fault(kind="error", times=9)
    account.control.clear_faults()
    assert account.send("GET", "/v1/account").status == 200


def test_the_control_api_has_no_faults(account: Account) -> None:
    account.control.fault(kind="drop", times=9)
    assert account.control.ledger()["movements"] == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"kind": "flood"}, "kind is one of"),
        ({"kind": "drop", "when": "during"}, "when is before or after"),
        ({"kind": "rate_limit", "when": "after"}, "a rate limit always comes before"),
        ({"kind": "drop", "times": 0}, "times is 1 or more"),
        ({"kind": "drop", "often": 2}, "a fault has no often"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(
    account: Account, wrong: dict[str, Any], why: str
) -> None:
    with pytest.raises(ControlError, match=why):
        account.control.fault(**wrong)


def test_every_request_is_remembered_without_the_key_of_the_account(account: Account) -> None:
    account.control.fault(kind="drop", when="after", method="POST")
    asked: Any = {"amount": 1000, "currency": "brl", "automatic_payment_methods": NEVER_REDIRECT}
    options: Any = {"idempotency_key": "k"}
    refused(lambda: account.intents.create(asked, options), stripe.APIConnectionError)
    account.intents.create(asked, options)
    first, second = account.control.requests()
    assert (first["method"], first["path"], first["status"]) == ("POST", INTENTS, 200)
    assert first["params"]["automatic_payment_methods"]["enabled"] == "true"
    assert first["idempotency_key"] == second["idempotency_key"] == "k"
    assert first["response"] == second["response"]
    assert account.simulator.api_key not in str(account.control.requests())
