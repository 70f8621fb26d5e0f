"""What the shops of the end-to-end tests share: committing, working, and looking at the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from omniman_payment_core.engine.worker import Worker
from omniman_payment_core.records import DirectiveStatus
from omniman_payment_django.models import (
    Channel,
    Directive,
    Flag,
    Order,
    Payment,
    PaymentEvent,
    Session,
    WebhookDelivery,
)
from omniman_payment_django.runtime import get_engine
from omniman_payment_django.sessions import commit_session

PATIENCE_SECONDS = 20.0
OPEN = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)
_numbers = count(1)


class Selling:
    """A shop on the default database."""

    def commit(self, payment_method: dict[str, Any], total_q: int, **config: Any) -> Order:
        """Commit a session for one thing at this price, on a channel of its own."""
        number = next(_numbers)
        channel = Channel.objects.create(code=f"web-{number}", config=config)
        session = Session.objects.create(
            key=f"session-{number}",
            channel=channel,
            items=[{"sku": "coffee", "qty": 1, "price_q": total_q}],
        )
        return commit_session(session, commit_key=session.key, payment_method=payment_method)

    # Working

    def worker(self, name: str = "one", slots: int = 4) -> Worker:
        return Worker(get_engine(name), slots=slots)

    def work(self) -> None:
        """Work until nothing is left to do that does not wait for the payer or a far date."""
        worker = self.worker()
        self.until(lambda: self._worked(worker), "directives are left")

    def _worked(self, worker: Worker) -> bool:
        worker.run_until_idle()
        return not Directive.objects.filter(status__in=OPEN, waiting=False).exists()

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait for something that happens in another thread or a moment from now."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                left = list(Directive.objects.filter(status__in=OPEN).values())
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

    def deliveries(self, status: str | None = None) -> int:
        rows = WebhookDelivery.objects.all()
        return (rows.filter(status=status) if status else rows).count()
