"""One process's place: its engine, the gateway, and what is asked for an order from outside."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from django.test import RequestFactory

from omniman_payment_core.decisions import Rules, sync_of
from omniman_payment_core.engine import Engine
from omniman_payment_core.records import Topic
from omniman_payment_django import approvals, sessions, settling
from omniman_payment_django.models import (
    Directive,
    Flag,
    Order,
    Payment,
    PaymentOperation,
    RefundRequest,
    Session,
)
from omniman_payment_django.runtime import (
    SystemClock,
    get_engine,
    get_registry,
    get_store,
    new_id,
)
from omniman_payment_django.webhooks.view import webhook
from omniman_payment_mock import MockGateway
from omniman_payment_mock.script import Fault

from .project import ACCOUNT

TOTAL_Q = 1000
CLAIMED_AT_ONCE = 3
"""Few, so that eight workers have something to fight for."""


_LOST = Fault("timeout", on="capture", when="after")


class UnexpectedError(AssertionError):
    """An answer that nobody outside should ever get."""


class Desk:
    """Where one process sits. What it looked up of a race's orders is as old as the race."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.engine = get_engine(f"worker-{number}")
        backend: Any = get_registry().account(ACCOUNT).backend
        self.gateway: MockGateway = backend.gateway
        self._requests = RequestFactory()
        self._orders: dict[str, Order] = {}
        self._transactions: dict[str, str] = {}
        self._directives: dict[tuple[str, str], int] = {}

    def look(self, refs: Sequence[str]) -> None:
        """Read what the deeds of a race need to name."""
        orders = Order.objects.filter(ref__in=refs).select_related("channel")
        self._orders = {order.ref: order for order in orders}
        payments = Payment.objects.filter(order_ref__in=refs).order_by("attempt")
        self._transactions = {p.order_ref: str(p.transaction_id) for p in payments}
        directives = Directive.objects.filter(order_ref__in=refs).order_by("pk")
        self._directives = {(d.order_ref, d.topic): d.pk for d in directives}

    def transaction(self, ref: str) -> str:
        """The gateway's id of what pays for an order."""
        return self._transactions[ref]

    def work(self) -> int:
        """Claim a few directives, call and settle; says how many there were."""
        claimed = self.engine.claim(CLAIMED_AT_ONCE)
        works = claimed.works
        while works:
            works = self.engine.settle([self.engine.perform(work) for work in works])
        return claimed.taken

    def work_unheard(self, refs: Sequence[str]) -> None:
        """Capture; no answer arrives, and a worker that asks once leaves it to a person."""
        registry = get_registry()
        hasty = Engine(
            get_store(), registry, registry.hooks, registry.scrubber, clock=SystemClock(),
            new_id=new_id, rng=random.Random(), owner=f"hasty-{self.number}",
            rules=Rules(max_attempts=1),
        )  # fmt: skip
        captures = Directive.objects.filter(order_ref__in=refs, topic=Topic.CONFIRM)
        while captures.filter(status__in=["pending", "running"]).exists():
            # Colleagues that are as hasty may leave us theirs, too.
            self.gateway.faults.extend([_LOST] * CLAIMED_AT_ONCE)
            works = hasty.claim(CLAIMED_AT_ONCE).works
            hasty.settle([hasty.perform(work) for work in works])
        self.gateway.faults.clear()

    # What is asked for

    def commit(self, ref: str, key: str, method: dict[str, Any]) -> None:
        sessions.commit_session(
            Session.objects.select_related("channel").get(key=ref),
            commit_key=f"{key}:{ref}",
            payment_method=method,
            ref=ref,
        )

    def capture(self, ref: str, amount_q: int, key: str) -> None:
        sessions.confirm_payment(self._orders[ref], amount_q, f"capture-{key}:{ref}")

    def refund(self, ref: str, amount_q: int, key: str | None = None) -> None:
        named = f"refund-{key}:{ref}" if key else None
        sessions.refund_payment(self._orders[ref], amount_q, dedupe_key=named)

    def cancel(self, ref: str) -> None:
        sessions.cancel_order(self._orders[ref], actor=f"clerk-{self.number}")

    def pay_again(self, ref: str) -> None:
        sessions.retry_payment(self._orders[ref], {"type": "card"})

    def knock(self, ref: str, event: str) -> None:
        """Deliver a notification to the endpoint, as the gateway does; it has to be taken."""
        headers, body = self.gateway.webhook(self._transactions[ref], event_id=f"{event}:{ref}")
        meta: Any = {f"HTTP_{name.upper().replace('-', '_')}": headers[name] for name in headers}
        request = self._requests.generic("POST", "/", body, "application/json", **meta)
        answer = webhook(request, ACCOUNT)
        if answer.status_code != 200:
            raise UnexpectedError(f"a notification was answered with {answer.status_code}")

    def wake(self, ref: str) -> None:
        """What the payment's own schedule does."""
        payment = Payment.objects.filter(order_ref=ref).order_by("-attempt")[0]
        get_store().enqueue([sync_of(ref, payment.id)])

    def pay(self, ref: str) -> None:
        """The payer pays, whatever the shop thinks of the order by now, and the gateway tells."""
        self.gateway.pay(self._transactions[ref], late=True)
        self.knock(ref, "paid")

    # What people decide

    def request(self, ref: str, amount_q: int) -> None:
        actor = f"clerk-{self.number}"
        approvals.request_refund(self._orders[ref], amount_q, actor=actor, reason="asked")

    def decide(self, ref: str, *, agree: bool) -> None:
        """On the request that was made first."""
        first = RefundRequest.objects.filter(order_ref=ref).order_by("pk")[0]
        decision = approvals.approve_refund if agree else approvals.reject_refund
        decision(first.pk, actor=f"chief-{self.number}", reason="decided")

    def judge(self, ref: str, *, happened: bool) -> None:
        operation = PaymentOperation.objects.filter(payment__order_ref=ref, kind="capture")[0]
        actor = f"clerk-{self.number}"
        settling.give_verdict(
            operation.key, happened=happened, actor=actor, reason="seen", reference="seen"
        )

    def retry(self, ref: str) -> None:
        number = self._directives[ref, Topic.CONFIRM]
        settling.retry_directive(number, actor=f"clerk-{self.number}", reason="once more")

    def abandon(self, ref: str) -> None:
        number = self._directives[ref, Topic.CONFIRM]
        settling.abandon_directive(number, actor=f"clerk-{self.number}", reason="enough")

    def settle_flags(self, ref: str) -> None:
        flags = Flag.objects.filter(order_ref=ref, settled_at=None).values_list("pk", flat=True)
        settling.settle_flags(list(flags), actor=f"clerk-{self.number}", reason="seen")
