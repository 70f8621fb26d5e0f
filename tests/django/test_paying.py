"""From a session to money, end to end: real rows, the real engine, the mock gateway."""

from __future__ import annotations

import pytest

import omniman_payment_core
import omniman_payment_django
from omniman_payment_core.ledger import fold
from omniman_payment_core.records import DirectiveStatus, Event
from omniman_payment_django import models, runtime, sessions
from omniman_payment_django.models import (
    Channel,
    Directive,
    Order,
    OrderEvent,
    Payment,
    PaymentEvent,
)
from omniman_payment_mock import MockGateway, MockPaymentBackend

from .shop import CARD, ITEMS, Shop
from .stores import DjangoKit


@pytest.fixture
def shop(database: object) -> Shop:
    return Shop()


def reread(order: Order) -> Order:
    return Order.objects.get(ref=order.ref)


def ledger_agrees(order: Order, shop: Shop) -> None:
    """The ledger's fold is the payment's row, and the row is the order's summary."""
    for row in Payment.objects.filter(order_ref=order.ref):
        payment = DjangoKit().payment(row.id)
        facts = [
            Event(
                e.payment_id, e.kind, e.amount_q, e.dedupe_key, e.source, e.actor, e.at,
                e.gateway_reference, e.data,
            )
            for e in PaymentEvent.objects.filter(payment_id=row.id).order_by("-seq")
        ]  # fmt: skip
        folded = fold(payment, [*facts, *facts])
        assert folded == payment
        summary = reread(order).data["payment"]
        assert summary["captured_q"] == payment.captured_q
        assert summary["refunded_q"] == payment.refunded_q
        assert summary["status"] == payment.status


def test_an_order_is_held_confirmed_and_refunded_in_parts(shop: Shop) -> None:
    order = shop.order()
    shop.run()
    summary = reread(order).data["payment"]
    assert (summary["status"], summary["amount_q"]) == ("authorized", 900)
    confirm = sessions.confirm_payment(order)
    shop.run()
    assert reread(order).data["payment"]["status"] == "captured"
    sessions.refund_payment(order, 400, reason="cold coffee")
    shop.run()
    assert reread(order).data["payment"]["status"] == "partially_refunded"
    sessions.refund_payment(order)
    shop.run()
    summary = reread(order).data["payment"]
    assert (summary["status"], summary["refunded_q"]) == ("refunded", 900)
    assert shop.gateway.moved_q(order.ref) == 0
    confirm.refresh_from_db()
    assert confirm.status == DirectiveStatus.COMPLETED
    assert confirm.finished_at is not None
    ledger_agrees(order, shop)


def test_a_charge_flow_takes_the_money_at_once(shop: Shop) -> None:
    order = shop.order(payment_flow="charge")
    assert Directive.objects.get(order_ref=order.ref).topic == "payment.charge"
    shop.run()
    assert reread(order).data["payment"]["status"] == "captured"
    assert shop.gateway.moved_q(order.ref) == 900
    ledger_agrees(order, shop)


def test_the_order_moves_as_its_channel_says(shop: Shop) -> None:
    flow = {"auto_transitions": {"on_payment_hold": "confirmed", "on_payment_confirm": "ready"}}
    order = shop.order(order_flow=flow)
    shop.run()
    assert reread(order).status == "confirmed"
    sessions.confirm_payment(order)
    shop.run()
    assert reread(order).status == "ready"
    history = [(e.actor, e.data) for e in OrderEvent.objects.filter(order_ref=order.ref)]
    assert history == [
        ("payments", {"from": "new", "to": "confirmed", "trigger": "on_payment_hold"}),
        ("payments", {"from": "confirmed", "to": "ready", "trigger": "on_payment_confirm"}),
    ]


def test_a_transition_that_the_flow_forbids_is_flagged_and_undoes_no_payment(shop: Shop) -> None:
    order = shop.order(order_flow={"auto_transitions": {"on_payment_hold": "delivered"}})
    shop.run()
    assert reread(order).status == "new"
    assert reread(order).data["payment"]["status"] == "authorized"
    flag = models.Flag.objects.get(kind="transition_refused")
    assert flag.order_ref == order.ref
    assert 'cannot go from "new" to "delivered"' in flag.message


