"""The subcommands of ``manage.py payments``, by the name they are called with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from django.core.management.base import CommandParser, OutputWrapper

from . import (
    abandon,
    audit,
    backends,
    decide_refund,
    explain,
    flags,
    forget,
    reconcile,
    retry,
    settle_flag,
    show,
    verdict,
    webhook,
)


class Subcommand(Protocol):
    """A module with these three names."""

    HELP: str

    def add_arguments(self, parser: CommandParser) -> None: ...

    def run(self, out: OutputWrapper, options: Mapping[str, Any]) -> None: ...


SUBCOMMANDS: Mapping[str, Subcommand] = {
    "show": show,
    "explain": explain,
    "backends": backends,
    "flags": flags,
    "settle-flag": settle_flag,
    "decide-refund": decide_refund,
    "reconcile": reconcile,
    "audit": audit,
    "retry": retry,
    "abandon": abandon,
    "verdict": verdict,
    "webhook": webhook,
    "forget": forget,
}
