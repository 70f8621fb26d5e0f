"""``payments reconcile``: compare the ledger with the gateways, and tell what differs."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from omniman_payment_core.errors import PaymentError
from omniman_payment_django.management.arguments import moment
from omniman_payment_django.reconciling import Finding, Reconciling, Report
from omniman_payment_django.runtime import get_registry

HELP = (
    "Compare payments with what their gateways say. What differs is looked at again by the "
    "worker; money that no payment knows becomes a flag. A run that was stopped goes on."
)


def add_arguments(parser: CommandParser) -> None:
    """Which accounts, from when on, how fast, and whether anything is written."""
    parser.add_argument(
        "accounts", nargs="*", metavar="ACCOUNT", help="as named in the settings (default: all)"
    )
    parser.add_argument(
        "--since", type=moment, metavar="DATE",
        help="compare what began then or later (default: 30 days, or as the settings say)",
    )  # fmt: skip
    parser.add_argument(
        "--rate", type=_rate, default=10.0, metavar="N",
        help="questions about single payments in a second, at most (default: 10)",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="write nothing, only tell")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """One account after the other; an account that cannot be asked does not keep the others."""
    registry = get_registry()
    reports, failed = [], []
    for name in options["accounts"] or registry.names():
        try:
            reconciling = Reconciling(
                registry.account(name),
                since=options["since"],
                rate=options["rate"],
                dry=options["dry_run"],
                progress=lambda report: None if options["json"] else _progress(out, report),
            )
            reports.append(reconciling.run())
        except PaymentError as error:
            failed.append(f"{name}: {registry.scrubber.text(str(error))}")
    if options["json"]:
        told = {"reports": [asdict(report) for report in reports], "failed": failed}
        out.write(json.dumps(told, indent=2, default=str))
    else:
        for report in reports:
            _tell(out, report, dry=options["dry_run"])
    if failed:
        raise CommandError("; ".join(failed))


def _progress(out: OutputWrapper, report: Report) -> None:
    out.write(f"{report.account}: {report.compared} compared, {len(report.differing)} differ")


def _tell(out: OutputWrapper, report: Report, *, dry: bool) -> None:
    out.write(
        f"{report.account} since {report.since:%Y-%m-%d %H:%M}: {report.compared} compared, "
        f"{len(report.differing)} differ, {len(report.unknown)} unknown, "
        f"{len(report.unreadable)} could not be compared"
    )
    heals = "" if dry else " (the worker looks at it again)"
    _list(out, report.differing, heals)
    _list(out, report.unknown, "" if dry else " (flagged)")
    _list(out, report.unreadable, "")


def _list(out: OutputWrapper, findings: Sequence[Finding], ending: str) -> None:
    for finding in findings:
        whose = f"order {finding.order_ref}, " if finding.order_ref else ""
        out.write(f"  {whose}{finding.transaction_id}: {'; '.join(finding.what)}{ending}")


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= 1000:
        raise ArgumentTypeError("a number from 0.01 to 1000 is expected")
    return rate
