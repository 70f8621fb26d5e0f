"""What has become of orders: our rows beside the gateway's truth, and what must always hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from omniman_payment_django.models import (
    Directive,
    GatewayCall,
    Order,
    OrderEvent,
    Payment,
    PaymentEvent,
    PaymentOperation,
    RefundRequest,
    WebhookDelivery,
)
from omniman_payment_mock import MockGateway

_MUTATIONS = ("authorize", "charge", "capture", "refund", "cancel")


@dataclass(slots=True)
class Books:
    """All of one order."""

    ref: str
    orders: int = 0
    payments: list[Payment] = field(default_factory=list)
    directives: list[tuple[str, str]] = field(default_factory=list)
    facts: Counter[str] = field(default_factory=Counter)
    moves: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    requests: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    moved_q: int = 0
    held_q: int = 0
    transactions: int = 0

    @property
    def captured_q(self) -> int:
        return sum(payment.captured_q for payment in self.payments)

    @property
    def refunded_q(self) -> int:
        return sum(payment.refunded_q for payment in self.payments)

    def ended(self, *topics: str) -> list[str]:
        """How the directives of these topics ended."""
        return sorted(status for topic, status in self.directives if topic in topics)

    def wrong(self, *, asked_once: bool) -> Iterator[str]:
        """What holds for every order, whatever was done to it."""
        if self.transactions > 1:
            yield f"{self.transactions} transactions at the gateway"
        kept_q = self.captured_q - self.refunded_q
        if kept_q != self.moved_q:
            yield f"{kept_q} kept in the ledger, {self.moved_q} in truth"
        open_q = sum(p.authorized_q - p.captured_q - p.released_q for p in self.payments)
        if open_q != self.held_q:
            yield f"{open_q} held in the ledger, {self.held_q} in truth"
        for status, times in self.moves.items():
            if times > 1:
                yield f"the order moved to {status} {times} times"
        for key, times in self.calls.items():
            if asked_once and times > 1:
                yield f"operation {key} was sent {times} times"
        for topic, status in self.directives:
            if status in ("running", "parked", "pending") and topic != "payment.sync":
                yield f"a {topic} is {status}"


def books_of(refs: Sequence[str], gateway: MockGateway) -> list[Books]:
    """The books of these orders, read at rest."""
    found = {ref: Books(ref) for ref in refs}
    for ref in Order.objects.filter(ref__in=refs).values_list("ref", flat=True):
        found[ref].orders += 1
    payments = {}
    for payment in Payment.objects.filter(order_ref__in=refs).order_by("attempt"):
        found[payment.order_ref].payments.append(payment)
        payments[payment.pk] = payment.order_ref
    directives = Directive.objects.filter(order_ref__in=refs).order_by("pk")
    for ref, topic, status in directives.values_list("order_ref", "topic", "status"):
        found[ref].directives.append((topic, status))
    facts = PaymentEvent.objects.filter(payment__in=list(payments))
    for payment_id, kind in facts.values_list("payment_id", "kind"):
        found[payments[payment_id]].facts[kind] += 1
    for event in OrderEvent.objects.filter(order_ref__in=refs):
        found[event.order_ref].happened[event.kind] += 1
        if event.kind == OrderEvent.STATUS_CHANGED:
            found[event.order_ref].moves[str(event.detail("to"))] += 1
    requests = RefundRequest.objects.filter(order_ref__in=refs).order_by("pk")
    for ref, state in requests.values_list("order_ref", "state"):
        found[ref].requests.append(state)
    calls = GatewayCall.objects.filter(order_ref__in=refs, method__in=_MUTATIONS)
    for ref, key in calls.values_list("order_ref", "operation_key"):
        found[ref].calls[key] += 1
    _add_deliveries(found)
    for ref, books in found.items():
        books.moved_q, books.held_q = gateway.moved_q(ref), gateway.held_q(ref)
        books.transactions = len(gateway.transactions(ref))
    return list(found.values())


def _add_deliveries(found: dict[str, Books]) -> None:
    about = {
        str(payment.transaction_id): books for books in found.values() for payment in books.payments
    }
    deliveries = WebhookDelivery.objects.filter(transaction_id__in=list(about))
    for transaction in deliveries.values_list("transaction_id", flat=True):
        about[str(transaction)].deliveries += 1


def wrong_at_the_gateway(gateway: MockGateway) -> Iterator[str]:
    """Each key moved money once, and belongs to an operation that was committed as sent."""
    silent = ("planned", "refused")
    states = dict(PaymentOperation.objects.values_list("key", "state"))
    keys: dict[str, list[str]] = defaultdict(list)
    for movement in gateway.moved:
        if movement.key is not None:
            keys[movement.key].append(movement.kind)
    for key, kinds in keys.items():
        if len(kinds) > 1:
            yield f"key {key} moved money {len(kinds)} times: {', '.join(kinds)}"
        if states.get(key, "planned") in silent:
            yield f"{kinds[0]} under {key}, which is {states.get(key, 'unknown')}"
