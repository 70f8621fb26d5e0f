"""How a notification finds its payment, rule by rule: at once, later, never, and how often."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connections, transaction
from django.utils import timezone

from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.secrets import Scrubber
from omniman_payment_core.values import WebhookEvent
from omniman_payment_django import conf
from omniman_payment_django.models import Flag, WebhookDelivery
from omniman_payment_django.runtime import get_registry
from omniman_payment_django.webhooks import intake, matching, verifying
from omniman_payment_django.webhooks.allowance import Allowance
from omniman_payment_django.webhooks.matching import Match
from omniman_payment_django.webhooks.rejections import RejectionLog

from .shop import Shop

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
UNMATCHED, IGNORED, MATCHED = "unmatched", "ignored", "matched"


class Clock:
    """What time it is for the host."""

    def __init__(self) -> None:
        self.now = NOW


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


@pytest.fixture(autouse=True)
def own_logs(monkeypatch: pytest.MonkeyPatch) -> RejectionLog:
    log = RejectionLog()
    for module in (intake, verifying):
        monkeypatch.setattr(module, "rejections", log)
    return log


def event(transaction_id: str | None = "txn_stranger", number: int = 1, **more: Any) -> Any:
    return WebhookEvent(f"evt_{number}", "paid", transaction_id, **more)


def deliver(shop: Shop, *events: WebhookEvent, pushed: bool = False) -> None:
    receiver = intake.receiver_of("shop")
    assert receiver is not None
    intake.accept(receiver, events, b'{"some": "body"}', pushed=pushed)


def delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def matched(shop: Shop, *events: WebhookEvent) -> list[Match]:
    return matching.match_events(conf.database(), shop.account, events, NOW)


# -- at once -------------------------------------------------------------------------------------


def test_every_event_is_kept_with_what_became_of_it(shop: Shop, clock: Clock) -> None:
    early = NOW - HOUR
    deliver(shop, event(occurred_at=early, livemode=shop.account.livemode))
    kept = delivery()
    assert (kept.account, kept.event_id, kept.kind) == ("shop", "evt_1", "paid")
    assert (kept.transaction_id, kept.livemode) == ("txn_stranger", shop.account.livemode)
    assert (kept.occurred_at, kept.received_at) == (early, NOW)
    assert (kept.body, kept.attempts) == ('{"some": "body"}', 0)
    assert (kept.status, kept.next_try_at) == (UNMATCHED, NOW + 2 * SECOND)
    assert kept.error == "no payment has this transaction"


def test_why_an_event_is_ignored_is_kept_with_it(shop: Shop) -> None:
    payment = shop.payment()
    bound = shop.payment(fingerprint="another account")
    (none, mode, moved, known) = matched(
        shop,
        event(None),
        event(payment.transaction_id, livemode=not shop.account.livemode),
        event(bound.transaction_id),
        event(payment.transaction_id),
    )
    assert [match.status for match in (none, mode, moved)] == [IGNORED] * 3
    assert len({match.reason for match in (none, mode, moved)}) == 3
    assert all(match.reason for match in (none, mode, moved))
    assert all(match.next_try_at is None for match in (none, mode, moved, known))
    assert (known.status, known.payment_id, known.reason) == (MATCHED, payment.id, "")
    assert known.order_ref == payment.order_ref


def test_nothing_is_asked_of_the_database_for_events_about_nothing(
    shop: Shop,
) -> None:
    with mock.patch.object(matching, "_bound_to", side_effect=AssertionError):
        (match,) = matched(shop, event(None))
    assert match.status == IGNORED


def test_each_payment_is_woken_once_and_what_has_none_wakes_nothing() -> None:
    matches = [
        Match(event(), MATCHED, "O2", "pay-2"),
        Match(event(), UNMATCHED),
        Match(event(), MATCHED, "O1", "pay-1"),
        Match(event(), MATCHED, "O2", "pay-2"),
    ]
    woken = matching.syncs_of(matches)
    assert [(sync.order_ref, sync.dedupe_key) for sync in woken] == [
        ("O1", "sync:pay-1"),
        ("O2", "sync:pay-2"),
    ]


def test_nothing_is_stored_of_a_delivery_without_events(shop: Shop) -> None:
    with mock.patch.object(intake, "match_events", side_effect=AssertionError):
        deliver(shop)
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("count", [49, 50, 51, 101])
def test_a_delivery_of_many_events_is_stored_whole(shop: Shop, count: int) -> None:
    deliver(shop, *(event(None, number) for number in range(count)))
    deliver(shop, *(event(None, number) for number in range(count)))
    assert WebhookDelivery.objects.count() == count


def test_the_stored_body_is_at_most_eight_kilobytes(shop: Shop) -> None:
    receiver = intake.receiver_of("shop")
    assert receiver is not None
    intake.accept(receiver, [event()], b"x" * 100_000)
    assert 8 * 1024 - 100 <= len(delivery().body) <= 8 * 1024


def test_what_concerns_nobody_is_limited_where_it_is_sent_to_us(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def still(burst: int) -> None:
        bucket = Allowance(burst, 0.0, monotonic=lambda: 0.0)
        monkeypatch.setattr(intake, "allowance", bucket)

    known = event(shop.payment().transaction_id, 9)
    still(2)
    with pytest.raises(intake.FullError):
        deliver(shop, event("txn_a", 1), event("txn_b", 2), event(None, 3), pushed=True)
    assert not WebhookDelivery.objects.exists(), "nothing of it is kept"
    deliver(shop, event("txn_a", 1), event("txn_b", 2), known, pushed=True)
    assert WebhookDelivery.objects.count() == 3
    still(0)
    deliver(shop, known, pushed=True)
    deliver(shop, event("txn_c", 4))
    receiver = intake.receiver_of("shop")
    assert receiver is not None
    intake.accept(receiver, [event("txn_d", 5)], b"")
    assert WebhookDelivery.objects.count() == 5


def test_an_account_that_takes_nothing_takes_what_concerns_its_payments(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "allowance", mock.Mock(take=mock.Mock(return_value=False)))
    deliver(shop, event(shop.payment().transaction_id), pushed=True)
    assert delivery().status == MATCHED


def test_the_default_account_is_found_by_its_address_too(shop: Shop) -> None:
    registry = get_registry()
    settings = replace(registry.settings, default="shop")
    with (
        mock.patch.object(registry, "settings", settings),
        mock.patch.object(registry, "names", return_value=()),
    ):
        assert intake.receiver_of("shop") is not None
        assert intake.receiver_of("stranger") is None


def test_an_account_that_cannot_be_used_is_an_error_in_the_log(
    shop: Shop, own_logs: RejectionLog, caplog: pytest.LogCaptureFixture
) -> None:
    broken = mock.Mock(side_effect=ConfigurationError("no key"))
    with (
        mock.patch.object(get_registry(), "account", broken),
        caplog.at_level(logging.DEBUG),
        pytest.raises(intake.NotReadyError),
    ):
        intake.receiver_of("shop")
    assert own_logs.total == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


# -- later ---------------------------------------------------------------------------------------


def test_an_unknown_event_is_tried_after_two_seconds_then_ever_more_rarely_for_three_days(
    shop: Shop, clock: Clock
) -> None:
    deliver(shop, event())
    pauses = []
    while (due := delivery().next_try_at) is not None:
        clock.now = due - SECOND
        assert matching.rematch() == 0
        assert delivery().next_try_at == due, "it is not due"
        clock.now = due
        matching.rematch()
        kept = delivery()
        if kept.next_try_at is not None:
            pauses.append(int((kept.next_try_at - due).total_seconds()))
        assert kept.status == UNMATCHED
    assert pauses[:11] == [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600]
    assert set(pauses[11:]) == {3600}
    assert clock.now - NOW >= timedelta(hours=72)
    assert clock.now - NOW < timedelta(hours=73)
    assert delivery().attempts == len(pauses) + 1
    clock.now += 100 * HOUR
    assert matching.rematch() == 0
    assert delivery().attempts == len(pauses) + 1, "nobody tries again"


def test_an_event_is_given_up_at_its_seventy_second_hour_and_not_before(
    shop: Shop, clock: Clock
) -> None:
    deliver(shop, event())
    for age, flags in ((timedelta(hours=72) - SECOND, 0), (timedelta(hours=72), 1)):
        clock.now = NOW + age
        WebhookDelivery.objects.update(next_try_at=clock.now)
        matching.rematch()
        assert Flag.objects.count() == flags


def test_a_pause_stays_a_pause_however_often_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "RETRY_CAP", timedelta(days=10_000))
    assert matching._pause(20) == matching._pause(21) == matching._pause(5000) == (2 << 20) * SECOND


def test_what_is_not_unmatched_or_not_due_is_not_tried(shop: Shop, clock: Clock) -> None:
    deliver(shop, event("txn_a", 1), event(None, 2))
    WebhookDelivery.objects.filter(status=IGNORED).update(next_try_at=NOW)
    matching.rematch()
    assert not WebhookDelivery.objects.filter(attempts__gt=0).exists()


def test_the_longest_due_are_tried_first_and_two_hundred_at_a_time(
    shop: Shop, clock: Clock
) -> None:
    deliver(shop, *(event(f"txn_{n}", n) for n in range(201)))
    clock.now += HOUR
    WebhookDelivery.objects.filter(event_id="evt_7").update(next_try_at=NOW + HOUR)
    matching.rematch()
    assert WebhookDelivery.objects.get(attempts=0).event_id == "evt_7"


def test_two_workers_try_again_at_once_and_never_the_same(postgresql_database: object) -> None:
    shop = Shop()
    deliver(shop, event("txn_a", 1), event("txn_b", 2))
    WebhookDelivery.objects.update(next_try_at=timezone.now() - SECOND)
    tried: list[int] = []

    def other_worker() -> None:
        tried.append(matching.rematch())
        connections.close_all()

    worker = threading.Thread(target=other_worker)
    with transaction.atomic():
        (mine,) = matching._due(conf.database(), timezone.now(), 1)
        worker.start()
        worker.join(30)
        assert tried == [0], "it does not wait"
    others = WebhookDelivery.objects.exclude(pk=mine.pk)
    assert [other.attempts for other in others] == [1]
    assert WebhookDelivery.objects.get(pk=mine.pk).attempts == 0


def test_an_event_that_finds_its_payment_later_wakes_it_once(shop: Shop, clock: Clock) -> None:
    payment = shop.payment(transaction_id="txn_later")
    payment.delete()
    deliver(shop, event("txn_later", 1), event("txn_later", 2), event("txn_never", 3))
    found = shop.payment(transaction_id="txn_later")
    clock.now += 2 * SECOND
    assert matching.rematch() == 2
    kept = WebhookDelivery.objects.filter(transaction_id="txn_later")
    assert {(d.status, d.next_try_at, d.error, d.attempts) for d in kept} == {
        (MATCHED, None, "", 1)
    }
    assert found.id is not None


def test_while_an_account_cannot_be_used_its_events_are_kept_and_say_why(
    shop: Shop, clock: Clock
) -> None:
    deliver(shop, event())
    shop.payment(transaction_id="txn_stranger")
    registry = get_registry()
    error = ConfigurationError("the key whsec_very_secret is wrong")
    clock.now += 2 * SECOND
    with (
        mock.patch.object(registry, "account", side_effect=error),
        mock.patch.object(registry, "scrubber", Scrubber(["whsec_very_secret"])),
    ):
        assert matching.rematch() == 0
    kept = delivery()
    assert (kept.status, kept.next_try_at) == (UNMATCHED, clock.now + 4 * SECOND)
    assert "is wrong" in kept.error
    assert "whsec" not in kept.error
    clock.now += 4 * SECOND
    assert matching.rematch() == 1


# -- never ---------------------------------------------------------------------------------------


def test_one_open_flag_for_each_strange_transaction_of_each_account(
    shop: Shop, clock: Clock
) -> None:
    def give_up(account: str, transaction_id: str) -> None:
        matching._flag(
            conf.database(), WebhookDelivery(account=account, transaction_id=transaction_id)
        )

    give_up("shop", "txn_a")
    give_up("shop", "txn_a")
    (flag,) = Flag.objects.all()
    assert (flag.kind, flag.order_ref, flag.account) == ("unmatched_webhook", "", "shop")
    assert flag.dedupe_key == "unmatched_webhook:shop:txn_a"
    assert "txn_a" in flag.message
    give_up("shop", "txn_b")
    give_up("other", "txn_a")
    assert Flag.objects.count() == 3
    Flag.objects.update(settled_at=NOW)
    give_up("shop", "txn_a")
    assert Flag.objects.count() == 4


# -- what a backend may answer -------------------------------------------------------------------


def misbehaviour(answer: Any, **limits: Any) -> str:
    with pytest.raises(verifying._MisbehavedError) as caught:
        verifying.checked(answer, **limits)
    return str(caught.value)


def test_a_thousand_events_are_taken_and_one_more_is_not() -> None:
    many = [event(None, number) for number in range(1000)]
    assert verifying.checked(many) == many
    assert "more than 1000" in misbehaviour([*many, event()])
    assert len(verifying.checked([*many, event()], most=None)) == 1001
    assert "more than 1 " in misbehaviour([event(), event()], most=1)
    assert len(verifying.checked([event()], most=1)) == 1


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"event_id": ""}, "event_id"),
        ({"event_id": "x" * 256}, "event_id"),
        ({"event_id": 5}, "event_id"),
        ({"event_id": ["a"]}, "event_id"),
        ({"event_id": "a\nb"}, "event_id"),
        ({"kind": ""}, "kind"),
        ({"kind": "x" * 65}, "kind"),
        ({"transaction_id": ""}, "transaction_id"),
        ({"transaction_id": "x" * 256}, "transaction_id"),
        ({"occurred_at": "2026-01-01"}, "occurred_at"),
        ({"occurred_at": datetime(2026, 1, 1)}, "occurred_at"),  # noqa: DTZ001
        ({"livemode": 1}, "livemode"),
    ],
)
def test_an_event_that_does_not_keep_the_contract_is_named_by_its_field(
    changed: dict[str, Any], named: str
) -> None:
    assert f"'s {named} " in misbehaviour([replace(event(), **changed)])


@pytest.mark.parametrize(
    "changed",
    [
        {"event_id": "x"},
        {"event_id": "x" * 255},
        {"kind": "x" * 64},
        {"transaction_id": "x" * 255},
        {"transaction_id": None},
        {"occurred_at": NOW},
        {"livemode": True},
        {"livemode": False},
    ],
)
def test_what_is_just_within_the_contract_is_taken(changed: dict[str, Any]) -> None:
    good = replace(event(), **changed)
    assert verifying.checked((good,)) == [good]


def test_what_is_no_list_of_events_is_called_by_its_type() -> None:
    assert "a dict" in misbehaviour({})
    assert "a generator" in misbehaviour(one for one in [event()])
    assert "a dict" in misbehaviour([{}])


@pytest.mark.parametrize("ends", [KeyboardInterrupt, GeneratorExit])
def test_who_ends_the_server_is_not_held_up(ends: type[BaseException]) -> None:
    with pytest.raises(ends):
        verifying.verify("shop", mock.Mock(side_effect=ends), {}, b"", str)


def test_where_a_backend_misbehaved_is_in_the_log_with_what_it_said(
    own_logs: RejectionLog, caplog: pytest.LogCaptureFixture
) -> None:
    def parse(headers: Any, body: bytes) -> Any:
        raise ValueError("the third line")

    assert verifying.verify("shop", parse, {}, b"", str) == (None, "the backend misbehaved")
    assert "ValueError at " in caplog.text
    assert f"{__file__}:" in caplog.text
    assert "the third line" in caplog.text
    assert verifying._place_of(ValueError("never raised")) == ""
