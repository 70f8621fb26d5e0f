"""Notifications are verified wake-ups: stored once, one sync, and nothing they say is believed."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from unittest import mock

import django.db
import pytest
from django.test import Client
from django.utils import timezone

from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.notices import WebhookNotice
from omniman_payment_core.values import WebhookEvent
from omniman_payment_django.models import Directive, Flag, WebhookDelivery
from omniman_payment_django.runtime import get_registry
from omniman_payment_django.webhooks import intake, matching, verifying, view
from omniman_payment_django.webhooks.body import MAX_BODY
from omniman_payment_django.webhooks.rejections import RejectionLog

from .shop import Shop


def syncs() -> list[Directive]:
    return list(Directive.objects.filter(topic="payment.sync").order_by("pk"))


# -- accepting -----------------------------------------------------------------------------


def test_an_authentic_notification_is_stored_and_wakes_its_payment(shop: Shop) -> None:
    payment = shop.payment()
    answer = shop.deliver(*shop.gateway.webhook(payment.transaction_id))
    assert (answer.status_code, answer.content) == (200, b"")
    (delivery,) = WebhookDelivery.objects.all()
    assert (delivery.account, delivery.status) == ("shop", "matched")
    assert delivery.transaction_id == payment.transaction_id
    (sync,) = syncs()
    assert sync.order_ref == payment.order_ref
    assert sync.payload == {"payment_id": payment.id}


def test_a_replayed_notification_changes_nothing_and_is_answered_2xx(shop: Shop) -> None:
    message = shop.gateway.webhook(shop.payment().transaction_id)
    assert shop.deliver(*message).status_code == 200
    Directive.objects.update(status="completed")
    for _ in range(5):
        assert shop.deliver(*message).status_code == 200
    assert WebhookDelivery.objects.count() == 1
    assert [sync.status for sync in syncs()] == ["completed"]


def test_many_events_of_one_payment_make_one_sync(shop: Shop) -> None:
    payment = shop.payment()
    for _ in range(5):
        shop.deliver(*shop.gateway.webhook(payment.transaction_id))
    assert WebhookDelivery.objects.count() == 5
    assert len(syncs()) == 1


def test_a_later_event_runs_a_finished_sync_again(shop: Shop) -> None:
    payment = shop.payment()
    shop.deliver(*shop.gateway.webhook(payment.transaction_id))
    Directive.objects.update(status="completed")
    shop.deliver(*shop.gateway.webhook(payment.transaction_id))
    assert [sync.status for sync in syncs()] == ["pending"]


def test_a_batch_wakes_each_payment_once_and_stores_each_event_once(shop: Shop) -> None:
    first, second = shop.payment(), shop.payment()
    events = [
        WebhookEvent(f"evt_{number}", "paid", payment.transaction_id)
        for number, payment in enumerate([first, second, first] * 40)
    ]
    shop.parses([*events, *events])
    assert shop.post(b"{}").status_code == 200
    assert WebhookDelivery.objects.count() == 120
    assert sorted(sync.payload["payment_id"] for sync in syncs()) == sorted([first.id, second.id])


def test_the_amount_of_an_event_is_not_believed(shop: Shop) -> None:
    payment = shop.payment()
    shop.deliver(*shop.gateway.webhook(payment.transaction_id, "payment.captured"))
    payment.refresh_from_db()
    assert (payment.status, payment.captured_q) == ("pending", 0)


def test_a_word_appended_by_the_gateway_and_a_missing_slash_reach_the_same_place(
    shop: Shop,
) -> None:
    for suffix in ("/pix", "/pix/more", ""):
        message = shop.gateway.webhook(shop.payment().transaction_id)
        assert shop.deliver(*message, path=f"/payments/webhooks/shop{suffix}").status_code == 200
    assert WebhookDelivery.objects.filter(status="matched").count() == 3


def test_an_event_about_no_transaction_is_stored_and_ignored(shop: Shop) -> None:
    assert shop.deliver(*shop.gateway.webhook(None, "account.updated")).status_code == 200
    assert WebhookDelivery.objects.get().status == "ignored"
    assert syncs() == []


def test_a_backend_gets_lower_case_headers_the_query_and_the_peer(shop: Shop) -> None:
    seen: dict[str, Any] = {}

    def parse(headers: Mapping[str, str], body: bytes) -> list[WebhookEvent]:
        seen.update(headers, body=body)
        return []

    shop.backend.parse_webhook = parse
    shop.post(b'{"a": 1}', query="?hmac=abc%20d", headers={"X-Signature": "v1"})
    assert seen["x-signature"] == "v1"
    assert seen["content-type"] == "application/json"
    assert seen[":query"] == "hmac=abc%20d"
    assert seen[":peer"] == "127.0.0.1"
    assert seen["body"] == b'{"a": 1}'


def test_the_stored_body_has_no_secret_and_no_card_number_and_is_bounded(shop: Shop) -> None:
    shop.parses([WebhookEvent("evt_1", "paid", None)])
    text = json.dumps({"card": "4111 1111 1111 1111", "nul": "\0", "long": "x" * 30_000})
    shop.post(text.encode() + b"\0\xff")
    stored = WebhookDelivery.objects.get().body
    assert "4111" not in stored
    assert len(stored) <= intake.MAX_STORED_BODY


def test_observers_are_told_of_the_accepted_and_the_rejected(shop: Shop) -> None:
    told: list[Any] = []

    class Observer:
        @hookimpl
        def webhook_accepted(self, webhook: WebhookNotice) -> None:
            told.append((webhook.event_id, webhook.duplicate, WebhookDelivery.objects.count()))

        @hookimpl
        def webhook_rejected(self, account: str, reason: str) -> None:
            told.append((account, reason))

    registry = get_registry()
    registry.hooks.register(Observer(), "observer")
    try:
        headers, body = shop.gateway.webhook(None, event_id="evt_x")
        shop.deliver(headers, body)
        shop.deliver(headers, body)
        shop.deliver(headers, body + b" ")
    finally:
        registry.hooks.unregister("observer")
    assert told == [("evt_x", False, 1), ("evt_x", True, 1), ("shop", "not authentic")]


# -- refusing ------------------------------------------------------------------------------


def test_forged_old_and_broken_notifications_get_one_verdict_and_leave_no_row(
    shop: Shop,
) -> None:
    payment = shop.payment()
    headers, body = shop.gateway.webhook(payment.transaction_id)
    forged = [
        (headers, body.replace(b"updated", b"created")),
        ({**headers, "webhook-signature": "v1,AAAA"}, body),
        ({**headers, "webhook-signature": "v1,é"}, body),
        ({**headers, "webhook-timestamp": "1"}, body),
        ({}, body),
        (headers, b""),
        (headers, b"[" * 60_000),
        (headers, b"\xff\xfe"),
    ]
    answers = {
        (answer.status_code, answer.content, tuple(sorted(answer.headers.items())))
        for answer in (shop.deliver(*message) for message in forged)
    }
    assert len(answers) == 1
    assert answers.pop()[:2] == (400, b"")
    assert WebhookDelivery.objects.count() == 0
    assert syncs() == []


def test_a_flood_of_forgeries_is_one_line_in_the_log(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            assert shop.post(b"{}").status_code == 400
            assert shop.post(b"{}", content_type="text/plain").status_code == 415
    assert len(caplog.records) == 1


@pytest.mark.parametrize("error", [RuntimeError("boom"), SystemExit(3), RecursionError()])
def test_a_backend_that_misbehaves_answers_400_and_never_500(
    shop: Shop, error: BaseException
) -> None:
    shop.parses(error)
    assert shop.post(b"{}").status_code == 400
    assert WebhookDelivery.objects.count() == 0


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options", "head"])
def test_only_post_is_taken(shop: Shop, method: str) -> None:
    answer = getattr(shop.client, method)("/payments/webhooks/shop/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("application/vnd.gateway+json", 200),
        ("", 200),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/plain", 415),
    ],
)
def test_a_body_that_claims_to_be_no_json_is_not_read(
    shop: Shop, content_type: str, status: int
) -> None:
    shop.parses([])
    assert shop.post(b"{}", content_type=content_type).status_code == status


def test_an_unknown_account_and_one_without_webhooks_answer_the_same(shop: Shop) -> None:
    get_registry().use("silent", shop.without_webhooks())
    unknown, silent = (
        shop.post(b"{}", path=f"/payments/webhooks/{name}/") for name in ("nobody", "silent")
    )
    assert unknown.status_code == silent.status_code == 404
    assert unknown.content == silent.content == b""
    assert dict(unknown.headers) == dict(silent.headers)


def test_an_installed_plugin_that_nobody_configured_is_not_loaded_by_a_stranger(
    shop: Shop,
) -> None:
    assert shop.post(b"{}", path="/payments/webhooks/efi/").status_code == 404


def test_an_account_that_cannot_be_built_asks_the_gateway_to_come_again(shop: Shop) -> None:
    with mock.patch.object(
        type(get_registry()), "account", side_effect=ConfigurationError("broken")
    ):
        answer = shop.post(b"{}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


def test_too_large_a_body_is_refused(shop: Shop) -> None:
    assert shop.post(b"x" * (MAX_BODY + 1)).status_code == 413
    assert WebhookDelivery.objects.count() == 0


def test_no_cookie_is_set_and_no_csrf_token_is_asked_for(shop: Shop) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["sessionid"] = "somebody"
    headers, body = shop.gateway.webhook(None)
    answer = shop.deliver(headers, body, client=client)
    assert answer.status_code == 200
    assert not answer.cookies
    assert "Vary" not in answer.headers


def test_a_database_that_fails_is_503_and_the_gateway_comes_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = shop.gateway.webhook(shop.payment().transaction_id)

    def fail(*args: Any) -> None:
        raise django.db.OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(intake, "_insert", fail)
        answer = shop.deliver(*message)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert WebhookDelivery.objects.count() == 0
    assert shop.deliver(*message).status_code == 200
    assert len(syncs()) == 1


def test_a_sync_that_cannot_be_enqueued_leaves_no_delivery_behind(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def enqueue(self, directives: object) -> None:
            raise django.db.OperationalError("gone")

    message = shop.gateway.webhook(shop.payment().transaction_id)
    with monkeypatch.context() as patch:
        patch.setattr(intake, "get_store", Broken)
        assert shop.deliver(*message).status_code == 503
    assert WebhookDelivery.objects.count() == 0


# -- whose payment -------------------------------------------------------------------------


def test_an_event_verified_by_one_account_never_touches_a_payment_of_another(
    shop: Shop,
) -> None:
    payment = shop.payment()
    shop.use("other")
    headers, body = shop.gateway.webhook(payment.transaction_id)
    answer = shop.deliver(headers, body, path="/payments/webhooks/other/")
    assert answer.status_code == 200
    assert WebhookDelivery.objects.get().status == "unmatched"
    assert syncs() == []


def test_a_payment_bound_to_the_gateway_account_of_before_is_not_touched(shop: Shop) -> None:
    payment = shop.payment(fingerprint="the old one")
    shop.deliver(*shop.gateway.webhook(payment.transaction_id))
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, syncs()) == ("ignored", [])
    assert "another gateway account" in delivery.error


def test_an_event_of_the_other_mode_is_not_matched(shop: Shop) -> None:
    payment = shop.payment()
    shop.parses([WebhookEvent("evt_live", "paid", payment.transaction_id, None, True)])
    assert shop.post(b"{}").status_code == 200
    assert (WebhookDelivery.objects.get().status, syncs()) == ("ignored", [])


# -- before its payment is known -----------------------------------------------------------


def test_an_early_event_waits_and_finds_its_payment_later(shop: Shop) -> None:
    shop.parses([WebhookEvent("evt_1", "paid", "txn_early")])
    assert shop.post(b"{}").status_code == 200
    assert WebhookDelivery.objects.get().status == "unmatched"
    assert matching.rematch() == 0, "it is not due at once"
    payment = shop.payment(transaction_id="txn_early")
    WebhookDelivery.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
    assert matching.rematch() == 1
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.next_try_at) == ("matched", None)
    assert [sync.payload["payment_id"] for sync in syncs()] == [payment.id]
    assert matching.rematch() == 0


def test_an_event_that_stays_unknown_is_tried_ever_more_rarely_and_then_flagged(
    shop: Shop,
) -> None:
    shop.parses([WebhookEvent(f"evt_{n}", "paid", "txn_stranger") for n in range(3)])
    shop.post(b"{}")
    pauses = []
    for _ in range(15):
        WebhookDelivery.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
        assert matching.rematch() == 0
        due = WebhookDelivery.objects.first()
        assert due is not None
        assert due.next_try_at is not None
        pauses.append(due.next_try_at - timezone.now())
    assert pauses[0] < timedelta(seconds=10)
    assert pauses[0] < pauses[3] < pauses[6]
    assert max(pauses) <= matching.RETRY_CAP
    assert not Flag.objects.exists()
    WebhookDelivery.objects.update(
        received_at=timezone.now() - matching.GIVE_UP_AFTER,
        next_try_at=timezone.now() - timedelta(seconds=1),
    )
    assert matching.rematch() == 0
    flag = Flag.objects.get()
    assert flag.kind == "unmatched_webhook"
    assert "txn_stranger" in flag.message
    assert not WebhookDelivery.objects.exclude(next_try_at=None).exists()


def test_rematching_takes_no_more_than_it_is_told(shop: Shop) -> None:
    shop.parses([WebhookEvent(f"evt_{n}", "paid", f"txn_{n}") for n in range(5)])
    shop.post(b"{}")
    WebhookDelivery.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
    matching.rematch(limit=2)
    assert WebhookDelivery.objects.filter(attempts=1).count() == 2


@pytest.fixture(autouse=True)
def quiet_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test counts its own rejections."""
    log = RejectionLog()
    for module in (intake, view, verifying):
        monkeypatch.setattr(module, "rejections", log)


def test_payments_are_found_by_an_index(sqlite_database: object) -> None:
    with django.db.connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM omniman_payment_payment "
            "WHERE account = %s AND transaction_id IN (%s)",
            ["shop", "txn"],
        )
        (plan,) = (row[3] for row in cursor.fetchall())
    assert "omniman_payment_transaction" in plan
