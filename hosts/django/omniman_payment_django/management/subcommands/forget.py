"""``payments forget``: take payers out of work that is done, by age or for one order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.utils import timezone

from omniman_payment_django.forgetting import forget_before, forget_order
from omniman_payment_django.settling import SettlingError

HELP = (
    "Take payment methods and metadata out of directives that are done, and the contents of "
    "notifications out of the inbox. Facts, amounts and references stay."
)


def add_arguments(parser: CommandParser) -> None:
    """By age, or the payer of one order."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--older-than", type=int, metavar="DAYS", help="what was done before")
    what.add_argument("--order", metavar="ORDER", help="its payer, who asked for it")
    parser.add_argument("--actor", default="", help="with --order: your name")
    parser.add_argument("--reason", default="", help="with --order: why")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, only count")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Do it, and say how much it was."""
    days, dry = options["older_than"], options["dry_run"]
    if days is not None and not 0 <= days <= 36_500:
        raise CommandError("DAYS is a number from 0 to 36500")
    try:
        if days is not None:
            done = forget_before(timezone.now() - timedelta(days=days), dry=dry)
        else:
            done = forget_order(
                options["order"], actor=options["actor"], reason=options["reason"], dry=dry
            )
    except SettlingError as error:
        raise CommandError(str(error)) from None
    would = "would be " if dry else ""
    out.write(
        f"{done.directives} directives and {done.notifications} notifications {would}stripped"
    )
