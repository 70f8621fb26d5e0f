"""The endpoint under thousands of hostile requests: refused, quickly, and no row changes."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, connections

from omniman_payment_django.models import WebhookDelivery

from .flooding import Flood
from .senders import Delivery, StripeSender, encoded
from .storefront import Storefront, rows, storefront

REQUESTS = 6_000
SLOWEST_REFUSAL = 0.050
MOST_GROWTH = 20 * 1024 * 1024


@pytest.fixture
def shop(database: object) -> Iterator[Storefront]:
    with storefront() as shop:
        yield shop


def resident() -> int:
    """Bytes of memory that this process has in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_strangers_are_refused_quickly_and_change_no_row(shop: Storefront) -> None:
    flood = Flood(shop, random.Random(2))
    flood.strangers(500)
    before = resident()
    flood.strangers(REQUESTS // 2)
    assert resident() - before < MOST_GROWTH
    assert shop.slowest() < SLOWEST_REFUSAL


def test_a_gateway_gone_mad_is_answered_and_fills_nothing_but_the_inbox(shop: Storefront) -> None:
    flood = Flood(shop, random.Random(3))
    flood.gone_mad(200)
    before = resident()
    flood.gone_mad(REQUESTS // 2)
    assert resident() - before < MOST_GROWTH
    for sender in shop.senders:
        assert flood.answers[f"{sender.name}: 200"], f"nothing of {sender.name} was understood"
        assert flood.answers[f"{sender.name}: 400"], f"everything of {sender.name} was"
    assert WebhookDelivery.objects.exclude(account="").exists()


def test_a_notification_that_is_replayed_is_kept_once(shop: Storefront) -> None:
    for sender in shop.senders:
        delivery = sender.honest(encoded(sender.example()))
        assert shop.post(sender, delivery).status_code == 200
        kept = rows()
        for _ in range(5):
            assert shop.post(sender, delivery).status_code == 200
        assert rows() == kept


def test_another_accounts_secret_proves_nothing(shop: Storefront) -> None:
    stripe = shop.senders[0]
    stranger = StripeSender("whsec_of_another_tenant_0123456789")
    before = rows()
    assert shop.post(stripe, stranger.honest(encoded(stripe.example()))).status_code == 400
    for sender in shop.senders:
        for other in shop.senders:
            if other is not sender:
                delivery = other.honest(encoded(sender.example()))
                assert shop.post(sender, delivery).status_code == 400
    assert rows() == before


def test_without_its_database_a_genuine_notification_is_503_and_a_forged_one_400(
    shop: Storefront, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", "/nowhere/at/all")
        patch.setitem(connection.settings_dict, "HOST", "/nowhere")
        for sender in shop.senders:
            connection.close()
            delivery = sender.honest(encoded(sender.example()))
            answer = shop.post(sender, delivery)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
            forgery = {":peer": "203.0.113.9"}
            assert shop.post(sender, Delivery(forgery, delivery.body)).status_code == 400
    connection.close()
    assert not WebhookDelivery.objects.exists()


def test_a_locked_database_is_503_and_the_notification_may_come_again(
    sqlite_database: object,
) -> None:
    with storefront() as shop:
        other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
        connections["default"].cursor().execute("PRAGMA busy_timeout = 50")
        stripe = shop.senders[0]
        delivery = stripe.honest(encoded(stripe.example()))
        other.execute("BEGIN IMMEDIATE")
        try:
            assert shop.post(stripe, delivery).status_code == 503
        finally:
            other.execute("ROLLBACK")
            other.close()
        assert shop.post(stripe, delivery).status_code == 200
        assert WebhookDelivery.objects.get().status == "matched"
