"""What the demo prints: a line for each order, then our books beside the gateway's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from omniman_payment_core.currencies import format_amount
from omniman_payment_core.records import DirectiveStatus
from omniman_payment_django.models import Directive, Flag, Payment, PaymentEvent

from .far_sides import FarSide
from .settings import CHANNELS, CURRENCY
from .shop import Sold

_HEADINGS = ("order", "channel", "total", "payment", "order is", "what happened")


@dataclass(frozen=True, slots=True)
class Difference:
    """An order on which the two books do not agree."""

    order_ref: str
    what: str
    gateway_q: int
    ledger_q: int


def orders_table(sold: Sequence[Sold]) -> str:
    """One line for each order."""
    rows = [_HEADINGS]
    for entry in sold:
        order = entry.order
        payment = order.data.get("payment", {})
        kinds = PaymentEvent.objects.filter(payment__order_ref=order.ref).order_by("seq")
        rows.append(
            (
                order.ref,
                order.channel.code,
                format_amount(order.total_q, order.currency),
                payment.get("status", "-"),
                order.status,
                " > ".join(kinds.values_list("kind", flat=True)),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def notes(sold: Iterable[Sold]) -> list[str]:
    """Why a payment failed, and what a person has to look at, order by order."""
    lines = []
    for entry in sold:
        ref = entry.order.ref
        failed = Directive.objects.filter(order_ref=ref, status=DirectiveStatus.FAILED)
        lines += [f"{ref}: {d.topic} failed: {d.last_error}" for d in failed.order_by("pk")]
        flags = Flag.objects.filter(order_ref=ref, settled_at=None).order_by("pk")
        lines += [f"{ref}: a person should look: {flag.kind}: {flag.message}" for flag in flags]
    return lines


def compare(sold: Iterable[Sold], sides: Mapping[str, FarSide]) -> tuple[str, list[Difference]]:
    """The totals of both books for each gateway, and every order on which they differ."""
    differences: list[Difference] = []
    totals: dict[tuple[str, str], list[int]] = {}
    for entry in sold:
        ref = entry.order.ref
        side = sides[CHANNELS[entry.order.channel.code]["payment_backend"]]
        payments = list(Payment.objects.filter(order_ref=ref))
        books = {
            "moved": (
                side.moved_q(ref),
                sum(p.captured_q - p.refunded_q - p.disputed_q for p in payments),
            ),
            "held": (
                side.held_q(ref),
                sum(max(0, p.authorized_q - p.captured_q - p.released_q) for p in payments),
            ),
        }
        for what, (theirs, ours) in books.items():
            total = totals.setdefault((what, side.name), [0, 0])
            total[0] += theirs
            total[1] += ours
            if theirs != ours:
                differences.append(Difference(ref, what, theirs, ours))
    lines = [
        f"money {what}: {name} says {format_amount(theirs, CURRENCY)}, "
        f"our ledger says {format_amount(ours, CURRENCY)}: "
        + ("equal" if theirs == ours else "DIFFERENT")
        for (what, name), (theirs, ours) in totals.items()
    ]
    lines += [
        f"{d.order_ref}: {d.what} {format_amount(d.gateway_q, CURRENCY)} at the gateway, "
        f"{format_amount(d.ledger_q, CURRENCY)} in our ledger"
        for d in differences
    ]
    return "\n".join(lines), differences
