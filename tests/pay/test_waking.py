"""An open page has the gateway asked, seldom enough: a paid order moves on without a webhook."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import django.db
import pytest
from django.db import connection
from django.utils import timezone

from omniman_payment_core.records import DirectiveStatus
from omniman_payment_django.models import Directive, Order
from omniman_payment_django.pay import waking

from .shop import Shop, stripe_action


def test_a_paid_payment_is_found_by_its_open_page_alone(shop: Shop) -> None:
    payment = shop.waiting()
    assert shop.status(payment)["status"] == "waiting"
    shop.work()
    shop.gateway.confirm_3ds(str(payment.transaction_id))
    Directive.objects.update(finished_at=timezone.now() - timedelta(seconds=5))
    shop.status(payment)
    shop.work()
    told = shop.status(payment)
    assert (told["status"], told["done"]) == ("paid", True)
    payment.refresh_from_db()
    assert (payment.status, payment.captured_q) == ("captured", payment.amount_q)


def test_the_way_of_an_order_with_3_d_secure_from_commit_to_paid(shop: Shop) -> None:
    order = shop.order(payment_flow="charge")
    shop.opening(order, payment_method={"token": "tok", "behaviour": {"authenticate": True}})
    url = shop.url_of(order)
    assert shop.told(url)["status"] == "preparing"
    shop.work()
    # The mock's own next_action has no provider: the page says whom to ask, and keeps looking.
    assert shop.told(url)["status"] == "elsewhere"
    payment = shop.payment_of(order)
    type(payment).objects.filter(pk=payment.pk).update(next_action=stripe_action("authenticate"))
    assert shop.told(url)["status"] == "waiting"
    shop.gateway.confirm_3ds(str(payment.transaction_id))
    shop.work()
    told = shop.told(url)
    assert (told["status"], told["done"]) == ("paid", True)
    assert shop.gateway.moved_q(order.ref) == order.total_q
    assert Order.objects.get(ref=order.ref).data["payment"]["status"] == "captured"


def test_a_sync_on_its_way_is_not_woken_again(shop: Shop) -> None:
    payment = shop.waiting()
    for _ in range(5):
        shop.status(payment)
    (sync,) = shop.syncs(payment)
    assert (sync.status, sync.wakes) == (DirectiveStatus.PENDING, 0)


def test_a_payment_is_looked_at_once_in_a_few_seconds_however_many_pages_ask(shop: Shop) -> None:
    payment = shop.waiting()
    shop.status(payment)
    shop.work()
    for _ in range(5):
        shop.status(payment)
    (sync,) = shop.syncs(payment)
    assert (sync.status, sync.wakes) == (DirectiveStatus.COMPLETED, 0)
    Directive.objects.update(finished_at=timezone.now() - timedelta(seconds=5))
    for _ in range(5):
        shop.status(payment)
    (sync,) = shop.syncs(payment)
    assert (sync.status, sync.wakes) == (DirectiveStatus.PENDING, 1)


def test_many_pages_at_once_wake_it_once(shop: Shop) -> None:
    payment = shop.waiting()
    shop.status(payment)
    shop.work()
    Directive.objects.update(finished_at=timezone.now() - timedelta(seconds=5))
    start, woken = threading.Barrier(6), []

    def ask() -> None:
        start.wait(20)
        woken.append(
            waking.wake(payment.order_ref, payment.id, timezone.now(), timedelta(seconds=4))
        )
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(woken) == [False] * 5 + [True]
    assert [sync.wakes for sync in shop.syncs(payment)] == [1]


def test_a_look_that_waits_for_its_gateway_keeps_waiting(shop: Shop) -> None:
    payment = shop.waiting()
    shop.status(payment)
    later = timezone.now() + timedelta(minutes=5)
    Directive.objects.update(available_at=later)
    shop.status(payment)
    (sync,) = shop.syncs(payment)
    assert (sync.available_at, sync.wakes) == (later, 0)


@pytest.mark.parametrize("status", ["captured", "refunded", "failed", "cancelled", "expired"])
def test_a_payment_that_has_ended_wakes_nothing(shop: Shop, status: str) -> None:
    payment = shop.waiting(status=status)
    shop.status(payment)
    assert shop.syncs(payment) == []


def test_a_payment_unknown_at_the_gateway_is_left_to_its_own_directive(shop: Shop) -> None:
    payment = shop.waiting(transaction_id=None)
    shop.status(payment)
    assert shop.syncs(payment) == []


def test_a_queue_that_cannot_be_written_does_not_cost_the_shopper_the_answer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    payment = shop.waiting()

    def fail(*_: Any) -> None:
        raise django.db.OperationalError("database is locked")

    monkeypatch.setattr(waking, "_wake", fail)
    assert shop.status(payment)["status"] == "waiting"
    assert "could not be woken: OperationalError" in caplog.text
