"""Reconciliation finds every difference between ledger and gateway, and nothing where none is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from omniman_payment_core.errors import NotAttemptedError
from omniman_payment_core.records import NewDirective
from omniman_payment_django.models import (
    Directive,
    Flag,
    Order,
    OrderEvent,
    Payment,
    PaymentOperation,
    Reconciliation,
)
from omniman_payment_django.reconciling import ReconciliationBusyError, Reconciling, Report
from omniman_payment_django.runtime import get_registry, get_store
from omniman_payment_mock import MockPaymentBackend
from omniman_payment_mock.script import parse

from .shop import Shop


def work() -> None:
    call_command("process_directives", verbosity=0)


def ask(order: Order, topic: str, **payload: Any) -> None:
    get_store().enqueue([NewDirective(topic, order.ref, payload)])


def sold(shop: Shop, *, charge: bool = True, **method: Any) -> Payment:
    """A payment as the shop knows it."""
    order = shop.order()
    topic = "payment.charge" if charge else "payment.hold"
    ask(order, topic, payment_method={"type": "card", **method})
    work()
    return Payment.objects.get(order_ref=order.ref)


def reconciled(**options: Any) -> Report:
    options.setdefault("sleep", lambda seconds: None)
    return Reconciling(get_registry().account("shop"), **options).run()


@contextmanager
def account_kept(shop: Shop) -> Iterator[None]:
    """Settings that change make a new registry: this one gets the shop's account too."""
    get_registry().use("shop", shop.backend)
    yield


def differing(report: Report) -> list[str]:
    return sorted(finding.order_ref for finding in report.differing)


@pytest.fixture
def unlisted(shop: Shop) -> Shop:
    """A gateway that cannot list: every payment is asked for by itself."""

    class Unlisted(MockPaymentBackend):
        list_transactions = None  # type: ignore[assignment]

    backend = Unlisted(gateway=shop.gateway)
    shop.backend, shop.account = backend, get_registry().use("shop", backend)
    return shop


def test_books_that_agree_are_left_alone(shop: Shop) -> None:
    for _ in range(3):
        sold(shop)
    sold(shop, charge=False)
    before = Directive.objects.count()
    report = reconciled()
    assert (report.compared, report.differing, report.unknown) == (4, [], [])
    assert Directive.objects.count() == before
    assert not Flag.objects.exists()


def test_a_payment_nobody_told_of_is_found_and_healed(shop: Shop) -> None:
    payment = sold(shop, behaviour={"qr": True})
    assert payment.status == "pending"
    shop.gateway.pay(str(payment.transaction_id))
    (finding,) = reconciled().differing
    assert finding.what == ("captured: the gateway says 10.00 BRL, the ledger 0.00 BRL",)
    work()
    payment.refresh_from_db()
    assert payment.status == "captured"
    assert reconciled(since=payment.created_at).differing == []


def test_a_refund_made_in_the_dashboard_is_found_and_healed(unlisted: Shop) -> None:
    payment = sold(unlisted)
    unlisted.gateway.refund_outside(str(payment.transaction_id), 300)
    (finding,) = reconciled().differing
    assert finding.what == ("returned: the gateway says 3.00 BRL, the ledger 0.00 BRL",)
    work()
    payment.refresh_from_db()
    assert payment.refunded_q == 300


def test_a_dispute_is_found_and_healed(unlisted: Shop) -> None:
    payment = sold(unlisted)
    unlisted.gateway.dispute(str(payment.transaction_id), 1000)
    assert differing(reconciled()) == [payment.order_ref]
    work()
    payment.refresh_from_db()
    assert payment.status == "disputed"


def test_a_refund_that_is_on_its_way_is_no_difference(unlisted: Shop) -> None:
    payment = sold(unlisted, behaviour={"refund": "pending"})
    ask(Order.objects.get(ref=payment.order_ref), "payment.refund", amount_q=400)
    work()
    assert reconciled().differing == []


def test_money_of_which_no_payment_knows_is_flagged_once(shop: Shop) -> None:
    stray = shop.gateway.open("charge", 700, "BRL", "SOMEBODY", {})
    shop.gateway.open("charge", 500, "BRL", "UNPAID", {}, behaviour=parse({"qr": True}))
    for _ in range(2):
        (finding,) = reconciled(since=timezone.now() - timedelta(days=1)).unknown
        assert finding.transaction_id == stray.transaction_id
    (flag,) = Flag.objects.all()
    assert (flag.kind, flag.account) == ("unknown_transaction", "shop")
    assert "7.00 BRL" in flag.message


