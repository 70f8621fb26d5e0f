"""``payments explain ORDER``: why an order's money is where it is, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from omniman_payment_django import conf
from omniman_payment_django.explaining import explanation_of
from omniman_payment_django.models import Order

HELP = "Say in sentences why an order's money is where it is, what comes next, and when."


def add_arguments(parser: CommandParser) -> None:
    """The order's reference."""
    parser.add_argument("order", metavar="ORDER", help="the order's reference")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Say it."""
    try:
        order = Order.objects.using(conf.database()).get(ref=options["order"])
    except Order.DoesNotExist:
        raise CommandError(f'there is no order "{options["order"]}"') from None
    for sentence in explanation_of(order):
        out.write(sentence)
