"""``payments decide-refund ID``: agree to a refund that somebody else asked for, or refuse it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from omniman_payment_django.approvals import approve_refund, reject_refund
from omniman_payment_django.settling import SettlingError

HELP = "Approve or reject a refund that waits for a second person (see payments flags)."


def add_arguments(parser: CommandParser) -> None:
    """Which, how, who and why."""
    parser.add_argument("id", type=int, metavar="ID", help='the number in "payments flags"')
    decision = parser.add_mutually_exclusive_group(required=True)
    decision.add_argument("--approve", action="store_true", help="the money goes back")
    decision.add_argument("--reject", action="store_true", help="it stays")
    parser.add_argument("--actor", required=True, help="your name; not who asked for it")
    parser.add_argument("--reason", required=True, help="what you looked at")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Decide."""
    decide = approve_refund if options["approve"] else reject_refund
    try:
        request = decide(options["id"], actor=options["actor"], reason=options["reason"])
    except SettlingError as error:
        raise CommandError(str(error)) from None
    out.write(f"refund request {request.pk} is {request.state} by {request.decided_by}")
