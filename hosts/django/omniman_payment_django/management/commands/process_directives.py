"""``manage.py process_directives``: the worker, once until nothing is due, or watching for ever."""

from __future__ import annotations

import logging
import threading
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

import django.db
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.db.models import Count

from omniman_payment_core.engine.worker import BATCH, SLOTS, Worker, WorkerExhaustedError
from omniman_payment_core.records import DirectiveStatus
from omniman_payment_django import conf
from omniman_payment_django.management.collecting import calm_collector
from omniman_payment_django.management.stopping import stop_on_signals
from omniman_payment_django.models import Directive
from omniman_payment_django.reconciling import ReconcileSchedule
from omniman_payment_django.runtime import get_engine
from omniman_payment_django.webhooks.matching import rematch
from omniman_payment_django.webhooks.polling import EventPolling

log = logging.getLogger("omniman_payment.worker")

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0


class UntilIdle(threading.Event):
    """Set by a signal, or by the worker itself: it waits on this only when it has no work."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


class Command(BaseCommand):
    """Runs an engine's worker in this process; start as many processes as are needed."""

    help = (
        "Carry out payment directives: those that are due (--once, the default), or as they "
        "come (--watch). SIGTERM and SIGINT finish what is in flight and give back the rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        mode = parser.add_mutually_exclusive_group()
        mode.add_argument(
            "--once", action="store_true", help="stop when nothing is due any more (default)"
        )
        mode.add_argument("--watch", action="store_true", help="go on until stopped by a signal")
        parser.add_argument(
            "--workers", type=_count, default=SLOTS, metavar="N",
            help=f"gateway calls in flight at once, each in a thread (default: {SLOTS})",
        )  # fmt: skip
        parser.add_argument(
            "--batch", type=_count, default=BATCH, metavar="N",
            help=f"directives claimed in one transaction at most (default: {BATCH})",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        calm_collector()
        stop = threading.Event() if options["watch"] else UntilIdle()
        with stop_on_signals(stop):
            try:
                if options["watch"]:
                    _watch(stop, options["workers"], options["batch"])
                else:
                    _once(stop, options["workers"], options["batch"])
            except WorkerExhaustedError as error:
                raise CommandError(f"{error}; start the worker again") from None
        if options["verbosity"] > 0:
            self.stdout.write(_what_is_left())


def _once(stop: threading.Event, slots: int, batch: int) -> None:
    """What gateways have to tell comes first, so that the run acts on it."""
    polling = EventPolling()
    polling.step()
    polling.finish()
    Worker(get_engine(), slots=slots, batch=batch, housekeeping=rematch).run(stop)


def _watch(stop: threading.Event, slots: int, batch: int) -> None:
    """Works, asks for news and reconciles until it is told to stop."""
    polling, reconciling = EventPolling(), ReconcileSchedule()

    def keep_house() -> None:
        rematch()
        polling.step()
        reconciling.step()

    try:
        _watch_with(keep_house, polling, stop, slots, batch)
    finally:
        reconciling.finish()


def _watch_with(
    keep_house: Callable[[], None],
    polling: EventPolling,
    stop: threading.Event,
    slots: int,
    batch: int,
) -> None:
    """Outlives its database: without one nothing is claimed, so nothing is called either."""
    pause = FIRST_PAUSE
    while not stop.is_set():
        began = time.monotonic()
        try:
            Worker(get_engine(), slots=slots, batch=batch, housekeeping=keep_house).run(stop)
            polling.finish()
        except django.db.Error as error:
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            log.error(
                "the database failed (%s); trying again in %.0f s", type(error).__name__, pause
            )
            connections[conf.database()].close()
            stop.wait(pause)
            pause = min(LONGEST_PAUSE, pause * 2)


def _what_is_left() -> str:
    counts = dict(
        Directive.objects.using(conf.database())
        .filter(
            status__in=[DirectiveStatus.PENDING, DirectiveStatus.RUNNING, DirectiveStatus.PARKED]
        )
        .values_list("status")
        .annotate(Count("id"))
    )
    return (
        f"directives: {counts.get(DirectiveStatus.PENDING, 0)} pending, "
        f"{counts.get(DirectiveStatus.RUNNING, 0)} running elsewhere, "
        f"{counts.get(DirectiveStatus.PARKED, 0)} parked for a person"
    )


def _count(text: str) -> int:
    """An argument that is a whole number from 1 up."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise ArgumentTypeError("a whole number from 1 to 10000 is expected")
    return int(text)
