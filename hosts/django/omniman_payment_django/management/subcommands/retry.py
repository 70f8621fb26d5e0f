"""``payments retry DIRECTIVE``: let a parked or failed directive run again, on the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from omniman_payment_django.settling import SettlingError, retry_directive

HELP = (
    "Let a parked or failed directive run again. The gateway is asked first; nothing whose "
    "outcome is unknown is repeated blindly."
)


def add_arguments(parser: CommandParser) -> None:
    """Which directive, who, and why."""
    parser.add_argument("directive", type=int, metavar="DIRECTIVE", help="its number")
    parser.add_argument("--actor", required=True, help="your name")
    parser.add_argument("--reason", required=True, help="what has changed since")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Make it due now."""
    try:
        directive = retry_directive(
            options["directive"], actor=options["actor"], reason=options["reason"]
        )
    except SettlingError as error:
        raise CommandError(str(error)) from None
    out.write(f"directive {directive.pk} ({directive.topic} of {directive.order_ref}) is due again")
