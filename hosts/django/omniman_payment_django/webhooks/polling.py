"""Asks gateways for what their notifications would have told: a lost one costs seconds.

What comes back takes the road of a notification, so what was told already is recognised and
left alone. The calls run beside the worker; only what they bring is stored by its thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, QuerySet
from django.utils import timezone

from omniman_payment_core.errors import ConfigurationError, RateLimitedError
from omniman_payment_core.notices import GatewayCall
from omniman_payment_core.plugins import Account
from omniman_payment_core.values import WebhookEvent
from omniman_payment_django import conf
from omniman_payment_django.models import Payment
from omniman_payment_django.runtime import get_registry

from . import intake, verifying

log = logging.getLogger("omniman_payment.webhooks")

EVERY = 10.0
"""Seconds between two questions to one account."""
LONGEST_PAUSE = 300.0
OVERLAP = timedelta(minutes=2)
"""Asked for again each time: what a gateway lists a moment late is not missed."""
FURTHEST = timedelta(hours=48)
AT_ONCE = 4
STORED_TOGETHER = 500
_NO_BODY = b"(asked for, not sent)"


@dataclass(slots=True)
class _Asked:
    """Where an account's questions stand."""

    due: float = 0.0
    failures: int = 0
    since: datetime | None = None
    began: datetime | None = None
    answer: Future[Sequence[WebhookEvent]] | None = None


class EventPolling:
    """Called again and again by a worker; asks the accounts where payments wait for something."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._accounts: dict[str, _Asked] = {}
        self._calls: ThreadPoolExecutor | None = None

    def step(self) -> int:
        """Store what was answered since, and ask what is due; says how many events came."""
        came = sum(self._take(name, asked) for name, asked in self._accounts.items())
        for name in get_registry().names():
            asked = self._accounts.setdefault(name, _Asked())
            if asked.answer is None and self._monotonic() >= asked.due:
                self._ask(name, asked)
        return came

    def finish(self) -> int:
        """Wait for what is under way and store it."""
        if self._calls is not None:
            self._calls.shutdown(wait=True)
            self._calls = None
        return sum(self._take(name, asked) for name, asked in self._accounts.items())

    def _ask(self, name: str, asked: _Asked) -> None:
        asked.due = self._monotonic() + EVERY
        if not _expected(name).exists():
            # Nothing is expected there: the account's plugin is not even loaded for it.
            asked.since = None
            return
        try:
            account = get_registry().account(name)
            if "poll_events" not in account.abilities:
                asked.due = float("inf")
                return
        except ConfigurationError:
            # The worker and the system checks tell of it.
            return
        now = timezone.now()
        since = max(asked.since or _oldest_expected(name, now), now - FURTHEST)
        asked.began = now
        if self._calls is None:
            self._calls = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="omniman-payment-poll")
        asked.answer = self._calls.submit(_poll, account, since)

    def _take(self, name: str, asked: _Asked) -> int:
        if asked.answer is None or not asked.answer.done():
            return 0
        answer, asked.answer = asked.answer, None
        try:
            events = verifying.checked(answer.result(), most=None)
        except BaseException as error:
            # Also SystemExit: a plugin does not end the worker.
            self._put_off(name, asked, error)
            return 0
        receiver = intake.receiver_of(name)
        if receiver is not None:
            for start in range(0, len(events), STORED_TOGETHER):
                intake.accept(receiver, events[start : start + STORED_TOGETHER], _NO_BODY)
        asked.failures, asked.since = 0, (asked.began or timezone.now()) - OVERLAP
        return len(events)

    def _put_off(self, name: str, asked: _Asked, error: BaseException) -> None:
        """Later each time; the payments' own schedules go on meanwhile."""
        asked.failures += 1
        pause = min(LONGEST_PAUSE, EVERY * 2 ** min(asked.failures, 10))
        if isinstance(error, RateLimitedError) and error.retry_after:
            pause = max(pause, float(error.retry_after))
        asked.due = self._monotonic() + pause
        if asked.failures == 1:
            text = get_registry().scrubber.text(str(error), 200)
            log.warning("account %s could not be asked for events: %s", name, text)


def _poll(account: Account, since: datetime) -> Sequence[WebhookEvent]:
    call = GatewayCall(
        account=account.name,
        plugin=account.plugin,
        method="poll_events",
        order_ref="",
        payment_id="",
        idempotency_key=None,
        amount_q=0,
        currency="",
        attempt=1,
    )
    hooks = get_registry().hooks
    answer: Sequence[WebhookEvent] = hooks.around_gateway_call(
        call, lambda: account.backend.poll_events(since)
    )
    return answer


def _expected(account: str) -> QuerySet[Payment]:
    """The payments of an account that something is still expected of, late money included."""
    return Payment.objects.using(conf.database()).filter(
        account=account, next_check_at__isnull=False
    )


def _oldest_expected(account: str, now: datetime) -> datetime:
    """From when on something may have been told to nobody."""
    oldest: datetime | None = _expected(account).aggregate(at=Min("created_at"))["at"]
    return (oldest or now) - OVERLAP
