"""Everything the order's page shows, read from the host's tables in a handful of queries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omniman_payment_core.values import PaymentStatus
from omniman_payment_django.models import (
    Directive,
    Flag,
    Order,
    OrderEvent,
    Payment,
    PaymentEvent,
    PaymentOperation,
    Refund,
    WebhookDelivery,
)
from omniman_payment_django.pay import pay_url

from .books import Line, books_of
from .catalogue import PRODUCTS
from .desk import Offers, offers_of
from .far_sides.deeds import Deed, side_of

_PAYABLE = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)


@dataclass(frozen=True, slots=True)
class Dossier:
    """One order, as the shop's people see it."""

    items: Sequence[tuple[str, int, int]]
    """Name, quantity and price of all of them."""
    payment: Payment | None
    """The newest attempt."""
    events: Sequence[PaymentEvent]
    operations: Sequence[PaymentOperation]
    refunds: Sequence[Refund]
    directives: Sequence[Directive]
    deliveries: Sequence[WebhookDelivery]
    flags: Sequence[Flag]
    history: Sequence[OrderEvent]
    offers: Offers
    deeds: Sequence[Deed]
    books: Line
    pay_url: str

    @property
    def payable(self) -> bool:
        """Whether the pay page may still have something to do."""
        return self.payment is None or self.payment.status in _PAYABLE

    def deed(self, name: str, subject: str) -> Deed | None:
        """One that is possible now."""
        for deed in self.deeds:
            if (deed.name, deed.subject) == (name, subject):
                return deed
        return None


def dossier_of(order: Order) -> Dossier:
    """Read it all."""
    ref = order.ref
    payments = list(Payment.objects.filter(order_ref=ref).order_by("attempt"))
    ids = [payment.id for payment in payments]
    refunds = list(Refund.objects.filter(payment_id__in=ids).order_by("created_at"))
    transactions = [payment.transaction_id for payment in payments if payment.transaction_id]
    newest = payments[-1] if payments else None
    side = side_of(newest.account) if newest is not None else None
    return Dossier(
        items=[_item(item) for item in order.items],
        payment=newest,
        events=list(
            PaymentEvent.objects.filter(payment_id__in=ids)
            .select_related("payment")
            .order_by("-seq")
        ),
        operations=list(
            PaymentOperation.objects.filter(payment_id__in=ids).order_by("created_at", "ordinal")
        ),
        refunds=refunds,
        directives=list(Directive.objects.filter(order_ref=ref).order_by("id")),
        deliveries=list(
            WebhookDelivery.objects.filter(transaction_id__in=transactions).order_by("-id")
        ),
        flags=list(Flag.objects.filter(order_ref=ref).order_by("id")),
        history=list(OrderEvent.objects.filter(order_ref=ref).order_by("id")),
        offers=offers_of(order, payments),
        deeds=side.deeds(newest, refunds) if side is not None and newest is not None else (),
        books=books_of([order]).lines[0],
        pay_url=pay_url(order),
    )


_NAMES = {product.sku: product.name for product in PRODUCTS}


def _item(item: dict[str, Any]) -> tuple[str, int, int]:
    return _NAMES.get(item["sku"], item["sku"]), item["qty"], item["qty"] * item["price_q"]


def summary_text(order: Order) -> str:
    """``order.data["payment"]`` as JSON, without what lets its holder pay."""
    summary = order.data.get("payment")
    if not isinstance(summary, dict):
        return ""
    action = summary.get("next_action")
    if isinstance(action, dict):
        summary = {**summary, "next_action": {"kind": action.get("kind"), "…": "…"}}
    return json.dumps(summary, indent=2, ensure_ascii=False)
