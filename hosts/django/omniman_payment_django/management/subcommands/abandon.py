"""``payments abandon DIRECTIVE``: give up what is parked or waits, on the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from omniman_payment_django.settling import SettlingError, abandon_directive

HELP = (
    "Give up a directive that is parked or waits: it ends as failed and is never carried out. One "
    "whose call may have reached the gateway needs a verdict first."
)


def add_arguments(parser: CommandParser) -> None:
    """Which directive, who, and why."""
    parser.add_argument("directive", type=int, metavar="DIRECTIVE", help="its number")
    parser.add_argument("--actor", required=True, help="your name")
    parser.add_argument("--reason", required=True, help="why it shall not happen any more")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """End it."""
    try:
        directive = abandon_directive(
            options["directive"], actor=options["actor"], reason=options["reason"]
        )
    except SettlingError as error:
        raise CommandError(str(error)) from None
    out.write(f"directive {directive.pk} ({directive.topic} of {directive.order_ref}) is given up")
