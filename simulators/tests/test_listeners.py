"""Webhook endpoints made by the API: who is told what, signed with whose secret."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from simulators.tests.account import Account, Receiver, receiver, refused, until


@pytest.fixture
def deaf(account: Account) -> Any:
    """A receiver that the simulator does not know yet."""
    with receiver() as mine:
        yield mine
        account.control.pause()


def listen(account: Account, to: Receiver, *events: str) -> stripe.WebhookEndpoint:
    kinds: Any = list(events)
    return account.sdk.v1.webhook_endpoints.create({"url": to.url, "enabled_events": kinds})


def test_an_endpoint_is_told_what_it_asked_for_and_nothing_else(
    account: Account, deaf: Receiver
) -> None:
    listen(account, deaf, "payment_intent.succeeded", "charge.refunded")
    paid = account.open("visa")
    account.refunds.create({"payment_intent": paid.id})
    assert account.control.flush()
    assert sorted(deaf.kinds()) == ["charge.refunded", "payment_intent.succeeded"]


def test_its_secret_is_told_once_and_signs_its_events(account: Account, deaf: Receiver) -> None:
    made = listen(account, deaf, "*")
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    again = account.sdk.v1.webhook_endpoints.retrieve(made.id)
    assert "secret" not in again
    account.open()
    [received] = until(lambda: list(deaf.received), "nothing was told")
    event = account.sdk.construct_event(received.body, received.signature, made.secret)
    assert event.type == "payment_intent.created"
    assert event.pending_webhooks == 1
    with pytest.raises(stripe.SignatureVerificationError):
        account.sdk.construct_event(
            received.body, received.signature, account.simulator.webhook_secret
        )


def test_several_endpoints_are_told_each(account: Account, deaf: Receiver, hook: Receiver) -> None:
    listen(account, deaf, "payment_intent.created")
    account.open()
    assert account.control.flush()
    assert deaf.kinds() == hook.kinds() == ["payment_intent.created"]
    assert account.control.events()[0]["pending_webhooks"] == 2


def test_what_was_disabled_or_deleted_is_told_nothing(account: Account, deaf: Receiver) -> None:
    endpoints = account.sdk.v1.webhook_endpoints
    made = listen(account, deaf, "*")
    assert endpoints.update(made.id, {"disabled": True}).status == "disabled"
    account.open()
    assert endpoints.update(made.id, {"disabled": False}).status == "enabled"
    assert [each.id for each in endpoints.list().data] == [made.id]
    endpoints.delete(made.id)
    assert endpoints.list().data == []
    account.open()
    assert account.control.flush()
    assert deaf.kinds() == []


@pytest.mark.parametrize(
    ("url", "kind", "param"),
    [
        ("shop.example/hook", "*", "url"),
        ("ftp://shop.example/hook", "*", "url"),
        ("https://shop.example/hook", "everything", "enabled_events[0]"),
    ],
)
def test_an_endpoint_that_cannot_be_told_is_refused(
    account: Account, url: str, kind: Any, param: str
) -> None:
    endpoints = account.sdk.v1.webhook_endpoints
    error = refused(lambda: endpoints.create({"url": url, "enabled_events": [kind]}))
    assert error.param == param
