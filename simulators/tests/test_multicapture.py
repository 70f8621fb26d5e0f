"""A hold that is captured in parts: docs.stripe.com/payments/multicapture."""

from __future__ import annotations

import stripe

from simulators.tests.account import Account, refused

DAY = 86_400


def charge_of(account: Account, intent: stripe.PaymentIntent) -> stripe.Charge:
    assert isinstance(intent.latest_charge, str)
    return account.sdk.v1.charges.retrieve(intent.latest_charge)


def test_a_charge_is_captured_only_with_the_last_part(account: Account) -> None:
    held = account.held_many_times()
    first = account.intents.capture(held.id, {"amount_to_capture": 300, "final_capture": False})
    assert (first.status, first.amount_received, first.amount_capturable) == (
        "requires_capture",
        300,
        700,
    )
    assert (charge_of(account, held).captured, charge_of(account, held).amount_captured) == (
        False,
        300,
    )
    account.intents.capture(held.id, {"amount_to_capture": 200})
    assert (charge_of(account, held).captured, charge_of(account, held).amount_captured) == (
        True,
        500,
    )
    assert (
        account.kinds()[-8:]
        == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.updated",
            "payment_intent.amount_capturable_updated",
            "charge.updated",
            "charge.captured",
            "payment_intent.amount_capturable_updated",
            "payment_intent.succeeded",
        ][-8:]
    )
    assert account.movements() == [
        ("authorized", 1000),
        ("captured_from_hold", 300),
        ("captured_from_hold", 200),
        ("released", 500),
    ]


def test_all_of_it_in_parts_still_waits_for_the_last_word(account: Account) -> None:
    held = account.held_many_times()
    whole = account.intents.capture(held.id, {"amount_to_capture": 1000, "final_capture": False})
    assert (whole.status, whole.amount_capturable) == ("requires_capture", 0)
    assert account.intents.capture(held.id, {"amount_to_capture": 0}).status == "succeeded"


def test_nothing_closes_what_was_captured_in_parts_and_only_that(account: Account) -> None:
    held = account.held_many_times()
    error = refused(lambda: account.intents.capture(held.id, {"amount_to_capture": 0}))
    assert error.param == "amount_to_capture"
    account.intents.capture(held.id, {"amount_to_capture": 300, "final_capture": False})
    closed = account.intents.capture(held.id, {"amount_to_capture": 0})
    assert (closed.status, closed.amount_received) == ("succeeded", 300)
    assert account.control.held("A-1") == 0


def test_what_was_captured_in_part_succeeds_when_its_hold_lapses(account: Account) -> None:
    held = account.held_many_times()
    account.intents.capture(held.id, {"amount_to_capture": 300, "final_capture": False})
    account.control.advance(8 * DAY)
    lapsed = account.intents.retrieve(held.id)
    assert (lapsed.status, lapsed.amount_received) == ("succeeded", 300)
    assert (account.control.moved("A-1"), account.control.held("A-1")) == (300, 0)


def test_a_part_is_refunded_before_the_last_capture(account: Account) -> None:
    held = account.held_many_times()
    account.intents.capture(held.id, {"amount_to_capture": 300, "final_capture": False})
    account.refunds.create({"payment_intent": held.id, "amount": 300})
    assert charge_of(account, held).refunded is False
    refused(lambda: account.refunds.create({"payment_intent": held.id, "amount": 1}))
    account.intents.capture(held.id, {"amount_to_capture": 0})
    assert charge_of(account, held).refunded is True
