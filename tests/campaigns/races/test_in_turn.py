"""A person who decides while a worker is writing about the same order: one of them waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections

from omniman_payment_core.decisions import Rules
from omniman_payment_core.engine import Engine
from omniman_payment_core.records import NewDirective, Topic
from omniman_payment_django.models import Directive, Order, Payment, PaymentOperation
from omniman_payment_django.runtime import get_engine, get_store
from omniman_payment_django.settling import (
    SettlingError,
    abandon_directive,
    give_verdict,
    retry_directive,
)
from omniman_payment_mock.script import Fault
from tests.django_web.shop import Shop

PATIENCE_SECONDS = 20.0


@pytest.fixture
def shop(postgresql_database: object) -> Shop:
    return Shop()


def captured_unheard(shop: Shop) -> tuple[Order, Directive]:
    """The gateway has captured, and the shop has left it to a person to find out."""
    order = shop.order()
    get_store().enqueue([NewDirective(Topic.HOLD, order.ref, {})])
    get_engine().run_until_idle()
    shop.gateway.fail_next(Fault("timeout", on="capture", when="after"))
    (number,) = get_store().enqueue([NewDirective(Topic.CONFIRM, order.ref, {})])
    hasty = get_engine()
    hasty.rules = Rules(max_attempts=1)
    for _ in range(2):
        works = hasty.claim(1).works
        hasty.settle([hasty.perform(work) for work in works])
        Directive.objects.filter(pk=number, status="pending").update(available_at=order.created_at)
    directive = Directive.objects.get(pk=number)
    assert directive.status == "parked"
    assert PaymentOperation.objects.get(kind="capture").state == "parked"
    return order, directive


def while_it_writes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, act: Any
) -> list[BaseException]:
    """Let a worker do what is due. Once it has written what became of an operation, somebody
    else does ``act``, or waits; then it goes on.

    What that other one was told, if it was an error.
    """
    writing: Any = engine.store._writing  # type: ignore[attr-defined]
    write, errors = writing._write_operations, list[BaseException]()

    def other() -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    somebody = threading.Thread(target=other)

    def write_operations(cursor: Any, written: Any) -> None:
        write(cursor, written)
        if somebody.ident is None and any(entry.changes.operations for entry in written):
            somebody.start()
            until(lambda: not somebody.is_alive() or is_waiting())

    monkeypatch.setattr(writing, "_write_operations", write_operations)
    engine.run_until_idle()
    somebody.join(PATIENCE_SECONDS)
    return errors


def is_waiting() -> bool:
    """Whether somebody waits for a lock; nobody else is on this server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("decision", [retry_directive, abandon_directive])
def test_who_tries_again_while_the_answer_is_written_down_does_not_undo_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, decision: Any
) -> None:
    """The operation would count as in doubt again, beside its own fact in the ledger."""
    order, directive = captured_unheard(shop)
    payment = Payment.objects.get(order_ref=order.ref)
    get_store().enqueue([NewDirective(Topic.SYNC, order.ref, {"payment_id": payment.pk})])

    def decide() -> None:
        with suppress(SettlingError):
            decision(directive.pk, actor="Ana", reason="once more")

    assert while_it_writes(get_engine(), monkeypatch, decide) == []
    get_engine().run_until_idle()
    payment.refresh_from_db()
    assert payment.captured_q == 1000
    assert PaymentOperation.objects.get(kind="capture").state == "ok"
    if decision is retry_directive:
        directive.refresh_from_db()
        assert directive.status == "completed"


def test_a_verdict_and_another_try_at_once_are_no_deadlock(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, directive = captured_unheard(shop)
    operation = PaymentOperation.objects.get(kind="capture")
    give_verdict(operation.key, happened=True, actor="Eva", reason="seen", reference="seen")

    def decide() -> None:
        with suppress(SettlingError):
            retry_directive(directive.pk, actor="Ana", reason="once more")

    assert while_it_writes(get_engine(), monkeypatch, decide) == []
    get_engine().run_until_idle()
    operation.refresh_from_db()
    assert operation.state == "ok"
    directive.refresh_from_db()
    assert directive.status == "completed"
