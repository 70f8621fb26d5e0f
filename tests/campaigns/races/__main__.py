"""``python -m tests.campaigns.races --database sqlite --rounds 2000``: race, and audit."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.campaigns.kill.children import ask, freeze
from tests.campaigns.kill.databases import DATABASES, Database

from .crew import PROCESSES, Plan, Report, race
from .project import configure, open_shop

TOLD = 20
"""So many of the broken promises are printed."""
CODES = ("held", "scanned", "late", "doubted")
_FAST = Path("/dev/shm")
_ROOM = 2_000_000_000


def main() -> int:
    """Race as many rounds as asked; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.races", description=__doc__)
    parser.add_argument("--database", choices=tuple(DATABASES), default="sqlite")
    parser.add_argument("--rounds", type=int, default=2000, help="of each race")
    parser.add_argument("--batch", type=int, default=50, help="orders in flight at a time")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--life", choices=CODES, action="append", help="only these")
    parser.add_argument("--mutant", help="break a rule on purpose: see mutants.py")
    asked = parser.parse_args()
    batches = -(-asked.rounds // asked.batch)
    plan = Plan(batches, asked.batch, asked.life or CODES, asked.mutant)
    began = time.monotonic()
    report = _played(asked.database, plan, asked.processes)
    _tell(report, time.monotonic() - began)
    return 1 if report.wrong else 0


def _played(vendor: str, plan: Plan, processes: int) -> Report:
    roomy = _FAST.is_dir() and shutil.disk_usage(_FAST).free >= _ROOM
    with tempfile.TemporaryDirectory(
        prefix="omniman-races-", dir=_FAST if roomy else None
    ) as folder:
        database: Database = DATABASES[vendor](Path(folder))
        database.start()
        try:
            return _raced(database, Path(folder), plan, processes)
        finally:
            database.stop()


def _raced(database: Database, folder: Path, plan: Plan, processes: int) -> Report:
    from omniman_payment_mock.webhooks import new_secret

    configure(database.settings, folder, new_secret())
    from omniman_payment_django.runtime import get_registry

    from .project import ACCOUNT

    ask(open_shop, folder / "log")
    get_registry().account(ACCOUNT)
    freeze()
    report = race(plan, processes)
    if database.vendor == "postgres":
        report.done["deadlocks"] = ask(_deadlocks, folder / "log")
    return report


def _deadlocks() -> int:
    """So many the server has resolved by an error."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def _tell(report: Report, seconds: float) -> None:
    kinds = Counter({k: n for k, n in report.done.items() if k.startswith("rounds of ")})
    for what, number in sorted((report.done - kinds).items()):
        print(f"{number:10}  {what}")
    for what, number in kinds.items():
        print(f"{number:10}  {what}")
    print(f"{len(report.wrong):10}  wrong")
    print(f"{seconds:10.0f}  seconds")
    for each in report.wrong[:TOLD]:
        print(each, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
