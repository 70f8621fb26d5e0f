"""``payments audit``: look through our own books for a rule that does not hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from omniman_payment_django.auditing import Audit
from omniman_payment_django.management.arguments import moment

HELP = (
    "Look through payments, orders and the queue for a rule that does not hold. Writes nothing "
    "and asks no gateway; ends with an error when something was found."
)


def add_arguments(parser: CommandParser) -> None:
    """Everything by default."""
    parser.add_argument(
        "--since", type=moment, metavar="DATE", help="only payments that began then or later"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Tell each breach as it is found."""
    audit = Audit(since=options["since"])
    found = 0
    for breach in audit.run():
        found += 1
        if options["json"]:
            out.write(json.dumps(asdict(breach)))
        else:
            out.write(f"{breach.rule}: {breach.where}: {breach.what}")
    looked_at = f"{audit.payments} payments of {audit.orders} orders"
    if found:
        raise CommandError(f"{looked_at}: {found} breaches")
    if not options["json"]:
        out.write(f"{looked_at}: every rule holds")
