"""Payers are forgotten when their work is done: by age, or one of them on demand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from omniman_payment_django.auditing import Audit
from omniman_payment_django.forgetting import forget_before
from omniman_payment_django.models import (
    Channel,
    Directive,
    Order,
    OrderEvent,
    Payment,
    PaymentEvent,
    Session,
    WebhookDelivery,
)
from omniman_payment_django.runtime import get_engine, get_registry
from omniman_payment_django.sessions import commit_session, confirm_payment, refund_payment
from omniman_payment_django.settling import SettlingError, retry_directive
from omniman_payment_mock import MockPaymentBackend

PAYER = "Maria of the tests"
METHOD = {"type": "card", "token": "tok_1", "holder": PAYER}


def sold(ref: str, **method: Any) -> Order:
    channel, _ = Channel.objects.get_or_create(code="web", defaults={"config": CONFIG})
    items = [{"sku": "coffee", "qty": 1, "price_q": 1000}]
    session = Session.objects.create(key=ref, channel=channel, items=items)
    order = commit_session(
        session, commit_key=ref, payment_method={**METHOD, **method}, ref=ref,
        metadata={"note": f"for {PAYER}"},
    )  # fmt: skip
    work()
    payment = Payment.objects.filter(order_ref=ref).first()
    if payment is not None:
        WebhookDelivery.objects.create(
            account=payment.account, event_id=f"evt-{ref}", kind="x", status="matched",
            transaction_id=payment.transaction_id, body=json.dumps({"about": PAYER}),
        )  # fmt: skip
    return order


CONFIG = {"payment_backend": "shop", "payment_flow": "authorize_capture"}


def work() -> None:
    get_engine("one").run_until_idle()


@pytest.fixture(autouse=True)
def _shop(database: object) -> Iterator[None]:
    with override_settings(OMNIMAN={"PAYMENT_BACKENDS": {"shop": {"plugin": "mock"}}}):
        get_registry().use("shop", MockPaymentBackend())
        yield


def known() -> list[str]:
    """Where the payer is still named."""
    places = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            places += [table for row in cursor.fetchall() if PAYER in str(row)]
    return sorted(places)


def test_what_is_done_is_forgotten_by_age_and_the_money_is_not() -> None:
    order = sold("A-1")
    assert len(known()) == 2
    facts = list(PaymentEvent.objects.values_list("kind", "amount_q"))
    day_ago = timezone.now() - timedelta(days=1)
    assert forget_before(day_ago).directives == 0
    assert len(known()) == 2
    call_command("payments", "forget", "--older-than", "0")
    assert known() == []
    assert list(PaymentEvent.objects.values_list("kind", "amount_q")) == facts
    assert list(Audit().run()) == []
    confirm_payment(order)
    work()
    refund_payment(order, 300)
    work()
    payment = Payment.objects.get()
    assert (payment.captured_q, payment.refunded_q) == (1000, 300)


def test_work_that_is_not_done_keeps_what_it_needs() -> None:
    sold("A-1")
    Directive.objects.update(status="pending", finished_at=None)
    assert forget_before(timezone.now() + timedelta(days=1)).directives == 0
    assert "omniman_payment_directive" in known()


def test_one_order_is_forgotten_on_demand_and_the_demand_is_kept() -> None:
    sold("A-1")
    sold("A-2")
    call_command("payments", "forget", "--order=A-1", "--actor=ana", "--reason=she asked")
    assert len(known()) == 2
    event = OrderEvent.objects.get(kind="payer_forgotten")
    assert (event.order_ref, event.actor) == ("A-1", "ana")
    assert event.data == {"directives": 1, "notifications": 1, "reason": "she asked"}
    assert not Directive.objects.filter(order_ref="A-1", payload__has_key="payment_method").exists()
    assert Directive.objects.filter(order_ref="A-2", payload__has_key="payment_method").exists()


def test_a_dry_run_counts_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    sold("A-1")
    call_command("payments", "forget", "--older-than", "0", "--dry-run")
    call_command("payments", "forget", "--order=A-1", "--actor=a", "--reason=b", "--dry-run")
    told = capsys.readouterr().out
    assert told.count("1 directives and 1 notifications would be stripped") == 2
    assert len(known()) == 2
    assert not OrderEvent.objects.filter(kind="payer_forgotten").exists()


def test_what_was_forgotten_cannot_be_run_again() -> None:
    sold("A-1")
    Directive.objects.update(status="failed")
    call_command("payments", "forget", "--older-than", "0")
    with pytest.raises(SettlingError, match="was forgotten"):
        retry_directive(Directive.objects.first().pk, actor="ana", reason="x")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "words",
    [
        ("--order=A-1",),
        ("--order=A-1", "--actor=ana"),
        ("--older-than=-1",),
        (),
        ("--order=A-1", "--older-than=1"),
    ],
)
def test_a_wrong_command_says_so(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("payments", "forget", *words)
