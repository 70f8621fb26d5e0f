"""A shop whose one account is Stripe, the simulator at the other end of real HTTP, both ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from django.db import connections
from django.test import override_settings

from omniman_payment_core.engine.worker import Worker
from omniman_payment_core.records import DirectiveStatus
from omniman_payment_django.models import (
    Channel,
    Directive,
    Flag,
    Order,
    Payment,
    PaymentEvent,
    Refund,
    Session,
    WebhookDelivery,
)
from omniman_payment_django.runtime import get_engine, get_registry
from omniman_payment_django.sessions import commit_session
from omniman_payment_simulators.stripe import StripeSimulator
from tests.django_web.server import running_server

PATIENCE_SECONDS = 20.0
CARD = {"type": "card", "payment_method_id": "pm_card_visa"}
_OPEN = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)
_numbers = count(1)


class Shop:
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
        number = next(_numbers)
        channel = Channel.objects.create(
            code=f"web-{number}",
            config={
                "payment_backend": "stripe",
                "payment_flow": flow,
                "currency": currency,
                **config,
            },
        )
        session = Session.objects.create(
            key=f"session-{number}",
            channel=channel,
            items=[{"sku": "coffee", "qty": 1, "price_q": total_q}],
        )
        return commit_session(
            session, commit_key=session.key, payment_method=payment_method or {"type": "card"}
        )

    # Working

    def worker(self, name: str = "one", slots: int = 4) -> Worker:
        return Worker(get_engine(name), slots=slots)

    def work(self) -> None:
        """Work until nothing is left to do that does not wait for the shopper or a far date."""
        worker = self.worker()
        self.until(lambda: self._worked(worker), "directives are left")

    def _worked(self, worker: Worker) -> bool:
        worker.run_until_idle()
        return not Directive.objects.filter(status__in=_OPEN, waiting=False).exists()

    def settle(self) -> None:
        """Let every notification arrive, and work until nothing more comes of it."""
        self.control.flush()
        self.work()
        self.control.flush()
        self.work()

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait for something that happens in another thread or a moment from now."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                left = list(Directive.objects.filter(status__in=_OPEN).values())
                raise AssertionError(f"{what} after {PATIENCE_SECONDS:.0f} s: {left}")
            time.sleep(0.02)

    # Looking

    def payment(self, order: Order) -> Payment:
        """The newest attempt."""
        return Payment.objects.filter(order_ref=order.ref).order_by("-attempt")[0]

    def facts(self, order: Order) -> list[tuple[str, int]]:
        """The ledger: what happened and with how much, oldest first."""
        events = PaymentEvent.objects.filter(payment_id=self.payment(order).id)
        return list(events.order_by("seq").values_list("kind", "amount_q"))

    def flags(self) -> list[str]:
        return sorted(Flag.objects.values_list("kind", flat=True))

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

    def deliveries(self, status: str | None = None) -> int:
        rows = WebhookDelivery.objects.all()
        return (rows.filter(status=status) if status else rows).count()


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
