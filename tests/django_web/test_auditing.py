"""The audit finds broken books and stuck work on a real database, and nothing in sound ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from omniman_payment_core.records import NewDirective
from omniman_payment_django.auditing import Audit
from omniman_payment_django.models import (
    Directive,
    Flag,
    Order,
    Payment,
    PaymentNotice,
    PaymentOperation,
    Session,
)
from omniman_payment_django.runtime import get_store

from .shop import Shop

OVERDUE = timedelta(hours=2)


def ask(order: Order, topic: str, **payload: Any) -> None:
    get_store().enqueue([NewDirective(topic, order.ref, payload)])
    call_command("process_directives", verbosity=0)


@pytest.fixture
def sold(shop: Shop) -> Payment:
    """Held, captured, a part refunded."""
    order = shop.order()
    ask(order, "payment.hold", payment_method={})
    ask(order, "payment.confirm")
    ask(order, "payment.refund", amount_q=300)
    return Payment.objects.get(order_ref=order.ref)


def found() -> list[tuple[str, str]]:
    """Each breach, an hour and more after everything that a test did."""
    audit = Audit(now=lambda: timezone.now() + OVERDUE)
    return [(breach.rule, breach.where) for breach in audit.run()]


def test_sound_books_are_left_alone_and_nothing_is_written(sold: Payment, shop: Shop) -> None:
    open_ = shop.order()
    ask(open_, "payment.charge", payment_method={"behaviour": {"qr": True}})
    with CaptureQueriesContext(connection) as queries:
        audit = Audit()
        assert list(audit.run()) == []
    assert (audit.payments, audit.orders) == (2, 2)
    assert all(query["sql"].startswith("SELECT") for query in queries)


def test_an_amount_changed_by_hand(sold: Payment) -> None:
    Payment.objects.update(captured_q=1500)
    rules = {rule for rule, _ in found()}
    assert rules == {
        "the payment is the sum of its facts",
        "no capture beyond the hold",
        "no payment above what was asked",
        "no order above its total",
        "the order shows what the ledger says",
    }


def test_a_summary_that_does_not_follow_the_ledger(sold: Payment) -> None:
    order = Order.objects.get(ref=sold.order_ref)
    order.data["payment"]["captured_q"] = 1
    order.save()
    assert found() == [("the order shows what the ledger says", f"order {order.ref}")]


def lost_worker(payment: Payment) -> None:
    Directive.objects.filter(topic="payment.refund").update(
        status="running", lease_until=timezone.now()
    )


def late(payment: Payment) -> None:
    Directive.objects.filter(topic="payment.refund").update(status="pending")


def parked(payment: Payment) -> None:
    Directive.objects.filter(topic="payment.refund").update(status="parked")


def forgotten(payment: Payment) -> None:
    Directive.objects.all().delete()
    Payment.objects.update(status="authorized", next_check_at=None)


def in_doubt(payment: Payment) -> None:
    PaymentOperation.objects.filter(kind="refund").update(state="sent")


def untold(payment: Payment) -> None:
    PaymentNotice.objects.create(payment_id=payment.pk, version=99, snapshot={}, at=timezone.now())


def never_asked(payment: Payment) -> None:
    order = Order.objects.get(ref=payment.order_ref)
    order.session = Session.objects.create(key="s", channel=order.channel)
    order.save()
    Directive.objects.all().delete()


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lost_worker, "no lease outlives its worker for long"),
        (late, "nothing waits past its time"),
        (parked, "nothing is parked unseen"),
        (forgotten, "every open payment has a next step"),
        (in_doubt, "every doubt is being settled"),
        (untold, "observers hear of every change"),
        (never_asked, "every order asks for its money"),
    ],
)
def test_what_is_stuck_is_found(sold: Payment, spoil: Callable[[Payment], None], rule: str) -> None:
    assert found() == []
    spoil(sold)
    assert rule in [found_rule for found_rule, _ in found()]


@pytest.mark.parametrize("spoil", [parked, forgotten, in_doubt])
def test_what_a_person_is_shown_is_not_told_again(
    sold: Payment, spoil: Callable[[Payment], None]
) -> None:
    spoil(sold)
    before = len(found())
    Flag.objects.create(kind="k", dedupe_key="k", order_ref=sold.order_ref, message="look")
    after = [rule for rule, _ in found()]
    assert len(after) < before
    assert not {"nothing is parked unseen", "every doubt is being settled"} & set(after)


def test_work_in_progress_is_no_fault(sold: Payment) -> None:
    """The same rows as above, but of this moment: a worker may be at it."""
    for spoil in (lost_worker, untold, in_doubt):
        spoil(sold)
    rules = [breach.rule for breach in Audit().run()]
    assert rules == []


def test_what_was_only_half_read_is_read_again(
    sold: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that settles between two questions of the audit raises no alarm."""
    from omniman_payment_django import auditing

    genuine, torn = auditing._books, [True]

    def read(page: Any) -> Any:
        for books in genuine(page):
            if torn and torn.pop():
                from dataclasses import replace

                yield replace(books, events=books.events[:-1])
            else:
                yield books

    monkeypatch.setattr(auditing, "_books", read)
    assert found() == []
    assert torn == []


def test_the_command_tells_and_ends_with_an_error(sold: Payment) -> None:
    out = StringIO()
    call_command("payments", "audit", stdout=out)
    assert out.getvalue() == "1 payments of 1 orders: every rule holds\n"
    Order.objects.update(data={})
    out = StringIO()
    with pytest.raises(CommandError, match="1 payments of 1 orders: 1 breaches"):
        call_command("payments", "audit", stdout=out)
    assert "the order shows what the ledger says: order WEB-" in out.getvalue()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("payments", "audit", "--json", stdout=out)
    assert json.loads(out.getvalue())["rule"] == "the order shows what the ledger says"


def test_since_looks_at_newer_payments_only(sold: Payment) -> None:
    Payment.objects.update(captured_q=1500)
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    out = StringIO()
    call_command("payments", "audit", "--since", tomorrow, stdout=out)
    assert out.getvalue() == "0 payments of 0 orders: every rule holds\n"
