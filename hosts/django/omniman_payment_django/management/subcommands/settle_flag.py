"""``payments settle-flag ID``: close a flag, with who did it and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from omniman_payment_django.settling import SettlingError, settle_flags

HELP = "Settle a flag: you have looked, and say what you found and did."


def add_arguments(parser: CommandParser) -> None:
    """Which flag, who, and why."""
    parser.add_argument("id", type=int, metavar="ID", help='the number "payments flags" shows')
    parser.add_argument("--actor", required=True, help="your name")
    parser.add_argument("--reason", required=True, help="what you found and did")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Settle it."""
    number = options["id"]
    try:
        settled = settle_flags([number], actor=options["actor"], reason=options["reason"])
    except SettlingError as error:
        raise CommandError(str(error)) from None
    if not settled:
        raise CommandError(f"there is no open flag {number}")
    out.write(f"flag {number} ({settled[0].kind}) is settled by {settled[0].actor}")
