"""``payments verdict OPERATION``: say what became of an operation that nobody knows about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from omniman_payment_django.settling import SettlingError, give_verdict

HELP = (
    "Say whether a parked operation happened at the gateway. The ledger gets it with your name "
    "and reason, and what waited behind it goes on."
)


def add_arguments(parser: CommandParser) -> None:
    """Which operation, what became of it, who says so, and why."""
    parser.add_argument("operation", metavar="OPERATION", help="its key (omp_...)")
    found = parser.add_mutually_exclusive_group(required=True)
    found.add_argument(
        "--happened", action="store_true", dest="happened", help="it was carried out"
    )
    found.add_argument(
        "--did-not-happen", action="store_false", dest="happened", help="it certainly was not"
    )
    parser.add_argument(
        "--reference",
        default="",
        help="the gateway's id of what happened: the transaction's, or the refund's",
    )
    parser.add_argument("--actor", required=True, help="your name")
    parser.add_argument("--reason", required=True, help="how you know")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Enqueue it; the worker writes it down."""
    try:
        directive = give_verdict(
            options["operation"],
            happened=options["happened"],
            reference=options["reference"],
            actor=options["actor"],
            reason=options["reason"],
        )
    except SettlingError as error:
        raise CommandError(str(error)) from None
    out.write(
        f"directive {directive.pk} carries the verdict on {options['operation']} of order "
        f"{directive.order_ref}; the worker writes it down"
    )