def test_money_that_the_gateway_has_never_heard_of_is_a_difference(unlisted: Shop) -> None:
    payment = sold(unlisted)
    Payment.objects.filter(pk=payment.pk).update(transaction_id="mock_nobody")
    (finding,) = reconciled().differing
    assert finding.what == ("the gateway knows no such transaction",)


def test_a_dry_run_writes_nothing(shop: Shop) -> None:
    payment = sold(shop, behaviour={"qr": True})
    shop.gateway.pay(str(payment.transaction_id))
    shop.gateway.open("charge", 700, "BRL", "SOMEBODY", {})
    with CaptureQueriesContext(connection) as queries:
        report = reconciled(dry=True)
    assert (len(report.differing), len(report.unknown)) == (1, 1)
    written = [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert written == []
    assert not Reconciliation.objects.exists()


def test_a_run_that_was_stopped_goes_on_where_it_was(
    unlisted: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omniman_payment_django.reconciling.run.PAGE", 2)
    payments = [sold(unlisted) for _ in range(5)]
    asked: list[str] = []
    genuine = unlisted.backend.get_status

    def stops(transaction_id: str) -> Any:
        if len(asked) == 3:
            raise KeyboardInterrupt
        asked.append(transaction_id)
        return genuine(transaction_id)

    unlisted.backend.get_status = stops
    with pytest.raises(KeyboardInterrupt):
        reconciled()
    unlisted.backend.get_status = lambda t: asked.append(t) or genuine(t)
    report = reconciled()
    assert report.compared == 5
    # The page that was under way is compared again, the one before it is not.
    assert asked[3:] == [p.transaction_id for p in sorted(payments, key=lambda p: p.pk)][2:]


def test_each_run_reaches_back_as_far_as_the_settings_say(unlisted: Shop) -> None:
    """A refund in the dashboard weeks after the sale is found, whatever was compared since."""
    payment = sold(unlisted)
    Payment.objects.filter(pk=payment.pk).update(created_at=timezone.now() - timedelta(days=20))
    reconciled()
    unlisted.gateway.refund_outside(str(payment.transaction_id), 300)
    assert differing(reconciled()) == [payment.order_ref]
    with (
        override_settings(OMNIMAN={**settings.OMNIMAN, "RECONCILE": {"reach_days": 10}}),
        account_kept(unlisted),
    ):
        assert reconciled().compared == 0


def test_a_run_that_another_process_is_at_is_left_to_it(shop: Shop) -> None:
    sold(shop)
    later = timezone.now() + timedelta(minutes=10)
    Reconciliation.objects.create(account="shop", since=later, began_at=later, lease_until=later)
    with pytest.raises(ReconciliationBusyError, match="another process reconciles it"):
        reconciled()
    assert reconciled(dry=True).compared == 1
    Reconciliation.objects.update(lease_until=timezone.now())
    assert reconciled(since=timezone.now() - timedelta(days=1)).compared == 1


def test_a_process_that_lost_its_turn_writes_nothing_more(unlisted: Shop) -> None:
    for _ in range(2):
        sold(unlisted)
    genuine = unlisted.backend.get_status

    def overtaken(transaction_id: str) -> Any:
        Reconciliation.objects.update(lease_until=timezone.now() + timedelta(hours=1))
        return genuine(transaction_id)

    unlisted.backend.get_status = overtaken
    with pytest.raises(ReconciliationBusyError, match="taken over"):
        reconciled()
    row = Reconciliation.objects.get()
    assert row.finished_at is None
    assert row.lease_until is not None


def test_an_old_payment_that_has_not_ended_is_compared_whenever_it_began(unlisted: Shop) -> None:
    payment = sold(unlisted, behaviour={"qr": True})
    Payment.objects.filter(pk=payment.pk).update(created_at=timezone.now() - timedelta(days=400))
    assert reconciled().compared == 1


def test_one_payment_that_cannot_be_read_does_not_keep_the_others(unlisted: Shop) -> None:
    first, second = sold(unlisted), sold(unlisted)
    genuine = unlisted.backend.get_status

    def fails(transaction_id: str) -> Any:
        if transaction_id == first.transaction_id:
            raise NotAttemptedError("no connection")
        return genuine(transaction_id)

    unlisted.backend.get_status = fails
    unlisted.gateway.refund_outside(str(second.transaction_id), 300)
    report = reconciled()
    assert [f.order_ref for f in report.unreadable] == [first.order_ref]
    assert differing(report) == [second.order_ref]


def test_a_payment_of_another_account_at_the_gateway_is_never_asked_for(unlisted: Shop) -> None:
    payment = sold(unlisted)
    Payment.objects.filter(pk=payment.pk).update(fingerprint="another")
    report = reconciled()
    assert [f.what for f in report.unreadable] == [
        ("it is bound to another account at the gateway",)
    ]


def test_single_questions_come_no_faster_than_the_rate(unlisted: Shop) -> None:
    for _ in range(4):
        sold(unlisted)
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    reconciled(rate=2.0, sleep=sleep, monotonic=lambda: now[0])
    assert slept == [0.5] * 3


def test_what_no_look_has_mended_by_the_next_run_is_shown_to_a_person(unlisted: Shop) -> None:
    lost = sold(unlisted)
    Payment.objects.filter(pk=lost.pk).update(transaction_id="mock_nobody")
    healed = sold(unlisted)
    unlisted.gateway.refund_outside(str(healed.transaction_id), 300)
    assert len(reconciled().differing) == 2
    work()
    assert not Flag.objects.filter(kind="books_differ").exists(), "the looks are being made"
    OrderEvent.objects.filter(kind="difference_found").update(
        at=timezone.now() - timedelta(hours=24)
    )
    for _ in range(2):
        assert differing(reconciled()) == [lost.order_ref]
    (flag,) = Flag.objects.filter(kind="books_differ")
    assert (flag.order_ref, flag.payment_id, flag.account) == (lost.order_ref, lost.pk, "shop")
    assert "the gateway knows no such transaction" in flag.message
    noted = OrderEvent.objects.filter(kind="difference_found")
    assert sorted(noted.values_list("order_ref", flat=True)) == sorted(
        [lost.order_ref, healed.order_ref]
    )


def test_a_transaction_whose_answer_is_being_looked_up_is_nobody_elses_money(shop: Shop) -> None:
    """The backend does not name transactions beforehand, and the worker died after the call."""

    class Unnamed(MockPaymentBackend):
        choose_transaction_id = None  # type: ignore[assignment]

    get_registry().use("shop", Unnamed(gateway=shop.gateway))
    payment = sold(shop, behaviour={"faults": {"kind": "timeout", "when": "after"}})
    assert payment.transaction_id is None
    other = shop.gateway.open("charge", 700, "BRL", "SOMEBODY", {})
    assert [f.transaction_id for f in reconciled().unknown] == [other.transaction_id]
    PaymentOperation.objects.update(state="parked")
    assert len(reconciled().unknown) == 2, "nobody looks it up any more"


def test_the_command_tells_what_it_found(shop: Shop) -> None:
    payment = sold(shop, behaviour={"qr": True})
    shop.gateway.pay(str(payment.transaction_id))
    out = StringIO()
    call_command("payments", "reconcile", "shop", "--dry-run", stdout=out)
    said = out.getvalue()
    assert "1 compared, 1 differ, 0 unknown" in said
    assert f"order {payment.order_ref}, {payment.transaction_id}: captured:" in said
    out = StringIO()
    call_command("payments", "reconcile", "--json", stdout=out)
    told = json.loads(out.getvalue())
    (report,) = [each for each in told["reports"] if each["account"] == "shop"]
    assert report["differing"][0]["order_ref"] == payment.order_ref


@pytest.mark.parametrize(
    "arguments", [("nobody",), ("--since", "yesterday"), ("--rate", "0"), ("--rate", "x")]
)
def test_a_wrong_command_says_so(shop: Shop, arguments: tuple[str, ...]) -> None:
    with pytest.raises((CommandError, SystemExit)):
        call_command("payments", "reconcile", *arguments, stdout=StringIO())
