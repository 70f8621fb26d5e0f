"""Work on a notification that came to nothing: a person has it done again, and nothing is lost."""

from __future__ import annotations

from io import StringIO

from django.core.management import call_command

from omniman_payment_core.records import Topic
from omniman_payment_django.models import Directive, Flag, Order, WebhookDelivery
from tests.stripe_shop.shop import Shop


def told(shop: Shop) -> tuple[Order, Directive]:
    """A payment that succeeded, of which the shop has been told and has done nothing about."""
    order = shop.sell(flow="charge")
    shop.settle()
    shop.control.pay(shop.payment(order).transaction_id)
    shop.control.flush()
    assert WebhookDelivery.objects.filter(kind="payment_intent.succeeded").exists()
    (look,) = Directive.objects.filter(order_ref=order.ref, topic=Topic.SYNC)
    assert (look.status, shop.payment(order).captured_q) == ("pending", 0)
    return order, look


def payments(*arguments: str) -> str:
    out = StringIO()
    call_command("payments", *arguments, stdout=out)
    return out.getvalue()


def test_what_came_of_a_stored_notification_can_be_run_again_by_a_person(shop: Shop) -> None:
    """frappe/frappe #21062: a notification that had met a bug could not be worked on again."""
    order, look = told(shop)
    # As the engine leaves a directive that trips a bug.
    Directive.objects.filter(pk=look.pk).update(status="parked", last_error="a bug")
    shop.work()
    assert shop.payment(order).captured_q == 0
    payments("retry", str(look.pk), "--actor", "ana", "--reason", "the bug is mended")
    shop.work()
    assert shop.facts(order)[-1] == ("captured", 1000)
    assert shop.payment(order).status == "captured"
    shop.agrees(order)


def test_a_notification_whose_work_is_gone_is_made_up_for_by_a_reconciliation(shop: Shop) -> None:
    """frappe/frappe #21062: without its work, a stored notification was worth nothing."""
    order, look = told(shop)
    look.delete()
    shop.work()
    assert shop.payment(order).captured_q == 0
    assert f"order {order.ref}" in payments("reconcile", "stripe")
    shop.work()
    assert shop.payment(order).status == "captured"
    shop.agrees(order)
    assert not Flag.objects.filter(kind="unknown_transaction").exists()
