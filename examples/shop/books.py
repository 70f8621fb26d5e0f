"""Both books side by side: what gateways say really moved, and what our ledger says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from omniman_payment_core.records import DirectiveStatus
from omniman_payment_django.models import Directive, Order, Payment

from .far_sides.deeds import Truth, side_of

OPENED_AT = timezone.now()
SOON = timedelta(seconds=5)
_OPEN = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Line:
    """One order in both books."""

    order: Order
    account: str
    gateway: str
    status: str
    ours: Truth
    theirs: Truth | None
    """``None``: the gateway's books of that time are gone."""
    busy: bool
    """Something is still being worked on, so that a difference may be of a moment."""

    @property
    def equal(self) -> bool:
        """Whether the books agree, to the centavo."""
        return self.ours == self.theirs


@dataclass(frozen=True, slots=True)
class Books:
    """Every order, and the sums of those that can be compared."""

    lines: Sequence[Line]
    ours: Truth
    theirs: Truth

    @property
    def differing(self) -> int:
        """How many orders do not agree."""
        return sum(line.theirs is not None and not line.equal for line in self.lines)


def books_of(orders: Sequence[Order]) -> Books:
    """Compare these orders; one question to each gateway."""
    refs = [order.ref for order in orders]
    payments: dict[str, list[Payment]] = defaultdict(list)
    for payment in Payment.objects.filter(order_ref__in=refs).order_by("attempt"):
        payments[payment.order_ref].append(payment)
    # What waits for its shopper changes nothing until the shopper has done something.
    busy = set(
        Directive.objects.filter(order_ref__in=refs, status__in=_OPEN, waiting=False)
        .exclude(available_at__gt=timezone.now() + SOON)
        .values_list("order_ref", flat=True)
    )
    return _compared(orders, payments, busy, OPENED_AT)


def _compared(
    orders: Sequence[Order],
    payments: dict[str, list[Payment]],
    busy: set[str],
    opened_at: datetime,
) -> Books:
    accounts = {order.ref: str(order.channel.config["payment_backend"]) for order in orders}
    theirs: dict[str, Truth] = {}
    for account in set(accounts.values()):
        side = side_of(account)
        if side is None:
            continue
        known = [
            order.ref
            for order in orders
            if accounts[order.ref] == account
            and (side.keeps_its_books or order.created_at >= opened_at)
        ]
        theirs |= side.truths(known)
    lines = []
    for order in orders:
        mine = payments[order.ref]
        side = side_of(accounts[order.ref])
        lines.append(
            Line(
                order,
                accounts[order.ref],
                side.name if side is not None else accounts[order.ref],
                mine[-1].status if mine else "",
                _ours(mine),
                theirs.get(order.ref),
                order.ref in busy,
            )
        )
    comparable = [line for line in lines if line.theirs is not None]
    return Books(
        lines,
        _sum([line.ours for line in comparable]),
        _sum([line.theirs for line in comparable if line.theirs is not None]),
    )


def _ours(payments: Sequence[Payment]) -> Truth:
    return Truth(
        sum(p.captured_q - p.refunded_q - p.disputed_q for p in payments),
        sum(max(0, p.authorized_q - p.captured_q - p.released_q) for p in payments),
    )


def _sum(truths: Sequence[Truth]) -> Truth:
    return Truth(sum(t.moved_q for t in truths), sum(t.held_q for t in truths))
