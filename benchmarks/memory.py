"""The resident memory of the worker command, from its start to 100,000 directives."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from django.db import connections

from .databases import Database
from .figures import Figure
from .shop import HOLD, add_directives, add_orders, analyze, count_rows

ROOT = Path(__file__).resolve().parent.parent
DIRECTIVES, WARM_AFTER = 100_000, 10_000
RESIDENT_MB, GROWTH = 90.0, 1.05
DEADLINE_S, EVERY_S = 900, 0.1


def measure(database: Database) -> list[Figure]:
    """``manage.py process_directives`` in a process of its own, watched from here."""
    before = _calls(database)
    add_orders(database, "memory", DIRECTIVES)
    add_directives(database, "memory", DIRECTIVES, HOLD)
    analyze(database)
    sizes = _watch(database, before)
    if count_rows(database, "directive", "status <> 'completed'"):
        raise RuntimeError("not every directive was completed")
    start = sizes[0][1]
    warm = next(size for done, size in sizes if done >= WARM_AFTER)
    most = max(size for _, size in sizes)
    return [
        Figure(
            f"{database.name}: resident memory of the worker command over {DIRECTIVES:,} "
            "directives, at most",
            most, "MB", RESIDENT_MB, more_is_better=False, note=f"{start:.0f} MB at its first",
        ),
        Figure(
            f"{database.name}: growth of it after the first {WARM_AFTER:,}",
            most / warm, "x", GROWTH, more_is_better=False, note=f"from {warm:.1f} MB",
        ),
    ]  # fmt: skip


def _watch(database: Database, before: int) -> list[tuple[int, float]]:
    """Directives done so far and megabytes, again and again until the command ends."""
    sizes: list[tuple[int, float]] = []
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "django", "process_directives", "--once"],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
            "DJANGO_SETTINGS_MODULE": "benchmarks.worker_settings",
            "OMNIMAN_BENCH_DATABASE": f"{database.alias} {database.address}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + DEADLINE_S
        while worker.poll() is None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the worker was not done within {DEADLINE_S} s")
            done, size = _calls(database) - before, resident_mb(worker.pid)
            if done and size:
                sizes.append((done, size))
            time.sleep(EVERY_S)
        output, _ = worker.communicate()
        if worker.returncode:
            raise RuntimeError(output)
    finally:
        worker.kill()
        worker.wait()
    return sizes


def _calls(database: Database) -> int:
    """The newest audit row's number: there is one for each directive."""
    with connections[database.alias].cursor() as cursor:
        cursor.execute("SELECT COALESCE(max(id), 0) FROM omniman_payment_gatewaycall")
        return int(cursor.fetchone()[0])


def resident_mb(process: int) -> float:
    """What the kernel says a process holds in memory; nothing once it has ended."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
