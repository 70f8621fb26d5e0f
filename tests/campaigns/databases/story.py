"""A few orders from session to the end, each step repeated by whoever asked until it is done.

That is what happens outside: a shopper presses again, a gateway delivers again, the worker is
started again. What has become of it all is told without times and names, to be compared.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from itertools import count
from typing import Any

import django.db
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.utils import timezone

from omniman_payment_core.engine import Engine
from omniman_payment_core.testing import ManualClock
from omniman_payment_django import runtime
from omniman_payment_django.auditing import Audit
from omniman_payment_django.models import (
    Channel,
    Directive,
    Flag,
    Order,
    Payment,
    PaymentEvent,
    Reconciliation,
    Session,
    WebhookDelivery,
)
from omniman_payment_django.sessions import (
    cancel_order,
    commit_session,
    confirm_payment,
    refund_payment,
)
from omniman_payment_django.store import DjangoStore
from omniman_payment_mock import MockGateway, MockPaymentBackend

from .faults import Injector

PATIENCE = 12


class NeverDoneError(AssertionError):
    """A step did not come to its end although the database works again."""


class Story:
    """The same every time, but for what the database does to it."""

    def __init__(self, injector: Injector) -> None:
        self._injector = injector
        self.clock = ManualClock(timezone.now())
        self.gateway = MockGateway("db", clock=self.clock, rng=random.Random(1))
        runtime.reset()
        registry = runtime.get_registry()
        registry.use("shop", MockPaymentBackend(gateway=self.gateway, clock=self.clock))
        store = DjangoStore(clock=self.clock)
        runtime._store = store
        numbers = count(1)
        self.engine = Engine(
            store,
            registry,
            registry.hooks,
            registry.scrubber,
            clock=self.clock,
            new_id=lambda: f"pay-{next(numbers)}",
            rng=random.Random(2),
            owner="worker",
        )
        self.answers: list[int] = []

    def tell(self) -> None:
        """All of it."""
        for code, flow in (("held", "authorize_capture"), ("charged", "charge")):
            config = {
                "payment_backend": "shop",
                "payment_flow": flow,
                "order_flow": {"auto_transitions": {"on_payment_confirm": "confirmed"}},
            }
            Channel.objects.create(code=code, config=config)
        held = self._sell("held", {})
        self._do(lambda: confirm_payment(held, dedupe_key="confirm"))
        self._work()
        self._knock(held)
        self._do(lambda: refund_payment(held, 300, dedupe_key="refund"))
        self._work()
        scanned = self._sell("charged", {"behaviour": {"qr": True}})
        self.gateway.pay(self._transaction(scanned))
        self._knock(scanned)
        given_up = self._sell("held", {})
        self._do(lambda: cancel_order(self._fresh(given_up), actor="anna"))
        self._work()
        self._do(self._reconcile)
        self._work()

    # What people, gateways and workers do

    def _sell(self, channel: str, payment_method: dict[str, Any]) -> Order:
        session = Session.objects.create(
            key=f"s{Session.objects.count()}",
            channel=Channel.objects.get(code=channel),
            items=[{"sku": "tea", "qty": 1, "price_q": 1000}],
        )
        ref = f"O{session.pk}"
        order = self._do(
            lambda: commit_session(
                Session.objects.get(pk=session.pk),
                commit_key=f"c{session.pk}",
                payment_method=payment_method,
                ref=ref,
            )
        )
        self._work()
        return order

    def _knock(self, order: Order) -> None:
        headers, body = self.gateway.webhook(self._transaction(order))

        def deliver() -> None:
            answer = Client().generic(
                "POST", "/payments/webhooks/shop/", body, "application/json", headers=headers
            )
            self.answers.append(answer.status_code)
            if answer.status_code != 200:
                raise django.db.OperationalError(answer.status_code)

        self._do(deliver)
        self._work()

    def _work(self) -> None:
        """A worker that died took its leases along: time passes until they end."""

        def until_idle() -> None:
            try:
                self.engine.maintain()
                self.engine.run_until_idle()
            except django.db.Error:
                self.clock.advance(self.engine.limits.lease + timedelta(seconds=1))
                raise

        self._do(until_idle)

    def _do(self, step: Callable[[], Any]) -> Any:
        for _ in range(PATIENCE):
            try:
                with self._injector.watching():
                    return step()
            except django.db.Error:
                # As at the end of a request, or when the worker's loop begins anew.
                connections["default"].close_if_unusable_or_obsolete()
            finally:
                self._injector.heal()
        raise NeverDoneError(f"not done after {PATIENCE} tries")

    def _reconcile(self) -> None:
        try:
            call_command("payments", "reconcile", "shop", stdout=StringIO())
        except CommandError:
            # A run that broke off has the account to itself for a quarter of an hour.
            Reconciliation.objects.update(lease_until=None)
            raise django.db.OperationalError("later") from None

    def _transaction(self, order: Order) -> str:
        return str(Payment.objects.get(order_ref=order.ref).transaction_id)

    def _fresh(self, order: Order) -> Order:
        return Order.objects.select_related("channel").get(pk=order.pk)

    # What has become of it

    def end(self) -> dict[str, Any]:
        """Without times, numbers and ids."""
        orders = {}
        for order in Order.objects.order_by("ref"):
            payments = Payment.objects.filter(order_ref=order.ref)
            summary = order.data.get("payment", {})
            orders[order.ref] = {
                "status": order.status,
                "summary": {k: v for k, v in summary.items() if k.endswith(("_q", "status"))},
                "payments": [(p.status, p.captured_q, p.refunded_q) for p in payments],
                "facts": sorted(
                    PaymentEvent.objects.filter(payment__order_ref=order.ref).values_list(
                        "kind", "amount_q"
                    )
                ),
                "directives": sorted(
                    Directive.objects.filter(order_ref=order.ref)
                    .exclude(topic="payment.sync")
                    .values_list("topic", "status")
                ),
                "moved": self.gateway.moved_q(order.ref),
                "held": self.gateway.held_q(order.ref),
                "transactions": len(self.gateway.transactions(order.ref)),
            }
        return {
            "orders": orders,
            "inbox": sorted(WebhookDelivery.objects.values_list("status", flat=True)),
            "flags": list(Flag.objects.values_list("kind", flat=True)),
            "wrong": [breach.rule for breach in Audit(now=self.clock.now).run()],
        }
