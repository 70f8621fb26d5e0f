"""A directive that a person gives up, or lets run again, although nothing of it ever left."""

from __future__ import annotations

from omniman_payment_core.records import NewDirective
from omniman_payment_django.models import Directive, Order, Payment, PaymentOperation, Refund
from omniman_payment_django.runtime import get_store
from omniman_payment_django.settling import abandon_directive, retry_directive
from omniman_payment_mock.script import Fault

from .shop import Shop
from .test_commands import ask, run


def never_sent(shop: Shop, order: Order, topic: str, **payload: object) -> Directive:
    """A directive whose call was turned away at the door, and which waits to try again."""
    on = {"payment.hold": "authorize", "payment.refund": "refund"}[topic]
    shop.gateway.fail_next(Fault("not_attempted", on=on))
    (number,) = get_store().enqueue([NewDirective(topic, order.ref, dict(payload))])
    run("process_directives")
    directive = Directive.objects.get(pk=number)
    assert directive.status == "pending"
    assert PaymentOperation.objects.get(cause=f"directive-{number}").state == "planned"
    return directive


def test_a_hold_that_is_given_up_leaves_no_payment_waiting(shop: Shop) -> None:
    order = shop.order()
    directive = never_sent(shop, order, "payment.hold")
    abandon_directive(directive.pk, actor="Ana", reason="the shopper went home")
    operation = PaymentOperation.objects.get(cause=f"directive-{directive.pk}")
    assert (operation.state, operation.evidence) == ("abandoned", "Ana: the shopper went home")
    run("process_directives")
    assert Payment.objects.get(order_ref=order.ref).status == "cancelled"
    again = ask(order, attempt=2)
    run("process_directives")
    again.refresh_from_db()
    assert again.status == "completed", "the order can be paid anew"


def test_a_refund_that_is_given_up_reserves_nothing(shop: Shop) -> None:
    order = shop.order()
    ask(order, "payment.charge")
    run("process_directives")
    directive = never_sent(shop, order, "payment.refund")
    abandon_directive(directive.pk, actor="Ana", reason="not wanted")
    assert [refund.status for refund in Refund.objects.all()] == ["failed"]
    assert Payment.objects.get(order_ref=order.ref).status == "captured", "it is not withdrawn"
    (number,) = get_store().enqueue([NewDirective("payment.refund", order.ref, {})])
    run("process_directives")
    assert Directive.objects.get(pk=number).status == "completed"


def test_what_never_left_is_not_looked_up_when_it_runs_again(shop: Shop) -> None:
    order = shop.order()
    directive = never_sent(shop, order, "payment.hold")
    Directive.objects.filter(pk=directive.pk).update(status="parked")
    PaymentOperation.objects.update(state="parked")
    retry_directive(directive.pk, actor="Ana", reason="the gateway is back")
    assert PaymentOperation.objects.get().state == "planned"
    run("process_directives")
    assert Payment.objects.get(order_ref=order.ref).status == "authorized"
