"""A shop whose payments wait for a shopper: for Stripe's script, a bank's app, or whatever else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.test import Client

from omniman_payment_core.records import DirectiveStatus, Topic
from omniman_payment_django import runtime
from omniman_payment_django.models import Directive, Order, Payment
from omniman_payment_django.pay import pay_url
from omniman_payment_mock.script import Behaviour
from tests.django_web.shop import Shop as WebShop

SECRET = "pi_3Planted_secret_ClientSecretOfTheShopper"
PUBLISHABLE = "pk_test_simulator"
CODE = (
    "00020101021226850014br.gov.bcb.pix2563qrcodespix.example.invalid/v2/"
    "6358469e0000000163584690000001215204000053039865802BR5913LOJA DE TESTE"
    "6009SAO PAULO62070503***6304B479"
)


def stripe_action(mode: str = "pay", **changes: Any) -> dict[str, Any]:
    """What the Stripe plugin says that a shopper has to do."""
    data = {
        "provider": "stripe",
        "client_secret": SECRET,
        "publishable_key": PUBLISHABLE,
        "mode": mode,
        **changes,
    }
    return {
        "kind": "confirm_with_client_secret",
        "data": {name: value for name, value in data.items() if value is not None},
    }


def qr_action(code: Any = CODE, **more: Any) -> dict[str, Any]:
    """What a Pix plugin says that a shopper has to do."""
    return {"kind": "show_qr", "data": {"provider": "pix", "copy_paste": code, **more}}


class Shop(WebShop):
    """Opens pay pages, and lets a worker run."""

    def waiting(self, action: Any = None, **changes: Any) -> Payment:
        """A payment that waits for its shopper at the mock gateway, shown as Stripe's."""
        order = self.order()
        opened = self.gateway.open(
            "charge", order.total_q, "BRL", order.ref, {}, behaviour=Behaviour(authenticate=True)
        )
        return self.row(
            order,
            **{
                "transaction_id": opened.transaction_id,
                "status": "requires_action",
                "next_action": stripe_action() if action is None else action,
                **changes,
            },
        )

    def row(self, order: Order, **changes: Any) -> Payment:
        """A payment of an order, as the worker would have stored it."""
        attempt = changes.pop("attempt", 1)
        fields: dict[str, Any] = {
            "id": f"pay-{order.ref}-{attempt}",
            "order_ref": order.ref,
            "attempt": attempt,
            "flow": "charge",
            "account": self.account.name,
            "fingerprint": self.account.fingerprint,
            "livemode": self.account.livemode,
            "plugin": self.account.plugin,
            "currency": order.currency,
            "amount_q": order.total_q,
            "created_at": datetime.now(UTC),
            "status": "pending",
        }
        return Payment.objects.create(**{**fields, **changes})

    def url(self, payment: Payment) -> str:
        """The path of the payment's page."""
        return pay_url(Order.objects.get(ref=payment.order_ref))

    def page(self, payment: Payment, language: str = "en", client: Client | None = None) -> Any:
        """The page as a browser with a language gets it."""
        return (client or self.client).get(self.url(payment), headers={"Accept-Language": language})

    def status(self, payment: Payment, language: str = "en") -> Any:
        """What the page's script is told."""
        response = self.client.get(
            f"{self.url(payment)}status/", headers={"Accept-Language": language}
        )
        assert response.status_code == 200
        return response.json()

    def url_of(self, order: Order) -> str:
        """The path of an order's page."""
        return pay_url(order)

    def told(self, url: str) -> Any:
        """What the script of a page is told."""
        return self.client.get(f"{url}status/").json()

    def payment_of(self, order: Order) -> Payment:
        """The order's only payment."""
        return Payment.objects.get(order_ref=order.ref)

    def syncs(self, payment: Payment) -> list[Directive]:
        """The payment's wake-ups."""
        return list(Directive.objects.filter(topic=Topic.SYNC, dedupe_key=f"sync:{payment.id}"))

    def opening(self, order: Order, status: str = DirectiveStatus.PENDING, **payload: Any) -> None:
        """The directive that begins an order's payment."""
        Directive.objects.create(
            topic=Topic.CHARGE.value,
            order_ref=order.ref,
            status=status,
            payload={"amount_q": order.total_q, "currency": order.currency, **payload},
        )

    def work(self) -> None:
        """Everything that is due, as the worker does it."""
        runtime.get_engine("pay-tests").run_until_idle()
