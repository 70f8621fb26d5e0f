"""The tables themselves: what they refuse, and the page's own methods."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import Error, connection
from django.utils import timezone

from omniman_payment_django.models import (
    AppendOnlyError,
    Channel,
    Directive,
    Flag,
    Order,
    OrderEvent,
    Payment,
    PaymentEvent,
    TransitionError,
)


def an_order(**config: Any) -> Order:
    channel = Channel.objects.create(code="ecommerce", config=config)
    return Order.objects.create(ref="R", channel=channel, currency="BRL", total_q=100)


def a_payment(**fields: Any) -> Payment:
    values = {
        "id": "p", "order_ref": "R", "attempt": 1, "flow": "charge", "account": "mock",
        "livemode": False, "plugin": "mock", "currency": "BRL", "amount_q": 100,
        "created_at": timezone.now(), "status": "pending", **fields,
    }  # fmt: skip
    return Payment.objects.create(**values)


def an_order_of(**fields: Any) -> Order:
    channel = Channel.objects.create(code="c")
    return Order.objects.create(ref="R", channel=channel, currency="BRL", **fields)


def a_directive(**fields: Any) -> Directive:
    return Directive.objects.create(topic="payment.hold", order_ref="R", **fields)


MAKERS: dict[Any, Any] = {Payment: a_payment, Order: an_order_of, Directive: a_directive}


def a_fact() -> PaymentEvent:
    a_payment()
    fact: PaymentEvent = PaymentEvent.objects.create(
        payment_id="p", kind="captured", amount_q=100, dedupe_key="k", source="call", actor="w",
        at=timezone.now(),
    )  # fmt: skip
    return fact


def test_the_migrations_are_the_models(database: object) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0, skip_checks=True)


def test_a_fact_can_be_changed_or_removed_by_no_method(database: object) -> None:
    fact = a_fact()
    for refused in (
        fact.save,
        fact.delete,
        PaymentEvent.objects.all().delete,
        lambda: PaymentEvent.objects.update(amount_q=1),
        lambda: PaymentEvent.objects.bulk_update([fact], ["amount_q"]),
        lambda: Payment.objects.get(pk="p").events.update(amount_q=1),
    ):
        with pytest.raises(AppendOnlyError, match="a correction is a new fact"):
            refused()
    assert PaymentEvent.objects.get().amount_q == 100


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE omniman_payment_paymentevent SET amount_q = 1",
        "DELETE FROM omniman_payment_paymentevent",
    ],
)
def test_the_database_refuses_it_too(database: object, statement: str) -> None:
    a_fact()
    with pytest.raises(Error, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)
    assert PaymentEvent.objects.get().amount_q == 100


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Payment, {"amount_q": 0}),
        (Payment, {"captured_q": -1}),
        (Payment, {"status": "paid"}),
        (Order, {"total_q": 0}),
        (Directive, {"status": "done"}),
    ],
)
def test_values_outside_the_rules_are_refused(database: object, model: Any, fields: Any) -> None:
    with pytest.raises(Error, match=r"(?i)check"):
        MAKERS[model](**fields)


def test_one_transaction_of_an_account_belongs_to_one_payment(database: object) -> None:
    a_payment(transaction_id="tx")
    a_payment(id="q", attempt=2, transaction_id="tx", account="another")
    with pytest.raises(Error, match=r"(?i)unique"):
        a_payment(id="r", attempt=3, transaction_id="tx")


def test_a_flag_is_open_once_and_can_be_raised_again_when_settled(database: object) -> None:
    flag = Flag.objects.create(kind="k", dedupe_key="k:1", order_ref="R", message="m")
    flag.settled_at = timezone.now()
    flag.save()
    Flag.objects.create(kind="k", dedupe_key="k:1", order_ref="R", message="m")
    with pytest.raises(Error, match=r"(?i)unique"):
        Flag.objects.create(kind="k", dedupe_key="k:1", order_ref="R", message="m")


def test_an_order_moves_along_the_default_flow_and_remembers_who_moved_it(
    database: object,
) -> None:
    order = an_order()
    order.transition_status("confirmed", actor="ana")
    order.transition_status("confirmed", actor="ben")
    assert Order.objects.get(ref="R").status == order.status == "confirmed"
    [event] = OrderEvent.objects.all()
    assert (event.order_ref, event.kind, event.actor) == ("R", "status_changed", "ana")
    assert (event.detail("from"), event.detail("to")) == ("new", "confirmed")


def test_a_step_that_the_flow_forbids_names_the_order_the_channel_and_what_is_allowed(
    database: object,
) -> None:
    order = an_order(order_flow={"transitions": {"new": ["ready"]}})
    with pytest.raises(TransitionError) as caught:
        order.transition_status("confirmed", actor="ana")
    assert str(caught.value) == (
        'order R cannot go from "new" to "confirmed": '
        'the order_flow of channel "ecommerce" allows "ready"'
    )
    order.transition_status("ready", actor="ana")
    with pytest.raises(TransitionError, match="allows nothing"):
        order.transition_status("new", actor="ana")


def test_a_stale_copy_of_an_order_cannot_make_a_forbidden_step(database: object) -> None:
    order = an_order()
    Order.objects.filter(pk=order.pk).update(status="cancelled")
    with pytest.raises(TransitionError, match='from "cancelled" to "confirmed"'):
        order.transition_status("confirmed", actor="ana")


def test_a_cancelled_order_says_so(database: object) -> None:
    order = an_order()
    assert not order.cancelled
    order.transition_status("cancelled", actor="ana")
    assert order.cancelled
