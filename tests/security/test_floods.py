"""Floods with a genuine proof: the gateway is asked once, the inbox does not grow for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from omniman_payment_django.models import Directive, WebhookDelivery
from omniman_payment_django.webhooks import intake
from omniman_payment_django.webhooks.allowance import Allowance
from tests.campaigns.hostile.senders import Sender, encoded
from tests.campaigns.hostile.storefront import Storefront, storefront

FEW = 20


class Clock:
    """Moved on by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(intake, "allowance", Allowance(FEW, 1.0, monotonic=clock))
    return clock


@pytest.fixture
def shop(database: object) -> Iterator[Storefront]:
    with storefront() as shop:
        yield shop


def stripe_event(number: int, intent: str) -> bytes:
    data = {"object": {"id": intent, "object": "payment_intent"}}
    kind = "payment_intent.succeeded"
    return encoded({"id": f"evt_{number}", "type": kind, "livemode": False, "data": data})


def post(shop: Storefront, sender: Sender, body: bytes) -> int:
    status: int = shop.post(sender, sender.honest(body)).status_code
    return status


@pytest.mark.usefixtures("clock")
def test_however_many_point_at_a_payment_it_is_looked_at_once(shop: Storefront) -> None:
    stripe = shop.senders[0]
    answers = {post(shop, stripe, stripe_event(n, "pi_1Campaign")) for n in range(5 * FEW)}
    assert answers == {200}
    assert Directive.objects.filter(topic="payment.sync").count() == 1


def test_what_concerns_no_payment_does_not_fill_the_inbox(shop: Storefront, clock: Clock) -> None:
    stripe = shop.senders[0]
    answers = [post(shop, stripe, stripe_event(n, f"pi_{n}Other")) for n in range(3 * FEW)]
    assert answers == [200] * FEW + [503] * (2 * FEW)
    assert WebhookDelivery.objects.count() == FEW
    # What concerns a payment is taken all the same, and other accounts are not affected.
    assert post(shop, stripe, stripe_event(1000, "pi_1Campaign")) == 200
    mock = shop.senders[1]
    assert (
        post(shop, mock, json.dumps({**mock.example(), "transaction_id": "txn_9"}).encode()) == 200
    )
    # Later the gateway comes again.
    clock.now += 2.0
    again = [post(shop, stripe, stripe_event(n, f"pi_{n}Other")) for n in range(FEW, FEW + 3)]
    assert again == [200, 200, 503]


def test_what_was_refused_takes_nothing_from_the_allowance() -> None:
    clock = Clock()
    allowance = Allowance(10, 1.0, monotonic=clock)
    assert not allowance.take("a", 11)
    assert allowance.take("a", 10)
    assert not allowance.take("a", 1)
    assert allowance.take("b", 10)
    clock.now += 1000
    assert allowance.take("a", 10)
    assert not allowance.take("a", 1)
