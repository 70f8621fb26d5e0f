"""``manage.py payments ...``: look at payments, and the few things a person may decide."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from omniman_payment_django.management.subcommands import SUBCOMMANDS


class Command(BaseCommand):
    """Dispatches to one subcommand."""

    help = "Look at payments, backends and flags; settle a flag; let a directive run again."

    def add_arguments(self, parser: CommandParser) -> None:
        subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
        for name, subcommand in SUBCOMMANDS.items():
            subcommand.add_arguments(
                subparsers.add_parser(name, help=subcommand.HELP, description=subcommand.HELP)
            )

    def handle(self, *args: Any, **options: Any) -> None:
        SUBCOMMANDS[options["subcommand"]].run(self.stdout, options)
