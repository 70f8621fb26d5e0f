"""What a gateway would have notified is asked for as well: a lost notification costs seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from omniman_payment_core.errors import NotAttemptedError, RateLimitedError
from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.values import WebhookEvent
from omniman_payment_django.models import Directive, Payment, WebhookDelivery
from omniman_payment_django.runtime import get_registry
from omniman_payment_django.webhooks import polling
from omniman_payment_django.webhooks.polling import EventPolling
from omniman_payment_mock import MockPaymentBackend

from .shop import Shop


class Telling(MockPaymentBackend):
    """Can be asked what it would have notified; keeps from when on it was asked."""

    events: Sequence[WebhookEvent] = ()
    failure: BaseException | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked: list[datetime] = []
        self.gate = threading.Event()
        self.gate.set()

    def poll_events(self, since: datetime) -> Sequence[WebhookEvent]:
        self.asked.append(since)
        assert self.gate.wait(20)
        if self.failure is not None:
            raise self.failure
        return self.events


class Asking:
    """A worker's polling, with a clock of its own."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.polling = EventPolling(monotonic=lambda: self.seconds)

    def round(self, after: float = 60.0) -> int:
        """Ask, and store what is answered."""
        self.seconds += after
        came = self.polling.step()
        return came + self.polling.finish()


@pytest.fixture
def backend(shop: Shop) -> Telling:
    """The account's backend."""
    telling = Telling(gateway=shop.gateway)
    shop.backend, shop.account = telling, get_registry().use("shop", telling)
    return telling


def waiting(shop: Shop, **changes: Any) -> Payment:
    payment = shop.payment(next_check_at=timezone.now() + timedelta(hours=1))
    Payment.objects.filter(pk=payment.pk).update(**changes)
    return payment


def told_of(payment: Payment, number: int = 1) -> WebhookEvent:
    return WebhookEvent(f"event-{number}", "paid", payment.transaction_id)


def test_what_was_never_notified_wakes_its_payment(shop: Shop, backend: Telling) -> None:
    payment = waiting(shop)
    backend.events = [told_of(payment)]
    assert Asking().round() == 1
    (sync,) = Directive.objects.filter(topic="payment.sync")
    assert sync.payload == {"payment_id": payment.id}
    (delivery,) = WebhookDelivery.objects.all()
    assert (delivery.event_id, delivery.status) == ("event-1", "matched")


def test_what_was_notified_already_wakes_nobody_again(shop: Shop, backend: Telling) -> None:
    payment = waiting(shop)
    backend.events = [told_of(payment)]
    asking = Asking()
    asking.round()
    Directive.objects.update(status="completed")
    asking.round()
    assert [d.status for d in Directive.objects.all()] == ["completed"]
    assert WebhookDelivery.objects.count() == 1


def test_nobody_is_asked_while_nothing_is_expected(shop: Shop, backend: Telling) -> None:
    shop.payment()
    Asking().round()
    assert backend.asked == []


def test_the_first_question_reaches_back_to_the_oldest_open_payment(
    shop: Shop, backend: Telling
) -> None:
    opened = timezone.now() - timedelta(hours=5)
    waiting(shop, created_at=opened)
    waiting(shop)
    Asking().round()
    assert backend.asked == [opened - polling.OVERLAP]


def test_no_question_reaches_back_for_ever(shop: Shop, backend: Telling) -> None:
    waiting(shop, created_at=datetime(2020, 1, 1, tzinfo=UTC))
    Asking().round()
    (since,) = backend.asked
    assert timezone.now() - since < polling.FURTHEST + timedelta(minutes=1)


def test_later_questions_overlap_the_one_before(shop: Shop, backend: Telling) -> None:
    waiting(shop, created_at=timezone.now() - timedelta(hours=5))
    asking = Asking()
    before = timezone.now()
    asking.round()
    asking.round()
    assert before - polling.OVERLAP <= backend.asked[1] <= timezone.now() - polling.OVERLAP


