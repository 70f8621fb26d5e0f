"""Faults on demand at the Pix simulator: what breaks, before or after the effect."""

from __future__ import annotations

import http.client
import time
from typing import Any

import pytest

from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.pix.control import ControlError
from simulators.tests.pix_account import NAME, Answer, PixAccount

PATH = f"/v2/cob/{NAME(1)}"
# The end of a broken connection over TLS, whichever side sees it first.
BROKEN = (OSError, http.client.HTTPException)


@pytest.fixture
def account(pix_simulator: PixSimulator) -> PixAccount:
    """With a token, so that a fault meets the call itself."""
    account = PixAccount(pix_simulator)
    account.token = account.ask_for_token().json["access_token"]
    return account


def _open(account: PixAccount, timeout: float = 15.0) -> Answer:
    return account.send("PUT", PATH, account.body(), timeout=timeout)


def _exists(account: PixAccount) -> bool:
    return account.send("GET", PATH).status == 200


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
@pytest.mark.parametrize("kind", ["drop", "reset"])
def test_a_connection_ends_without_an_answer(
    account: PixAccount, kind: str, when: str, made: bool
) -> None:
    account.control.fault(kind=kind, when=when)
    with pytest.raises(BROKEN):
        _open(account)
    assert _exists(account) is made
    assert _open(account).status == (409 if made else 201)


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_of_the_server(account: PixAccount, when: str, made: bool, status: int) -> None:
    account.control.fault(kind="error", when=when, status=status)
    answer = _open(account)
    assert answer.status == status
    assert answer.json.get("nome", answer.json.get("title"))
    assert _exists(account) is made


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
@pytest.mark.parametrize("status", [200, 502])
def test_a_page_instead_of_an_answer(
    account: PixAccount, when: str, made: bool, status: int
) -> None:
    account.control.fault(kind="html", when=when, status=status)
    answer = _open(account)
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert _exists(account) is made


def test_a_rate_limit_says_when_to_come_again(account: PixAccount) -> None:
    account.control.fault(kind="rate_limit", retry_after=7)
    answer = _open(account)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert not _exists(account)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_comes_late(account: PixAccount, when: str) -> None:
    account.control.fault(kind="delay", when=when, seconds=0.3)
    began = time.monotonic()
    assert _open(account).status == 201
    assert time.monotonic() - began >= 0.3


def test_who_does_not_wait_has_a_charge_all_the_same(account: PixAccount) -> None:
    account.control.fault(kind="delay", when="after", seconds=1)
    with pytest.raises(TimeoutError):
        _open(account, timeout=0.3)
    assert _exists(account)


def test_a_token_can_meet_a_fault_as_well(account: PixAccount) -> None:
    account.control.fault(kind="html", status=200, path="/oauth/token")
    assert _open(account).status == 201
    assert account.ask_for_token().text.startswith("<!DOCTYPE html>")
    assert account.ask_for_token().status == 200


def test_a_return_can_be_made_although_nobody_heard(account: PixAccount) -> None:
    e2eid = account.paid()
    account.control.fault(kind="drop", when="after", method="PUT", path="/v2/pix/*")
    with pytest.raises(BROKEN):
        account.give_back(e2eid)
    assert account.movements() == [("paid", 1000), ("returned", 1000)]
    assert account.give_back(e2eid).status == 409


def test_faults_fit_are_counted_and_can_be_called_off(account: PixAccount) -> None:
    account.control.fault(kind="error", method="GET", path="/v2/cob/*", times=2)
    assert _open(account).status == 201
    assert [account.send("GET", PATH).status for _ in range(3)] == [500, 500, 200]
    account.control.fault(kind="error", times=9)
    account.control.clear_faults()
    assert _exists(account)


def test_the_control_api_has_no_faults(account: PixAccount) -> None:
    account.control.fault(kind="drop", times=9)
    assert account.control.ledger()["movements"] == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"kind": "flood"}, "kind is one of"),
        ({"kind": "html", "when": "during"}, "when is before or after"),
        ({"kind": "rate_limit", "when": "after"}, "a rate limit always comes before"),
        ({"kind": "drop", "times": 0}, "times is 1 or more"),
        ({"kind": "drop", "often": 2}, "a fault has no often"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(
    account: PixAccount, wrong: dict[str, Any], why: str
) -> None:
    with pytest.raises(ControlError, match=why):
        account.control.fault(**wrong)
