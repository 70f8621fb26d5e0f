"""The worker reconciles by itself once a day, one process at a time, and keeps nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import checks
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from omniman_payment_core.errors import NotAttemptedError
from omniman_payment_django.models import Flag, Payment, Reconciliation
from omniman_payment_django.reconciling import ReconcileSchedule
from omniman_payment_django.reconciling.options import reconcile_options

from .shop import Shop
from .test_reconciling import sold

DAY = timedelta(days=1)


class Clock:
    """Monotonic seconds that a test lets pass."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def schedule(shop: Shop, clock: Clock) -> Iterator[ReconcileSchedule]:
    schedule = ReconcileSchedule(monotonic=clock)
    yield schedule
    schedule.finish()


def look(schedule: ReconcileSchedule, clock: Clock, *, later: float = 61.0) -> None:
    """The next look at the calendar, and whatever it begins."""
    clock.seconds += later
    schedule.step()
    schedule.finish(wait=True)


def a_day_later() -> None:
    Reconciliation.objects.update(began_at=timezone.now() - DAY)


def drifted(shop: Shop) -> Payment:
    payment = sold(shop)
    shop.gateway.refund_outside(str(payment.transaction_id), 300)
    return payment


def row() -> Reconciliation:
    return Reconciliation.objects.get(pk="shop")


def test_the_first_run_comes_a_day_after_the_first_payment(
    shop: Shop, schedule: ReconcileSchedule, clock: Clock
) -> None:
    look(schedule, clock)
    assert not Reconciliation.objects.exists()
    drifted(shop)
    for _ in range(2):
        look(schedule, clock)
        assert (row().compared, row().finished_at) == (0, row().began_at)
    a_day_later()
    look(schedule, clock)
    assert row().compared == 1
    assert row().finished_at is not None


def test_what_differs_is_healed_by_the_worker(
    shop: Shop, schedule: ReconcileSchedule, clock: Clock
) -> None:
    from .test_reconciling import work

    payment = drifted(shop)
    look(schedule, clock)
    a_day_later()
    look(schedule, clock)
    work()
    payment.refresh_from_db()
    assert payment.refunded_q == 300


def test_of_two_workers_one_does_it(shop: Shop, clock: Clock) -> None:
    sold(shop)
    entered, leave = threading.Event(), threading.Event()
    genuine, asked = shop.backend.list_transactions, []

    def slow(since: Any) -> Any:
        asked.append(since)
        entered.set()
        assert leave.wait(30)
        return genuine(since)

    shop.backend.list_transactions = slow
    first, second = ReconcileSchedule(monotonic=clock), ReconcileSchedule(monotonic=clock)
    look(first, clock)
    a_day_later()
    clock.seconds += 61
    first.step()
    assert entered.wait(30)
    look(second, clock)
    leave.set()
    first.finish(wait=True)
    assert len(asked) == 1
    assert row().finished_at is not None


def test_a_worker_that_stops_leaves_the_rest_to_the_next(
    shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omniman_payment_django.reconciling.run.PAGE", 1)
    for _ in range(3):
        sold(shop)
    shop.backend.list_transactions = lambda since: []
    genuine = shop.backend.get_status
    stopped = ReconcileSchedule(monotonic=clock)
    look(stopped, clock)
    a_day_later()
    began = row().began_at

    def stops(transaction_id: str) -> Any:
        stopped._stop.set()
        return genuine(transaction_id)

    shop.backend.get_status = stops
    look(stopped, clock)
    assert (row().finished_at, row().compared, row().lease_until) == (None, 1, None)
    shop.backend.get_status = genuine
    look(ReconcileSchedule(monotonic=clock), clock)
    assert row().finished_at is not None
    assert (row().compared, row().began_at > began) == (3, True)


def test_an_account_that_cannot_be_asked_rests_and_is_shown_to_a_person_after_a_day(
    shop: Shop, schedule: ReconcileSchedule, clock: Clock
) -> None:
    sold(shop)
    asked = []

    def fails(since: Any) -> Any:
        asked.append(since)
        raise NotAttemptedError("no connection")

    shop.backend.list_transactions = fails
    look(schedule, clock)
    a_day_later()
    for _ in range(3):
        look(schedule, clock)
    assert len(asked) == 1
    assert not Flag.objects.exists()
    Reconciliation.objects.update(began_at=timezone.now() - 2 * DAY)
    for _ in range(2):
        look(schedule, clock, later=901.0)
    assert len(asked) == 3
    (flag,) = Flag.objects.all()
    assert (flag.kind, flag.account) == ("reconciliation_failed", "shop")
    assert "no connection" in flag.message


def test_looking_at_the_calendar_costs_nothing_most_of_the_time(
    shop: Shop, schedule: ReconcileSchedule, clock: Clock
) -> None:
    look(schedule, clock)
    with CaptureQueriesContext(connection) as queries:
        look(schedule, clock, later=30.0)
    assert queries.captured_queries == []


def test_it_can_be_switched_off(shop: Shop, schedule: ReconcileSchedule, clock: Clock) -> None:
    sold(shop)
    with override_settings(OMNIMAN={"RECONCILE": {"every_hours": 0}}):
        look(schedule, clock)
    assert not Reconciliation.objects.exists()


def test_the_options() -> None:
    stated = {"every_hours": 6, "reach_days": 90, "rate": 2}
    with override_settings(OMNIMAN={"RECONCILE": stated}):
        options = reconcile_options()
    assert options.every == timedelta(hours=6)
    assert options.reach == timedelta(days=90)
    assert options.rate == 2.0


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ([], "is a list, not a dict"),
        ({"every": 1}, '"] is unknown; known: every_hours, reach_days, rate'),
        ({"every_hours": "6"}, "is not a whole number from 0 to 744"),
        ({"every_hours": True}, "is not a whole number from 0 to 744"),
        ({"reach_days": 0}, "is not a whole number from 1 to 366"),
        ({"rate": 0}, "is not a number from 0.01 to 1000"),
        ({"rate": float("nan")}, "is not a number from 0.01 to 1000"),
    ],
)
def test_wrong_options_are_a_message_of_the_checks(stated: Any, problem: str) -> None:
    with override_settings(OMNIMAN={"RECONCILE": stated}):
        found = [each for each in checks.run_checks() if each.id == "omniman_payment.E006"]
    (message,) = found
    assert problem in message.msg
    assert message.msg.startswith('OMNIMAN["RECONCILE"]')