def test_what_the_shop_keeps_in_data_survives_the_summary(shop: Shop) -> None:
    order = shop.order()
    Order.objects.filter(pk=order.pk).update(data={"gift": {"wrap": True}})
    shop.run()
    data = reread(order).data
    assert data["gift"] == {"wrap": True}
    assert data["payment"]["status"] == "authorized"


def test_cancelling_voids_the_hold(shop: Shop) -> None:
    order = shop.order()
    shop.run()
    sessions.cancel_order(order, actor="ana")
    shop.run()
    assert reread(order).cancelled
    assert reread(order).data["payment"]["status"] == "cancelled"
    assert shop.gateway.moved_q(order.ref) == 0
    ledger_agrees(order, shop)


def test_a_declined_order_is_paid_by_a_second_attempt(shop: Shop) -> None:
    session = shop.session()
    declined = {"type": "card", "behaviour": {"decline": "insufficient_funds"}}
    order = sessions.commit_session(session, commit_key="c", payment_method=declined)
    shop.run()
    assert reread(order).data["payment"]["status"] == "failed"
    assert Directive.objects.get().result["error_code"] == "insufficient_funds"
    directive = sessions.retry_payment(order, CARD)
    assert directive.payload["attempt"] == 2
    shop.run()
    assert reread(order).data["payment"]["status"] == "authorized"
    assert Payment.objects.filter(order_ref=order.ref).count() == 2


def test_an_order_whose_first_try_began_no_payment_can_be_tried_again_and_again(shop: Shop) -> None:
    order = shop.order()
    Directive.objects.update(payload={"amount_q": "a lot"})
    shop.run()
    Channel.objects.filter(pk=order.channel_id).update(config={"payment_flow": "later"})
    Directive.objects.create(topic="payment.hold", order_ref=order.ref, dedupe_key="another")
    shop.run()
    assert Payment.objects.count() == 0
    Channel.objects.filter(pk=order.channel_id).update(config={})
    order = reread(order)
    again = sessions.retry_payment(order, CARD)
    assert sessions.retry_payment(order, CARD) == again
    assert again.payload["attempt"] == 1
    Directive.objects.filter(pk=again.pk).update(payload={"amount_q": "still a lot"})
    shop.run()
    last = sessions.retry_payment(order, CARD)
    shop.run()
    last.refresh_from_db()
    assert last.status == DirectiveStatus.COMPLETED
    assert reread(order).data["payment"]["status"] == "authorized"
    assert Payment.objects.count() == 1


def test_the_cores_own_functions_read_the_projects_settings_without_being_told(
    database: object,
) -> None:
    runtime.reset()
    channel = Channel.objects.create(code="web", config={"payment_backend": "mock"})
    backend = omniman_payment_core.get_payment_backend(channel)
    assert isinstance(backend, MockPaymentBackend)
    assert omniman_payment_django.get_payment_backend(channel) is backend
    assert runtime.get_registry() is omniman_payment_core.current_registry()


def test_the_mock_of_a_test_serves_the_worker_too(
    database: object, mock_payment: MockPaymentBackend, mock_gateway: MockGateway
) -> None:
    config = {"payment_backend": "stripe", "payment_flow": "charge"}
    channel = Channel.objects.create(code="web", config=config)
    session = models.Session.objects.create(key="s", channel=channel, items=ITEMS)
    order = sessions.commit_session(session, commit_key="s", payment_method=CARD)
    runtime.get_engine("worker").run_until_idle()
    assert reread(order).data["payment"]["status"] == "captured"
    assert mock_gateway.moved_q(order.ref) == 900


def test_a_directive_for_a_missing_order_fails_clearly(shop: Shop) -> None:
    directive = Directive.objects.create(topic="payment.hold", order_ref="nobody")
    shop.run()
    directive.refresh_from_db()
    assert directive.status == DirectiveStatus.FAILED
    assert directive.result["error_code"] == "order_missing"
    with pytest.raises(Order.DoesNotExist):
        _ = directive.order
