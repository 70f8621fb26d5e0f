"""``payments show ORDER``: the ledger of one order as a timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from omniman_payment_django import conf
from omniman_payment_django.models import Order
from omniman_payment_django.timeline import PaymentBlock, timeline_of

HELP = "Show an order's payments: facts, operations, refunds, what happens next, open flags."


def add_arguments(parser: CommandParser) -> None:
    """The order's reference."""
    parser.add_argument("order", metavar="ORDER", help="the order's reference")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Print the timeline."""
    try:
        order = Order.objects.using(conf.database()).get(ref=options["order"])
    except Order.DoesNotExist:
        raise CommandError(f'there is no order "{options["order"]}"') from None
    timeline = timeline_of(order)
    out.write(timeline.title)
    for block in timeline.payments:
        _write_payment(out, block)
    if not timeline.payments:
        out.write("  no payment has begun")
    _write_list(out, "order", timeline.history)
    _write_list(out, "next", timeline.directives)
    _write_list(
        out, "flags", [f"[{flag.id}] {flag.kind}: {flag.message}" for flag in timeline.flags]
    )


def _write_payment(out: OutputWrapper, block: PaymentBlock) -> None:
    out.write(f"\n{block.title}")
    if block.amounts:
        out.write("  " + " · ".join(block.amounts))
    for event in block.events:
        reference = f"  ref {event.reference}" if event.reference else ""
        out.write(
            f"  {event.at}  {event.kind:<16} {event.amount:>16}  "
            f"{event.source} by {event.actor}{reference}"
        )
    _write_list(
        out,
        "operations",
        [
            f"{line.kind:<12} {line.amount:>16}  {line.state}  key {line.key}  {line.evidence}"
            for line in block.operations
        ],
        indent="  ",
    )
    _write_list(out, "refunds", block.refunds, indent="  ")


def _write_list(out: OutputWrapper, title: str, lines: Iterable[str], *, indent: str = "") -> None:
    for number, line in enumerate(lines):
        if number == 0:
            out.write(f"{indent}{title}:")
        out.write(f"{indent}  {line.rstrip()}")
