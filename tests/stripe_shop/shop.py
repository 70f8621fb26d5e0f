"""A shop whose one account is Stripe, the simulator at the other end of real HTTP, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.test import override_settings

from omniman_payment_django.models import (
    Order,
    Refund,
)
from omniman_payment_django.runtime import get_registry
from omniman_payment_simulators.stripe import StripeSimulator
from tests.django_web.server import running_server
from tests.selling import Selling

CARD = {"type": "card", "payment_method_id": "pm_card_visa"}


class Shop(Selling):
    """Sells, works, and compares its ledger with the simulator's."""

    def __init__(self, simulator: StripeSimulator) -> None:
        self.simulator = simulator
        self.control = simulator.control

    # Selling

    def sell(
        self,
        payment_method: dict[str, Any] | None = None,
        *,
        flow: str = "authorize_capture",
        total_q: int = 1000,
        currency: str = "BRL",
        **config: Any,
    ) -> Order:
        """Commit a session for one thing at this price."""
        return self.commit(
            payment_method or {"type": "card"},
            total_q,
            payment_backend="stripe",
            payment_flow=flow,
            currency=currency,
            **config,
        )

    # Working

    def settle(self) -> None:
        """Let every notification arrive, and work until nothing more comes of it."""
        self.control.flush()
        self.work()
        self.control.flush()
        self.work()

    # Looking

    def agrees(self, order: Order) -> None:
        """The ledger says what the simulator's own books say, to the cent."""
        payment = self.payment(order)
        moved = payment.captured_q - payment.refunded_q - payment.disputed_q
        held = payment.authorized_q - payment.captured_q - payment.released_q
        assert self.control.moved(order.ref) == moved
        assert self.control.held(order.ref) == max(held, 0)
        pending = Refund.objects.filter(payment_id=payment.id, status="pending", accepted=True)
        assert sum(refund.amount_q for refund in pending) == payment.refund_pending_q
        order.refresh_from_db()
        assert order.data["payment"]["status"] == payment.status


@contextmanager
def stripe_shop(simulator: StripeSimulator, **config: Any) -> Iterator[Shop]:
    """The shop on the default database, its webhook endpoint known to the simulator."""
    settings = {
        "PAYMENT_BACKENDS": {
            "stripe": {
                "plugin": "stripe",
                "config": {
                    "api_key": simulator.api_key,
                    "publishable_key": simulator.publishable_key,
                    "webhook_secret": simulator.webhook_secret,
                    "base_url": simulator.url,
                    "timeout_seconds": 5,
                    **config,
                },
            }
        },
        "DEFAULT_PAYMENT_BACKEND": "stripe",
    }
    with (
        override_settings(OMNIMAN=settings, ROOT_URLCONF="tests.django_web.urls"),
        running_server() as server,
    ):
        host, port = server.address
        simulator.control.add_webhook_endpoint(
            f"http://{host}:{port}/payments/webhooks/stripe/", simulator.webhook_secret
        )
        try:
            yield Shop(simulator)
        finally:
            simulator.control.pause()
            get_registry().close()
            connections.close_all()
