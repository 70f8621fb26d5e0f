"""``python -m benchmarks [NAME ...] [--readme]``: measure, and print one table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module

from . import discovery, importing, notifications
from .databases import Database, databases
from .figures import Figure, table, write_readme

ALONE: dict[str, Callable[[], list[Figure]]] = {
    "importing": importing.measure,
    "discovery": discovery.measure,
    "notifications": notifications.measure,
}
"""Benchmarks without a database."""
ON_DATABASES = ("throughput", "latency", "claiming", "memory")
"""Modules whose ``measure(database)`` runs once on each."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="run only these")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    parser.add_argument("--only", choices=("sqlite", "postgres"), help="on one database only")
    arguments = parser.parse_args()
    known = [*ON_DATABASES, *ALONE]
    wrong = [name for name in arguments.names if name not in known]
    if wrong:
        parser.error(f"no benchmark {', '.join(wrong)}; there are {', '.join(known)}")
    if arguments.readme and (arguments.names or arguments.only):
        parser.error("--readme wants the whole table: leave out the names and --only")
    figures = list(measured(arguments.names or known, arguments.only))
    text = f"{table(figures)}\n\n{machine()}"
    print(f"\n{text}")
    if arguments.readme:
        write_readme(text)
    missed = [figure for figure in figures if figure.met is False]
    print(f"\n{len(missed)} of {sum(f.met is not None for f in figures)} targets missed")
    return 1 if missed else 0


def measured(names: list[str], only: str | None) -> Iterator[Figure]:
    """Run the benchmarks, saying on stderr how far it is."""
    for name in names:
        if name in ALONE:
            yield from _told(name, ALONE[name])
    if not set(names) & set(ON_DATABASES):
        return
    with ExitStack() as stack:
        both = stack.enter_context(databases())
        from omniman_payment_django.management.collecting import calm_collector

        from .shop import open_shop

        calm_collector()
        for database in both:
            open_shop(database)
        for name in ON_DATABASES:
            for database in both:
                if name in names and only in (None, database.alias):
                    yield from _told(f"{name} on {database.name}", _on(name, database))


def _on(name: str, database: Database) -> Callable[[], list[Figure]]:
    module = import_module(f"{__package__}.{name}")
    return lambda: list(module.measure(database))


def _told(name: str, measure: Callable[[], list[Figure]]) -> list[Figure]:
    print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
    began = time.monotonic()
    figures = measure()
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return figures


def machine() -> str:
    """Where it was measured, and how busy that was."""
    load = os.getloadavg()[0]
    return (
        f"Python {platform.python_version()} on {os.cpu_count()} CPUs, load {load:.1f} at "
        "the end. Figures are medians. The loop by hand and the imports take turns with ours; a "
        "full table is measured between two empty ones, and the faster of these counts. "
        "Everything is on real disks, with "
        "SQLite in WAL mode at `synchronous=FULL` and PostgreSQL as durable as it is by default."
    )


if __name__ == "__main__":
    sys.exit(main())
