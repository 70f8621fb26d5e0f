"""The admin is for looking: nobody changes a payment, and nobody sees a payment method."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client, override_settings
from django.urls import reverse

from omniman_payment_django import models
from omniman_payment_django.models import Channel, Directive, Flag, OrderEvent, PaymentEvent

from .shop import Shop

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLANTED = "tok_planted_payment_method"
LOOKED_AT = (
    models.Directive,
    models.GatewayCall,
    models.Order,
    models.OrderEvent,
    models.Payment,
    models.PaymentEvent,
    models.PaymentOperation,
    models.Refund,
    models.RefundRequest,
    models.Session,
    models.WebhookDelivery,
    models.Flag,
)


@pytest.fixture
def root(shop: Shop) -> Client:
    """A superuser at the admin, with CSRF checks on."""
    user = User.objects.create_superuser("root", "root@example.com", "pw")
    client = Client()
    client.force_login(user)
    return client


def page(model: Any, view: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


@pytest.fixture
def rows(shop: Shop) -> dict[Any, Any]:
    """One row of everything, with planted payment methods wherever one could stand."""
    payment = shop.payment(next_action={"kind": "redirect", "data": {"secret": PLANTED}})
    order = models.Order.objects.get(ref=payment.order_ref)
    order.data = {"payment": {"status": "pending"}, "note": PLANTED}
    order.save()
    operation = models.PaymentOperation.objects.create(
        key="key-1", payment=payment, kind="charge", ordinal=1, cause="directive-1",
        params_hash="h", amount_q=1000, currency="BRL", state="parked", created_at=AT,
    )  # fmt: skip
    event = PaymentEvent.objects.create(
        payment=payment, kind="opened", amount_q=1000, dedupe_key="k", source="call",
        actor="worker-7", at=AT, gateway_reference="ref-9", data={"note": PLANTED},
    )  # fmt: skip
    return {
        models.Order: order,
        models.Payment: payment,
        models.PaymentOperation: operation,
        models.PaymentEvent: event,
        models.Refund: models.Refund.objects.create(
            id="r1", payment=payment, amount_q=5, status="pending", created_at=AT
        ),
        models.RefundRequest: models.RefundRequest.objects.create(
            order_ref=order.ref, amount_q=5, currency="BRL", reason="broken", requested_by="anna"
        ),
        models.Directive: Directive.objects.create(
            topic="payment.hold", order_ref=order.ref, status="parked", last_error="nobody knows",
            payload={"payment_method": {"token": PLANTED}}, result={"x": PLANTED},
        ),
        models.OrderEvent: OrderEvent.objects.create(
            order_ref=order.ref, kind="status_changed", actor="anna", data={"to": "paid"}
        ),
        models.GatewayCall: models.GatewayCall.objects.create(
            order_ref=order.ref, payment_id=payment.id, account="shop", method="charge",
            amount_q=1000, currency="BRL", attempt=1, outcome="unknown", duration_us=5, at=AT,
        ),
        models.Session: models.Session.objects.create(
            key="s1", channel=order.channel, data={"payment_method": PLANTED}
        ),
        models.WebhookDelivery: models.WebhookDelivery.objects.create(
            account="shop", event_id="e", kind="k", body=PLANTED
        ),
        models.Flag: Flag.objects.create(
            kind="outcome_unknown", dedupe_key="f", order_ref=order.ref, message="look at it"
        ),
    }  # fmt: skip


@pytest.mark.parametrize("model", LOOKED_AT)
def test_everybody_looks_and_nobody_changes_also_not_a_superuser(
    root: Client, rows: dict[Any, Any], model: Any
) -> None:
    row = rows[model]
    for address in (page(model, "changelist"), page(model, "change", row.pk)):
        answer = root.get(address)
        assert answer.status_code == 200
        assert PLANTED not in answer.content.decode()
    assert root.get(page(model, "add")).status_code == 403
    assert root.post(page(model, "add"), {}).status_code == 403
    assert root.post(page(model, "change", row.pk), {}).status_code == 403
    assert root.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    root.post(
        page(model, "changelist"),
        {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"},
    )
    assert model.objects.filter(pk=row.pk).exists()


def test_every_table_of_the_app_is_registered_or_left_out_on_purpose() -> None:
    known = {model for model in admin.site._registry if model._meta.app_label == "omniman_payment"}
    assert known == {*LOOKED_AT, Channel}


def test_an_order_shows_the_timeline_of_its_payments(root: Client, rows: dict[Any, Any]) -> None:
    order = rows[models.Order]
    text = root.get(page(models.Order, "change", order.pk)).content.decode()
    for part in (
        "10.00 BRL",
        "opened",
        "worker-7",
        "ref-9",
        "2026-01-02 03:04:05 UTC",
        "key-1",
        "waits for a person",
        "outcome_unknown: look at it",
        "nobody knows",
    ):
        assert part in text, part


def test_what_came_from_a_gateway_is_escaped(root: Client, rows: dict[Any, Any]) -> None:
    Flag.objects.update(message="<script>alert(1)</script>")
    models.PaymentOperation.objects.update(evidence="<img src=x>")
    order = rows[models.Order]
    for address in (page(Flag, "changelist"), page(models.Order, "change", order.pk)):
        text = root.get(address).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x>" not in text


def test_a_directive_shows_the_names_of_its_payload_only(
    root: Client, rows: dict[Any, Any]
) -> None:
    directive = rows[models.Directive]
    text = root.get(page(Directive, "change", directive.pk)).content.decode()
    assert "payment_method" in text
    assert PLANTED not in text


# -- flags ---------------------------------------------------------------------------------


def settle(client: Client, flag: Flag, **data: str) -> Any:
    return client.post(
        page(Flag, "changelist"),
        {"action": "settle_flags", "_selected_action": flag.pk, **data},
        follow=True,
    )


def test_a_flag_is_settled_with_a_name_and_a_reason(root: Client, rows: dict[Any, Any]) -> None:
    flag = rows[Flag]
    asked = settle(root, flag)
    assert "look at it" in asked.content.decode()
    flag.refresh_from_db()
    assert flag.settled_at is None, "asking settles nothing"
    assert "A reason is needed" in settle(root, flag, confirm="1", reason=" ").content.decode()
    settle(root, flag, confirm="1", reason="refunded by hand")
    flag.refresh_from_db()
    assert Flag.objects.filter(pk=flag.pk, settled_at__isnull=False).exists()
    assert (flag.actor, flag.reason) == ("root", "refunded by hand")
    event = OrderEvent.objects.get(kind="flag_settled")
    assert (event.actor, event.detail("reason")) == ("root", "refunded by hand")


def test_a_settled_flag_keeps_what_was_said_first(root: Client, rows: dict[Any, Any]) -> None:
    flag = rows[Flag]
    settle(root, flag, confirm="1", reason="first")
    settle(root, flag, confirm="1", reason="second")
    flag.refresh_from_db()
    assert flag.reason == "first"


def test_settling_needs_the_csrf_token_and_the_permission(
    root: Client, rows: dict[Any, Any]
) -> None:
    flag = rows[Flag]
    looker = User.objects.create_user("looker", password="pw", is_staff=True)
    kind = ContentType.objects.get_for_model(Flag)
    permission, _ = Permission.objects.get_or_create(
        content_type=kind, codename="view_flag", defaults={"name": "Can view flag"}
    )
    looker.user_permissions.add(permission)
    client = Client()
    client.force_login(looker)
    assert client.get(page(Flag, "changelist")).status_code == 200
    settle(client, flag, confirm="1", reason="sneaky")
    with override_settings(
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ]
    ):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(User.objects.get(username="root"))
        assert settle(strict, flag, confirm="1", reason="forged").status_code == 403
    flag.refresh_from_db()
    assert flag.settled_at is None


# -- channels ------------------------------------------------------------------------------


def test_a_channel_is_edited_and_checked_before_it_is_stored(root: Client, shop: Shop) -> None:
    channel = Channel.objects.create(code="web", config={})
    address = page(Channel, "change", channel.pk)

    def edit(config: str) -> str:
        text: str = root.post(address, {"name": "Web", "config": config}).content.decode()
        channel.refresh_from_db()
        return text

    assert "it can be" in edit('{"payment_flow": "later"}')
    assert "looks like a secret" in edit('{"api_key": "k"}')
    assert "there is no account &quot;shoop&quot;" in edit('{"payment_backend": "shoop"}')
    assert channel.config == {}
    edit('{"payment_flow": "charge"}')
    assert channel.config == {"payment_flow": "charge"}
    assert channel.code == "web"
