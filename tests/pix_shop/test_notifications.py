"""Efi's notifications at the shop's door: what is believed, of whom, and what comes of it."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from omniman_payment_django.models import Directive, WebhookDelivery
from omniman_payment_django.sessions import refund_payment

from .shop import SECRET, Shop, pix_shop


def deliver(
    shop: Shop, body: Any, query: str = f"?hmac={SECRET}", headers: Mapping[str, str] | None = None
) -> int:
    """Send a notification as Efi would; the HTTP status."""
    request = urllib.request.Request(
        f"{shop.url}/payments/webhooks/efi/pix{query}",
        body if isinstance(body, bytes) else json.dumps(body).encode(),
        {"Content-Type": "application/json", **(headers or {})},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run every call in a thread of its own, all from the same moment."""
    together = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        together.wait(10)
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(30) for future in [pool.submit(run, call) for call in calls]]


def notification(shop: Shop, txid: str) -> Any:
    return json.loads(shop.control.webhook(txid)["body"])


def test_the_command_says_where_notifications_go_and_shows_no_secret(shop: Shop) -> None:
    said = shop.register_webhook()
    assert f"{shop.url}/payments/webhooks/efi/?hmac=...&ignorar=..." in said
    assert SECRET not in said


def test_a_forged_payment_moves_nothing(shop: Shop) -> None:
    """Somebody knows the secret, or another tenant causes a genuine-looking notification."""
    order, txid = shop.sold()
    forged = {"pix": [{"endToEndId": "E" + "0" * 31, "txid": txid, "valor": "10.00"}]}
    assert deliver(shop, forged) == 200
    shop.work()
    assert shop.facts(order) == [("opened", 1000)]
    assert shop.payment(order).status == "pending"


def test_a_notification_about_another_key_wakes_nobody(shop: Shop) -> None:
    _, txid = shop.sold()
    foreign = {"endToEndId": "E" + "0" * 31, "txid": txid, "valor": "10.00", "chave": "a@b.example"}
    assert deliver(shop, {"pix": [foreign]}) == 200
    assert [d.status for d in WebhookDelivery.objects.all()] == ["ignored"]
    assert not Directive.objects.filter(topic="payment.sync").exists()


@pytest.mark.parametrize(
    "query",
    ["", "?hmac=", "?hmac=wrong", f"?hmac={SECRET}x", f"?hmac={SECRET}&hmac={SECRET}", "?a=b"],
)
def test_without_the_secret_nothing_is_stored(shop: Shop, query: str) -> None:
    _, txid = shop.sold()
    shop.control.pause()
    shop.control.pay(txid)
    assert deliver(shop, notification(shop, txid), query) == 400
    assert shop.deliveries() == 0


def test_the_suffix_that_efi_appends_may_land_in_the_secret(shop: Shop) -> None:
    order, txid = shop.sold()
    shop.control.pause()
    shop.control.pay(txid)
    assert deliver(shop, notification(shop, txid), f"?hmac={SECRET}/pix") == 200
    shop.work()
    assert shop.payment(order).status == "captured"


def test_the_same_notification_many_times_at_once_is_one(shop: Shop) -> None:
    shop.control.pause()
    order, txid = shop.sold()
    shop.control.pay(txid)
    told = notification(shop, txid)
    assert at_once(*[lambda: deliver(shop, told)] * 8) == [200] * 8
    assert shop.deliveries() == 1
    shop.work()
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]
    shop.agrees(order)


def test_one_notification_may_tell_of_several_payments(shop: Shop) -> None:
    shop.control.pause()
    orders = [shop.sold() for _ in range(3)]
    for _, txid in orders:
        shop.control.pay(txid)
    told = [entry for _, txid in orders for entry in notification(shop, txid)["pix"]]
    assert deliver(shop, {"pix": told}) == 200
    shop.work()
    assert [shop.payment(order).status for order, _ in orders] == ["captured"] * 3


def test_late_news_of_a_payment_take_nothing_back(shop: Shop) -> None:
    order, txid = shop.paid()
    first = notification(shop, txid)
    refund_payment(order)
    shop.settle()
    before = shop.facts(order)
    for _ in range(2):
        assert deliver(shop, first) == 200
        shop.work()
    assert shop.facts(order) == before
    assert shop.payment(order).status == "refunded"


def test_a_payment_told_of_while_its_charge_is_being_opened_is_counted_once(shop: Shop) -> None:
    shop.control.fault(kind="delay", when="after", seconds=0.7, method="PUT", path="/v2/cob/*")
    order = shop.sell()

    def pay_at_once() -> None:
        shop.until(lambda: bool(shop.asked("PUT", "/v2/cob/")), "no charge was asked for")
        txid = shop.asked("PUT", "/v2/cob/")[0]["path"].rsplit("/", 1)[1]
        shop.control.pay(txid)
        shop.control.flush(10)

    at_once(shop.work, pay_at_once, lambda: shop.worker("two").run_until_idle())
    shop.settle()
    shop.look()
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]
    shop.agrees(order)


def test_mutual_tls_ends_at_a_proxy_whose_word_counts(database: object, simulator: Any) -> None:
    config = {
        "webhook_mode": "mtls",
        "webhook_proxies": ["127.0.0.1"],
        "webhook_mtls_headers": {"X-SSL-Client-Verify": "SUCCESS"},
    }
    with pix_shop(simulator, register=False, **config) as shop:
        order, txid = shop.sold()
        shop.control.pay(txid)
        told = notification(shop, txid)
        assert deliver(shop, told, "") == 400
        assert deliver(shop, told, "", {"X-SSL-Client-Verify": "NONE"}) == 400
        assert deliver(shop, told, "", {"X-SSL-Client-Verify": "SUCCESS"}) == 200
        shop.work()
        assert shop.payment(order).status == "captured"


def test_only_the_proxy_itself_is_believed(database: object, simulator: Any) -> None:
    config = {"webhook_mode": "mtls", "webhook_proxies": ["10.9.8.7"]}
    with pix_shop(simulator, register=False, **config) as shop:
        _, txid = shop.sold()
        shop.control.pay(txid)
        told = notification(shop, txid)
        assert deliver(shop, told, "", {"X-SSL-Client-Verify": "SUCCESS"}) == 400