def test_an_account_is_not_asked_more_often_than_it_should(shop: Shop, backend: Telling) -> None:
    waiting(shop)
    asking = Asking()
    for _ in range(10):
        asking.round(polling.EVERY / 10)
    assert len(backend.asked) == 1
    asking.round(polling.EVERY)
    assert len(backend.asked) == 2


def test_ten_thousand_open_payments_are_one_question(shop: Shop, backend: Telling) -> None:
    one = waiting(shop)
    fields = {f.attname: getattr(one, f.attname) for f in Payment._meta.concrete_fields}
    Payment.objects.bulk_create(
        Payment(**{**fields, "id": f"p{n}", "order_ref": f"O-{n}", "transaction_id": f"t{n}"})
        for n in range(10_000)
    )
    Asking().round()
    assert len(backend.asked) == 1


def test_a_question_under_way_is_not_asked_twice_and_holds_nobody_up(
    shop: Shop, backend: Telling
) -> None:
    payment = waiting(shop)
    backend.gate.clear()
    backend.events = [told_of(payment)]
    asking = Asking()
    for _ in range(5):
        asking.seconds += 60
        assert asking.polling.step() == 0
    assert len(backend.asked) == 1
    backend.gate.set()
    assert asking.polling.finish() == 1


@pytest.mark.parametrize(
    "failure", [NotAttemptedError("no connection"), KeyError("x"), SystemExit(3)]
)
def test_a_failure_is_told_once_and_tried_again_later_each_time(
    shop: Shop, backend: Telling, failure: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    waiting(shop)
    backend.failure = failure
    asking = Asking()
    with caplog.at_level(logging.WARNING):
        asking.round()
        asking.round(polling.EVERY)
        assert len(backend.asked) == 1
        asking.round(polling.EVERY)
        asking.round(polling.EVERY * 2)
    assert len(backend.asked) == 2
    assert len([r for r in caplog.records if "could not be asked" in r.getMessage()]) == 1


def test_after_a_failure_the_same_time_is_asked_for_again(shop: Shop, backend: Telling) -> None:
    opened = timezone.now() - timedelta(hours=5)
    payment = waiting(shop, created_at=opened)
    backend.failure = NotAttemptedError("no connection")
    asking = Asking()
    asking.round()
    backend.failure, backend.events = None, [told_of(payment)]
    assert asking.round() == 1
    assert backend.asked[1] <= opened


def test_a_gateway_that_says_when_is_not_asked_before(shop: Shop, backend: Telling) -> None:
    waiting(shop)
    backend.failure = RateLimitedError(retry_after=600)
    asking = Asking()
    asking.round()
    asking.round(599)
    assert len(backend.asked) == 1
    asking.round(2)
    assert len(backend.asked) == 2


@pytest.mark.parametrize("garbage", [None, "text", [object()], [WebhookEvent("", "x", None)]])
def test_what_is_no_list_of_events_is_not_stored(
    shop: Shop, backend: Telling, garbage: Any
) -> None:
    waiting(shop)
    backend.events = garbage
    Asking().round()
    assert not WebhookDelivery.objects.exists()


def test_wrappers_see_the_question_and_may_forbid_it(shop: Shop, backend: Telling) -> None:
    waiting(shop)
    seen: list[str] = []

    class Watching:
        @hookimpl(wrapper=True)
        def around_gateway_call(self, call: Any) -> Any:
            seen.append(call.method)
            return (yield)

    get_registry().hooks.register(Watching(), "watching")
    Asking().round()
    assert seen == ["poll_events"]


def test_the_command_asks_before_it_works(shop: Shop, backend: Telling) -> None:
    payment = waiting(shop)
    backend.events = [told_of(payment)]
    call_command("process_directives", "--once", verbosity=0)
    payment.refresh_from_db()
    assert payment.status == "captured"
