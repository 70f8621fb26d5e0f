"""Holds: captured whole, in part, in several parts, never beyond; released, lapsed."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.tests.account import Account, refused

WEEK = 7 * 86_400


def _charge(account: Account, intent: Any) -> Any:
    return account.sdk.v1.charges.retrieve(intent.latest_charge)


def test_a_hold_takes_nothing(account: Account) -> None:
    held = account.hold()
    assert (held.status, held.amount_capturable, held.amount_received) == (
        "requires_capture",
        1000,
        0,
    )
    assert (account.control.held("A-1"), account.control.moved("A-1")) == (1000, 0)
    charge = _charge(account, held)
    assert (charge.captured, charge.paid, charge.amount_captured) == (False, True, 0)
    assert charge.payment_method_details.card.capture_before == charge.created + WEEK


def test_a_whole_capture_takes_what_is_held(account: Account) -> None:
    held = account.hold()
    taken = account.intents.capture(held.id)
    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 1000)
    charge = _charge(account, taken)
    assert (charge.captured, charge.amount_captured) == (True, 1000)
    assert account.movements() == [("authorized", 1000), ("captured_from_hold", 1000)]
    assert account.kinds()[-2:] == ["charge.captured", "payment_intent.succeeded"]


def test_a_partial_capture_releases_the_rest(account: Account) -> None:
    held = account.hold()
    taken = account.intents.capture(held.id, {"amount_to_capture": 400})
    assert (taken.status, taken.amount, taken.amount_capturable, taken.amount_received) == (
        "succeeded",
        1000,
        0,
        400,
    )
    assert account.movements() == [
        ("authorized", 1000),
        ("captured_from_hold", 400),
        ("released", 600),
    ]
    assert (account.control.held("A-1"), account.control.moved("A-1")) == (0, 400)
    error = refused(lambda: account.intents.capture(held.id, {"amount_to_capture": 1}))
    assert error.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize("amount", [1001, 99_999_999])
def test_more_than_is_held_is_refused(account: Account, amount: int) -> None:
    held = account.hold()
    error = refused(lambda: account.intents.capture(held.id, {"amount_to_capture": amount}))
    assert (error.http_status, error.code, error.param) == (
        400,
        "amount_too_large",
        "amount_to_capture",
    )
    assert account.intents.capture(held.id).amount_received == 1000


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_is_not_captured(account: Account, amount: int) -> None:
    held = account.hold()
    error = refused(lambda: account.intents.capture(held.id, {"amount_to_capture": amount}))
    assert (error.http_status, error.param) == (400, "amount_to_capture")
    assert account.control.held("A-1") == 1000


def test_where_it_was_asked_for_a_hold_is_captured_in_parts(account: Account) -> None:
    held = account.held_many_times()
    card = _charge(account, held).payment_method_details.card
    assert card.multicapture.status == "available"
    first = account.intents.capture(held.id, {"amount_to_capture": 300, "final_capture": False})
    assert (first.status, first.amount_capturable, first.amount_received) == (
        "requires_capture",
        700,
        300,
    )
    assert (account.control.held("A-1"), account.control.moved("A-1")) == (700, 300)
    second = account.intents.capture(held.id, {"amount_to_capture": 200, "final_capture": False})
    assert (second.amount_capturable, second.amount_received) == (500, 500)
    error = refused(lambda: account.intents.capture(held.id, {"amount_to_capture": 501}))
    assert error.code == "amount_too_large"
    last = account.intents.capture(held.id, {"amount_to_capture": 100})
    assert (last.status, last.amount_capturable, last.amount_received) == ("succeeded", 0, 600)
    assert (account.control.held("A-1"), account.control.moved("A-1")) == (0, 600)
    assert _charge(account, last).amount_captured == 600


def test_where_it_was_not_asked_for_there_is_one_capture_only(account: Account) -> None:
    held = account.hold()
    part: Any = {"amount_to_capture": 300, "final_capture": False}
    error = refused(lambda: account.intents.capture(held.id, part))
    assert (error.http_status, error.param) == (400, "final_capture")
    assert account.control.held("A-1") == 1000


def test_the_rest_of_a_hold_that_was_captured_in_part_can_be_released(account: Account) -> None:
    held = account.held_many_times()
    account.intents.capture(held.id, {"amount_to_capture": 300, "final_capture": False})
    account.intents.cancel(held.id)
    assert (account.control.held("A-1"), account.control.moved("A-1")) == (0, 300)


def test_a_canceled_hold_is_released(account: Account) -> None:
    held = account.hold()
    account.intents.cancel(held.id)
    assert account.movements() == [("authorized", 1000), ("released", 1000)]
    error = refused(lambda: account.intents.capture(held.id))
    assert error.code == "payment_intent_unexpected_state"


def test_a_hold_lapses_after_seven_days_and_not_before(account: Account) -> None:
    held = account.hold()
    account.control.advance(WEEK - 60)
    assert account.intents.retrieve(held.id).status == "requires_capture"
    account.control.advance(60)
    lapsed = account.intents.retrieve(held.id)
    assert (lapsed.status, lapsed.cancellation_reason) == ("canceled", "automatic")
    assert account.control.held("A-1") == 0
    assert sorted(account.kinds()[-2:]) == ["charge.expired", "payment_intent.canceled"]
    error = refused(lambda: account.intents.capture(held.id))
    assert error.code == "payment_intent_unexpected_state"


def test_what_was_captured_does_not_lapse(account: Account) -> None:
    account.intents.capture(account.hold().id)
    account.control.advance(2 * WEEK)
    assert account.control.moved("A-1") == 1000
    assert "charge.expired" not in account.kinds()
