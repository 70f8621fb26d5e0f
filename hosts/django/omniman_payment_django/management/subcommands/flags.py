"""``payments flags``: what a person has to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser, OutputWrapper

from omniman_payment_django import conf
from omniman_payment_django.models import Flag
from omniman_payment_django.timeline import stamp

HELP = "List the open flags, oldest first."


def add_arguments(parser: CommandParser) -> None:
    """For people by default."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Print every open flag."""
    found = False
    flags = Flag.objects.using(conf.database()).filter(settled_at=None).order_by("id")
    for flag in flags.iterator():
        found = True
        if options["json"]:
            out.write(
                json.dumps(
                    {
                        "id": flag.id,
                        "kind": flag.kind,
                        "order_ref": flag.order_ref,
                        "payment_id": flag.payment_id,
                        "directive_id": flag.directive_id,
                        "account": flag.account,
                        "message": flag.message,
                        "opened_at": flag.opened_at.isoformat(),
                    }
                )
            )
            continue
        about = flag.order_ref or flag.account
        out.write(f"[{flag.id}] {stamp(flag.opened_at)}  {flag.kind}  {about}: {flag.message}")
    if not found and not options["json"]:
        out.write("no open flag")
