"""Reconciles by itself: the worker compares every account once a day, beside its other work.

Of several workers one does it. It runs in a thread of its own with a connection of its own, so a
gateway that answers slowly keeps no directive waiting.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import connections
from django.utils import timezone

from omniman_payment_django import conf
from omniman_payment_django.models import Flag, Payment, Reconciliation
from omniman_payment_django.runtime import get_registry

from .options import ReconcileOptions, reconcile_options
from .run import Reconciling, Report
from .standing import ReconciliationBusyError

log = logging.getLogger("omniman_payment.reconciling")

LOOK_EVERY = 60.0
"""Seconds between two looks at the calendar."""
FAREWELL = 10.0
"""Seconds that a run gets to end in; without them its lease has to end first."""
REST = 900.0
"""Seconds in which this process does not try an account again that could not be compared."""


class StoppedError(Exception):
    """The process ends; the run goes on elsewhere, or next time."""


class ReconcileSchedule:
    """Called again and again by a worker; begins what is due."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._looked_at = float("-inf")
        self._resting: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def step(self) -> None:
        """Begin what is due, unless a run is under way."""
        if self._monotonic() < self._looked_at + LOOK_EVERY or self._running():
            return
        self._looked_at = self._monotonic()
        options = reconcile_options()
        due = [
            name for name in get_registry().names() if self._may(name) and _is_due(name, options)
        ]
        if due:
            self._thread = threading.Thread(
                target=self._work,
                args=(due, options),
                name="omniman-payment-reconcile",
                # A gateway that never answers does not keep the process from ending.
                daemon=True,
            )
            self._thread.start()

    def finish(self, *, wait: bool = False) -> None:
        """End a run that is under way where it is; with ``wait``, only when it is done."""
        if not wait:
            self._stop.set()
        if self._thread is not None:
            self._thread.join(None if wait else FAREWELL)
            self._thread = None
        self._stop.clear()

    def _may(self, name: str) -> bool:
        return self._monotonic() >= self._resting.get(name, float("-inf"))

    def _running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _work(self, names: list[str], options: ReconcileOptions) -> None:
        try:
            for name in names:
                self._reconcile(name, options)
        except StoppedError:
            log.info("reconciling was stopped; it goes on where it was")
        except Exception as error:
            # Most likely the database is gone: the worker's own loop tells of it too.
            log.error("reconciling failed: %s", type(error).__name__)
        finally:
            connections[conf.database()].close()

    def _reconcile(self, name: str, options: ReconcileOptions) -> None:
        try:
            account = get_registry().account(name)
            run = Reconciling(account, rate=options.rate, progress=self._go_on, sleep=self._sleep)
            report = run.run()
        except ReconciliationBusyError:
            return
        except StoppedError:
            raise
        except Exception as error:
            self._resting[name] = self._monotonic() + REST
            text = get_registry().scrubber.text(str(error), 200)
            log.warning("account %s could not be reconciled: %s", name, text)
            _flag_if_overdue(name, text, options)
            return
        log.info(
            "account %s: %d payments compared, %d differ, %d transactions unknown, %d unreadable",
            name, report.compared, len(report.differing), len(report.unknown),
            len(report.unreadable),
        )  # fmt: skip

    def _go_on(self, report: Report) -> None:
        if self._stop.is_set():
            raise StoppedError

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise StoppedError


def _is_due(name: str, options: ReconcileOptions) -> bool:
    """Of an account that has payments; the first run comes one interval after they began."""
    if not options.every:
        return False
    now = timezone.now()
    rows = Reconciliation.objects.using(conf.database())
    row = rows.filter(pk=name).first()
    if row is None:
        if Payment.objects.using(conf.database()).filter(account=name).exists():
            rows.get_or_create(
                pk=name, defaults={"since": now, "began_at": now, "finished_at": now}
            )
        return False
    if row.lease_until is not None and row.lease_until > now:
        return False
    return row.finished_at is None or row.began_at + options.every <= now


def _flag_if_overdue(name: str, why: str, options: ReconcileOptions) -> None:
    """Once may be chance; a whole interval without a comparison is something a person must see."""
    row = Reconciliation.objects.using(conf.database()).filter(pk=name).first()
    since = row.began_at if row is not None else None
    overdue = since is not None and timezone.now() - since > options.every + timedelta(hours=1)
    if overdue:
        Flag.objects.using(conf.database()).get_or_create(
            dedupe_key=f"reconciliation_failed:{name}",
            settled_at=None,
            defaults={
                "kind": "reconciliation_failed",
                "order_ref": "",
                "account": name,
                "message": f"account {name} could not be compared with its gateway: {why}",
            },
        )
