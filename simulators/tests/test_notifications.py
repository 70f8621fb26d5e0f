"""Notifications: signed, in order, repeated until they are taken, to everybody who asked."""

from __future__ import annotations

from itertools import pairwise

import pytest
import stripe

from simulators.tests.account import Account, Receiver, receiver, refused, until


def test_the_sdk_verifies_what_arrives(account: Account, hook: Receiver) -> None:
    paid = account.open("visa")
    assert account.control.flush()
    secret = account.simulator.webhook_secret
    for one in hook.received:
        event = account.sdk.construct_event(one.body, one.signature, secret)
        assert event.id.startswith("evt_")
        assert event.livemode is False
    told = {one.event["type"]: one.event["data"]["object"]["id"] for one in hook.received}
    assert told["payment_intent.succeeded"] == paid.id
    for body, key in ((one.body + b" ", secret), (one.body, "whsec_other")):
        refused(
            lambda body=body, key=key: account.sdk.construct_event(body, one.signature, key),  # type: ignore[misc]
            stripe.SignatureVerificationError,
        )


def test_events_say_which_request_made_them(account: Account, hook: Receiver) -> None:
    account.open()
    account.control.flush()
    asked: dict[str, object] = {"amount": 500, "currency": "brl"}
    account.intents.create(asked, {"idempotency_key": "mine"})  # type: ignore[arg-type]
    account.control.flush()
    first, second = (one.event["request"] for one in hook.received)
    assert second["idempotency_key"] == "mine"
    assert first["id"].startswith("req_")
    assert first["id"] != second["id"]


def test_what_was_kept_back_arrives_when_deliveries_go_on(account: Account, hook: Receiver) -> None:
    account.control.pause()
    account.open("visa")
    assert account.control.flush()
    assert hook.received == []
    account.control.resume()
    account.control.flush()
    assert sorted(hook.kinds()) == [
        "charge.succeeded",
        "payment_intent.created",
        "payment_intent.succeeded",
    ]


def test_what_comes_one_after_the_other_arrives_in_order(account: Account, hook: Receiver) -> None:
    opened = account.open()
    account.control.flush()
    account.control.pay(opened.id)
    account.control.flush()
    account.refunds.create({"payment_intent": opened.id})
    account.control.flush()
    kinds = hook.kinds()
    assert kinds[0] == "payment_intent.created"
    assert set(kinds[1:3]) == {"charge.succeeded", "payment_intent.succeeded"}
    assert set(kinds[3:]) == {"refund.created", "charge.refunded"}


def test_a_notification_comes_again_until_it_is_taken(account: Account, hook: Receiver) -> None:
    hook.answers = [500, 404, 302]
    account.open()
    assert account.control.flush()
    assert len(hook.received) == 4
    assert len({one.body for one in hook.received}) == 1
    times = [one.at for one in hook.received]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[0] < pauses[1] < pauses[2]
    for one in hook.received:
        account.sdk.construct_event(one.body, one.signature, account.simulator.webhook_secret)


def test_flushing_says_when_something_is_still_on_its_way(account: Account, hook: Receiver) -> None:
    hook.answers = [500] * 20
    account.open()
    until(lambda: hook.received, "the first attempt")
    assert account.control.flush(patience=0.1) is False


def test_every_endpoint_is_told_with_its_own_secret(account: Account, hook: Receiver) -> None:
    with receiver() as other:
        account.control.add_webhook_endpoint(other.url, "whsec_other")
        assert {one["url"] for one in account.control.webhook_endpoints()} == {hook.url, other.url}
        hook.answers = [500]
        account.open()
        assert account.control.flush()
        assert (len(hook.received), len(other.received)) == (2, 1)
        one = other.received[0]
        account.sdk.construct_event(one.body, one.signature, "whsec_other")
        assert "whsec" not in str(account.control.webhook_endpoints())


def test_an_event_is_signed_on_demand(account: Account) -> None:
    paid = account.open("visa")
    signed = account.control.webhook(paid.id)
    secret = account.simulator.webhook_secret
    event = account.sdk.construct_event(
        signed["body"], signed["headers"]["Stripe-Signature"], secret
    )
    assert event.type == "payment_intent.succeeded"
    first = account.control.events()[0]
    again = account.control.sign(first["id"])
    assert f'"{first["id"]}"' in again["body"]
    with pytest.raises(Exception, match="has no events"):
        account.control.webhook("pi_none")


def test_a_reset_tells_nobody_any_more(account: Account, hook: Receiver) -> None:
    account.open("visa")
    account.control.flush()
    account.control.reset()
    hook.received.clear()
    assert account.control.events() == []
    assert account.control.ledger() == {"movements": [], "orders": {}}
    assert account.intents.list().data == []
    account.open("visa")
    assert account.control.flush()
    assert hook.received == []
