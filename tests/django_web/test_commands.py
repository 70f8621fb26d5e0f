"""manage.py: the worker that stops cleanly, and what a person reads and decides at a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from omniman_payment_core.decisions import sync_of
from omniman_payment_core.records import NewDirective
from omniman_payment_django.management.stopping import stop_on_signals
from omniman_payment_django.models import (
    Directive,
    Flag,
    Order,
    OrderEvent,
    Payment,
    PaymentEvent,
    PaymentOperation,
)
from omniman_payment_django.runtime import get_store
from omniman_payment_mock.script import Fault
from tests.databases import Database

from .shop import Shop

TOKEN = "tok_planted_payment_method"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def ask(order: Order, topic: str = "payment.hold", **payload: Any) -> Directive:
    method = {"type": "card", "token": TOKEN, **payload.pop("method", {})}
    new = NewDirective(topic, order.ref, {"payment_method": method, **payload})
    (number,) = get_store().enqueue([new])
    return Directive.objects.get(pk=number)


def wait_until(true: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.02)


# -- the worker ----------------------------------------------------------------------------


def test_once_works_until_nothing_is_due(shop: Shop) -> None:
    orders = [shop.order() for _ in range(20)]
    for order in orders:
        ask(order)
    out = run("process_directives", "--workers", "4", "--batch", "7")
    assert "0 pending, 0 running elsewhere, 0 parked" in out
    assert {p.status for p in Payment.objects.all()} == {"authorized"}
    for order in orders:
        order.refresh_from_db()
        assert order.data["payment"]["status"] == "authorized"
        assert shop.gateway.held_q(order.ref) == order.total_q


def test_once_is_the_default_and_needs_no_work_to_end(shop: Shop) -> None:
    assert "0 pending" in run("process_directives", "--once")


def test_a_webhook_is_followed_by_the_gateways_truth(shop: Shop) -> None:
    order = shop.order(payment_flow="charge")
    ask(order, "payment.charge", method={"behaviour": {"qr": True}})
    run("process_directives")
    payment = Payment.objects.get()
    assert payment.captured_q == 0
    shop.gateway.pay(payment.transaction_id or "")
    assert shop.deliver(*shop.gateway.webhook(payment.transaction_id)).status_code == 200
    run("process_directives")
    payment.refresh_from_db()
    assert (payment.status, payment.captured_q) == ("captured", order.total_q)


@pytest.mark.parametrize("arguments", [("--workers", "0"), ("--batch", "x"), ("--once", "--watch")])
def test_a_wrong_argument_is_refused(shop: Shop, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("process_directives", *arguments)


def test_both_signals_ask_to_stop_and_are_given_back_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    for number in (signal.SIGTERM, signal.SIGINT):
        stop = threading.Event()
        with stop_on_signals(stop):
            os.kill(os.getpid(), number)
            assert stop.wait(5)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_worker_finishes_what_is_in_flight_and_gives_back_the_rest(
    sqlite_database: Database, tmp_path: Path, number: signal.Signals
) -> None:
    shop = Shop()
    orders = [shop.order(payment_backend="mock") for _ in range(12)]
    for order in orders:
        ask(order)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.django_web.worker_settings",
        "OMNIMAN_TEST_SQLITE": sqlite_database.settings["NAME"],
        "OMNIMAN_TEST_GATEWAY": str(tmp_path / "gateway.sqlite3"),
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "django", "process_directives", "--watch", "--workers", "2"],
        env=environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: PaymentOperation.objects.filter(state="ok").exists())
        worker.send_signal(number)
        out, _ = worker.communicate(timeout=30)
    finally:
        worker.kill()
        worker.wait()
    assert worker.returncode == 0
    assert "running elsewhere" in out
    statuses = list(Directive.objects.values_list("status", flat=True))
    assert statuses.count("running") == 0
    assert 0 < statuses.count("completed") < len(orders)
    assert statuses.count("pending") == len(orders) - statuses.count("completed")
    # What went back has no lease to wait for, and nothing of it is in doubt.
    assert not PaymentOperation.objects.filter(state="sent").exists()


# -- payments show -------------------------------------------------------------------------


def test_show_tells_the_whole_story_of_an_order_and_no_payment_method(shop: Shop) -> None:
    order = shop.order(order_flow={"auto_transitions": {"on_payment_confirm": "confirmed"}})
    ask(order)
    run("process_directives")
    ask(order, "payment.confirm")
    run("process_directives")
    ask(order, "payment.refund", amount_q=300, reason="one mug broke")
    run("process_directives")
    text = run("payments", "show", order.ref)
    for part in (
        f"Order {order.ref} · {order.channel.code} · confirmed · 10.00 BRL",
        "partially_refunded",
        "account shop (test)",
        "captured 10.00 BRL",
        "refunded 3.00 BRL",
        "authorize 1",
        "capture 1",
        "one mug broke",
        "from=new to=confirmed",
    ):
        assert part in text, f"{part!r} is not in\n{text}"
    facts = [line.split(" UTC")[1].split()[0] for line in text.splitlines() if " call by " in line]
    assert facts[0] == "opened"
    assert [f for f in facts if f in ("authorized", "captured", "refunded")] == [
        "authorized", "captured", "refunded",
    ]  # fmt: skip
    assert TOKEN not in text


def test_show_names_a_deadline_only_while_it_matters(shop: Shop) -> None:
    order = shop.order()
    ask(order)
    run("process_directives")
    assert "hold ends" in run("payments", "show", order.ref)
    ask(order, "payment.confirm")
    run("process_directives")
    assert "hold ends" not in run("payments", "show", order.ref)

    later = shop.order()
    ask(later, "payment.charge", method={"type": "qr", "behaviour": {"qr": True}})
    run("process_directives")
    assert "payable until" in run("payments", "show", later.ref)
    shop.gateway.pay(Payment.objects.get(order_ref=later.ref).transaction_id)
    ask(later, "payment.sync", payment_id=Payment.objects.get(order_ref=later.ref).id)
    run("process_directives")
    text = run("payments", "show", later.ref)
    assert "captured 10.00 BRL" in text
    assert "payable until" not in text


def test_show_says_what_happens_next_and_what_a_person_has_to_do(shop: Shop) -> None:
    order = shop.order()
    parked = Directive.objects.create(
        topic="payment.hold", order_ref=order.ref, status="parked", last_error="nobody knows"
    )
    Directive.objects.create(topic="payment.sync", order_ref=order.ref, available_at=AT, attempts=3)
    Directive.objects.create(
        topic="payment.confirm", order_ref=order.ref, available_at=AT, waiting=True
    )
    Flag.objects.create(
        kind="outcome_unknown", dedupe_key="k", order_ref=order.ref, message="look there"
    )
    text = run("payments", "show", order.ref)
    assert "no payment has begun" in text
    assert "payment.sync (3 attempts) runs 2026-01-02 03:04:05 UTC" in text
    assert "payment.confirm waits for its payment" in text
    assert f"payments retry {parked.pk} --actor NAME --reason TEXT: nobody knows" in text
    assert "outcome_unknown: look there" in text


def test_show_of_an_order_that_is_not_there_says_so(database: object) -> None:
    with pytest.raises(CommandError, match='no order "NOPE"'):
        run("payments", "show", "NOPE")


def test_show_asks_the_same_number_of_questions_whatever_the_number_of_payments(
    shop: Shop,
) -> None:
    order = shop.order()

    def questions() -> int:
        connection.force_debug_cursor = True
        connection.queries_log.clear()
        run("payments", "show", order.ref)
        connection.force_debug_cursor = False
        return len(connection.queries_log)

    shop.payment(order_ref=order.ref, attempt=1)
    few = questions()
    for attempt in range(2, 8):
        shop.payment(order_ref=order.ref, attempt=attempt)
    assert questions() == few


# -- payments backends, flags --------------------------------------------------------------


def test_backends_lists_accounts_and_plugins_without_importing_any(database: object) -> None:
    code = (
        "import sys, django; django.setup(); "
        "from django.core.management import call_command; "
        "call_command('payments', 'backends', '--json'); "
        "assert not {'omniman_payment_mock', 'stripe', 'efipay'} & set(sys.modules), 'imported'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.django_settings"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["accounts"] == [
        {"account": "mock", "plugin": "mock", "class": None, "default": True}
    ]
    plugins = {plugin["name"]: plugin for plugin in found["plugins"]}
    assert plugins["mock"]["distribution"] == "omniman-payment-mock"
    assert plugins["mock"]["version"]
    text = run("payments", "backends")
    assert "mock: mock  (default)" in text
    assert "mock: omniman-payment-mock" in text


def test_flags_are_listed_and_settled_on_the_record(database: object) -> None:
    assert run("payments", "flags") == "no open flag\n"
    flag = Flag.objects.create(
        kind="late_money", dedupe_key="k", order_ref="O-1", message="paid late", opened_at=AT
    )
    assert run("payments", "flags") == (
        f"[{flag.pk}] 2026-01-02 03:04:05 UTC  late_money  O-1: paid late\n"
    )
    assert json.loads(run("payments", "flags", "--json"))["message"] == "paid late"
    with pytest.raises(CommandError, match="actor"):
        run("payments", "settle-flag", str(flag.pk), "--actor", " ", "--reason", "x")
    run("payments", "settle-flag", str(flag.pk), "--actor", "anna", "--reason", "sent it back")
    flag.refresh_from_db()
    assert flag.settled_at is not None
    assert (flag.actor, flag.reason) == ("anna", "sent it back")
    event = OrderEvent.objects.get(order_ref="O-1", kind="flag_settled")
    assert (event.actor, event.detail("reason")) == ("anna", "sent it back")
    with pytest.raises(CommandError, match="no open flag"):
        run("payments", "settle-flag", str(flag.pk), "--actor", "bob", "--reason", "again")


# -- payments retry ------------------------------------------------------------------------


def retry(directive: Directive) -> str:
    return run("payments", "retry", str(directive.pk), "--actor", "anna", "--reason", "it is up")


def test_a_failed_directive_runs_again_once_its_cause_is_mended(shop: Shop) -> None:
    order = shop.order(payment_flow="nonsense")
    directive = ask(order)
    run("process_directives")
    directive.refresh_from_db()
    assert directive.status in ("failed", "parked")
    order.channel.config = {"payment_backend": "shop"}
    order.channel.save()
    assert "is due again" in retry(directive)
    run("process_directives")
    directive.refresh_from_db()
    assert directive.status == "completed"
    assert shop.gateway.held_q(order.ref) == order.total_q
    event = OrderEvent.objects.get(kind="directive_retried")
    assert (event.actor, event.detail("reason")) == ("anna", "it is up")


def test_what_was_parked_in_doubt_is_looked_up_and_not_charged_twice(shop: Shop) -> None:
    order = shop.order(payment_flow="charge")
    lost = {"faults": {"kind": "timeout", "when": "after"}}
    directive = ask(order, "payment.charge", method={"behaviour": lost})
    run("process_directives")
    assert shop.gateway.moved_q(order.ref) == order.total_q
    operation = PaymentOperation.objects.get(kind="charge")
    assert operation.state == "sent"
    # As the engine leaves it when all attempts to learn the outcome were in vain.
    PaymentOperation.objects.update(state="parked")
    Directive.objects.filter(pk=directive.pk).update(status="parked", attempts=24)
    retry(directive)
    operation.refresh_from_db()
    assert operation.state == "sent"
    run("process_directives")
    directive.refresh_from_db()
    assert directive.status == "completed"
    assert shop.gateway.moved_q(order.ref) == order.total_q
    assert len(shop.gateway.transactions(order.ref)) == 1


@pytest.mark.parametrize("status", ["pending", "running", "completed"])
def test_only_what_has_ended_badly_is_run_again(shop: Shop, status: str) -> None:
    directive = ask(shop.order())
    Directive.objects.update(status=status)
    with pytest.raises(CommandError, match=f"is {status}; only a parked or failed one"):
        retry(directive)
    assert not OrderEvent.objects.exists()


def test_retrying_what_is_not_there_says_so(database: object) -> None:
    with pytest.raises(CommandError, match="no directive 77"):
        run("payments", "retry", "77", "--actor", "anna", "--reason", "x")


# -- a verdict -----------------------------------------------------------------------------


def _parked_capture(shop: Shop) -> tuple[Order, PaymentOperation]:
    """A capture whose answer was lost, at a gateway that can no longer be asked."""
    order = shop.order()
    ask(order)
    run("process_directives")
    confirm = ask(order, "payment.confirm")
    shop.gateway.fail_next(Fault("timeout", on="capture", when="after"))
    run("process_directives")
    operation = PaymentOperation.objects.get(payment__order_ref=order.ref, kind="capture")
    PaymentOperation.objects.filter(pk=operation.pk).update(state="parked")
    Directive.objects.filter(pk=confirm.pk).update(status="parked")
    Flag.objects.create(
        kind="outcome_unknown",
        dedupe_key=f"outcome_unknown:{operation.payment_id}",
        order_ref=order.ref,
        payment_id=operation.payment_id,
        message="nobody knows",
    )
    return order, operation


def test_a_verdict_is_written_down_and_lets_the_order_go_on(shop: Shop) -> None:
    order, operation = _parked_capture(shop)
    said = run(
        "payments", "verdict", operation.key, "--happened", "--actor", "Ana", "--reason", "seen"
    )
    assert operation.key in said
    flag = Flag.objects.get(kind="outcome_unknown")
    assert (flag.actor, flag.reason) == ("Ana", "seen")
    run("process_directives")
    payment = Payment.objects.get(order_ref=order.ref)
    assert (payment.status, payment.captured_q) == ("captured", order.total_q)
    assert shop.gateway.moved_q(order.ref) == order.total_q
    fact = PaymentEvent.objects.get(payment=payment, kind="captured")
    assert (fact.source, fact.actor, fact.data["verdict"]) == ("operator", "Ana", "Ana: seen")
    assert not Directive.objects.exclude(status="completed").exists()


def test_what_a_later_look_finds_out_asks_no_person_any_more(shop: Shop) -> None:
    order, operation = _parked_capture(shop)
    another, doubtful = _parked_capture(shop)
    Flag.objects.create(
        kind="late_money", dedupe_key="late", order_ref=order.ref, message="a matter of its own"
    )
    get_store().enqueue([sync_of(order.ref, operation.payment_id)])
    run("process_directives")
    assert Payment.objects.get(order_ref=order.ref).captured_q == order.total_q
    assert not Directive.objects.filter(order_ref=order.ref).exclude(status="completed").exists()
    flag = Flag.objects.get(order_ref=order.ref, kind="outcome_unknown")
    assert flag.settled_at is not None
    fact = PaymentEvent.objects.get(payment_id=operation.payment_id, kind="captured")
    assert (flag.actor, flag.reason) == (fact.actor, f"{operation.key} turned out to be ok")
    left = Flag.objects.filter(settled_at=None)
    assert sorted(left.values_list("order_ref", "kind")) == sorted(
        [(another.ref, "outcome_unknown"), (order.ref, "late_money")]
    )
    doubtful.refresh_from_db()
    assert doubtful.state == "parked"


def test_what_was_parked_behind_a_doubt_runs_again_with_it(shop: Shop) -> None:
    """Another look at the one answers the question that kept the other."""
    order, _ = _parked_capture(shop)
    behind = ask(order, "payment.refund", amount_q=300)
    run("process_directives")
    behind.refresh_from_db()
    assert behind.status == "parked"
    retry(Directive.objects.get(topic="payment.confirm"))
    open_flags = Flag.objects.filter(order_ref=order.ref, settled_at=None)
    assert not open_flags.exists()
    assert set(Flag.objects.values_list("actor", "reason")) == {("anna", "it is up")}
    run("process_directives")
    assert not Directive.objects.exclude(status="completed").exists()
    payment = Payment.objects.get(order_ref=order.ref)
    assert (payment.captured_q, payment.refunded_q) == (order.total_q, 300)
    assert shop.gateway.moved_q(order.ref) == order.total_q - 300


@pytest.mark.parametrize("verdict", ["--happened", "--did-not-happen"])
def test_only_a_parked_operation_takes_a_verdict(shop: Shop, verdict: str) -> None:
    order = shop.order()
    ask(order)
    run("process_directives")
    operation = PaymentOperation.objects.get(payment__order_ref=order.ref)
    for key, why in ((operation.key, "is ok"), ("omp_nobody", "there is no operation")):
        with pytest.raises(CommandError, match=why):
            run("payments", "verdict", key, verdict, "--actor", "Ana", "--reason", "seen")
    assert not Directive.objects.filter(topic="payment.verdict").exists()


# -- giving up -----------------------------------------------------------------------------


def test_what_is_parked_is_given_up_on_the_record(shop: Shop) -> None:
    order = shop.order()
    directive = ask(order, "payment.refund")
    Directive.objects.filter(pk=directive.pk).update(status="parked", last_error="why it stopped")
    said = run("payments", "abandon", str(directive.pk), "--actor", "Ana", "--reason", "no need")
    assert f"directive {directive.pk} (payment.refund of {order.ref}) is given up" in said
    directive.refresh_from_db()
    assert directive.status == "failed"
    assert directive.result == {"error_code": "abandoned", "error_message": "Ana: no need"}
    event = OrderEvent.objects.get(order_ref=order.ref, kind="directive_abandoned")
    assert (event.actor, event.data["was"], event.data["reason"]) == ("Ana", "parked", "no need")
    run("process_directives")
    directive.refresh_from_db()
    assert directive.status == "failed"


def test_what_may_have_reached_the_gateway_is_not_given_up(shop: Shop) -> None:
    order, _ = _parked_capture(shop)
    directive = Directive.objects.get(order_ref=order.ref, topic="payment.confirm")
    with pytest.raises(CommandError, match="payments verdict comes first"):
        run("payments", "abandon", str(directive.pk), "--actor", "Ana", "--reason", "no need")
    directive.refresh_from_db()
    assert directive.status == "parked"


def test_what_has_ended_is_not_given_up(shop: Shop) -> None:
    directive = ask(shop.order())
    run("process_directives")
    for number in (directive.pk, 999_999):
        with pytest.raises(CommandError):
            run("payments", "abandon", str(number), "--actor", "Ana", "--reason", "no need")


# -- explaining ----------------------------------------------------------------------------


def explained(order: Order) -> str:
    return run("payments", "explain", order.ref)


def test_an_order_without_a_payment_is_explained(shop: Shop) -> None:
    order = shop.order()
    text = explained(order)
    assert f"Order {order.ref} of channel {order.channel.code} is new; it costs 10.00 BRL." in text
    assert "No payment has begun." in text
    assert "nothing: no more is expected" in text


def test_what_happened_and_what_comes_next_is_told_with_times(shop: Shop) -> None:
    order = shop.order()
    ask(order, method={"behaviour": {"qr": True}})
    confirm = ask(order, "payment.confirm")
    run("process_directives")
    text = explained(order)
    payment = Payment.objects.get(order_ref=order.ref)
    assert "Payment 1, by account shop (MockPaymentBackend, test), is pending:" in text
    assert "began, for 10.00 BRL (known by call" in text
    assert f"payment.confirm (directive {confirm.pk}) waits: the payer has not finished" in text
    assert payment.expires_at is not None
    assert "can be paid until" in text
    assert "the gateway is asked about payment 1 at" in text
    assert TOKEN not in text


def test_what_is_parked_is_explained_with_the_ways_out(shop: Shop) -> None:
    order, operation = _parked_capture(shop)
    confirm = Directive.objects.get(order_ref=order.ref, topic="payment.confirm")
    text = explained(order)
    assert f"Nobody knows yet whether the capture of 10.00 BRL happened: {operation.pk}" in text
    assert f"payments verdict {operation.pk} --happened or --did-not-happen" in text
    assert f"payments retry {confirm.pk}, or payments abandon {confirm.pk}" in text
    flag = Flag.objects.get(order_ref=order.ref)
    assert f"payments settle-flag {flag.pk}" in text


def test_a_verdict_is_part_of_the_story(shop: Shop) -> None:
    order, operation = _parked_capture(shop)
    run("payments", "verdict", operation.key, "--happened", "--actor", "Ana", "--reason", "seen")
    run("process_directives")
    text = explained(order)
    assert "10.00 BRL was taken (known by operator, Ana; Ana: seen)" in text
    assert "For a person" not in text


def test_an_order_that_is_not_there_cannot_be_explained(shop: Shop) -> None:
    with pytest.raises(CommandError, match="there is no order"):
        run("payments", "explain", "NOBODY")
