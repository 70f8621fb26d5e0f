"""One round: a fresh database and a fresh gateway, a storm, a calm, and the audit."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .children import ask, fork, freeze
from .databases import DATABASES, Database, SqliteFile, integrity_of
from .gateway import Gateway, gateway, notify
from .listening import PATH, open_door
from .project import configure, open_shop

if TYPE_CHECKING:
    from .storm import Storm

PATIENCE_SECONDS = 120.0
TOLD = "told"
ROOM = 2_000_000_000


@dataclass(slots=True)
class Outcome:
    """What a round did and found."""

    done: Counter[str] = field(default_factory=Counter)
    doubles: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    drained_seconds: float = 0.0
    log: str = ""


def one_round(
    vendor: str,
    seed: int,
    seconds: float,
    kills: int,
    mutant: str | None = None,
    folder: Path | None = None,
) -> Outcome:
    """Runs in a process that has not set Django up, and leaves no process behind."""
    with (
        tempfile.TemporaryDirectory(prefix="omniman-kill-", dir=_fast_disk()) as fresh,
        gateway() as stripe,
    ):
        folder = folder or Path(fresh)
        database: Database = DATABASES[vendor](folder)
        try:
            database.start()
            return _round(database, stripe, folder, seed, seconds, kills, mutant)
        finally:
            database.stop()


def _fast_disk() -> Path | None:
    """Files in memory outlive a killed process as files on a disk do, and never make it wait."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free >= ROOM
    return memory if roomy and os.access(memory, os.W_OK) else None


def _round(
    database: Database,
    stripe: Gateway,
    folder: Path,
    seed: int,
    seconds: float,
    kills: int,
    mutant: str | None,
) -> Outcome:
    configure(database.settings, stripe, folder / TOLD)
    # Only with its settings there can Django's models be imported.
    from .storm import Storm
    from .working import warm_up, work

    def worker() -> None:
        work(mutant)

    with open_door() as door:
        storm = Storm(database, stripe, folder, random.Random(seed), door, worker)
        ask(open_shop, storm.log)
        host, port = door.getsockname()
        notify(stripe, f"http://{host}:{port}{PATH}")
        warm_up()
        freeze()
        try:
            storm.rage(seconds, kills)
            storm.calm()
            return _settle(storm, worker)
        finally:
            storm.end()


def _settle(storm: Storm, worker: Callable[[], None]) -> Outcome:
    """Let one worker finish, reconcile, and compare everything with the gateway's books."""
    outcome = Outcome(storm.done, broken=storm.broken)
    control, log = storm.gateway.control, storm.log
    ask(_finish_selling, log)
    with Supervised(worker, log) as last:
        began = time.monotonic()
        last.until(lambda: ask(_left, log) == 0)
        outcome.drained_seconds = time.monotonic() - began
        control.flush(20)
        for report in ask(_reconcile, log)["reports"]:
            outcome.done["compared when reconciled"] += report["compared"]
            outcome.done["differing when reconciled"] += len(report["differing"])
            outcome.done["unknown when reconciled"] += len(report["unknown"])
        last.until(lambda: ask(_left, log) == 0 and ask(_untold, log) == 0)
    movements = control.ledger()["movements"]
    verdict = ask(lambda: _audit(movements, storm.folder / TOLD), log)
    if isinstance(storm.database, SqliteFile):
        sound = integrity_of(storm.database.path)
        if sound != "ok":
            outcome.broken.append(f"integrity_check: {sound}")
    outcome.doubles, outcome.lost = verdict.doubles, verdict.lost
    outcome.broken += verdict.broken
    for what in ("orders", "operations", "directives", "redelivered", "parked"):
        outcome.done[what] = getattr(verdict, what)
    outcome.done["movements"] = len(movements)
    outcome.log = log.read_text(errors="replace")
    return outcome


class Supervised:
    """One worker, started again when it ends by itself: too many calls hung."""

    def __init__(self, worker: Callable[[], None], log: Path) -> None:
        self._worker, self._log = worker, log
        self._child = fork(worker, log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for it; what does not come about is for the audit to tell."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done() and time.monotonic() < deadline:
            time.sleep(0.25)
            if not self._child.alive():
                self._child = fork(self._worker, self._log)


def _audit(movements: list[Any], told: Path) -> Any:
    from .audit import audit

    return audit(movements, told)


def _finish_selling() -> None:
    from .shop import finish

    finish()


def _left() -> int:
    from omniman_payment_django.models import Directive

    return Directive.objects.filter(status__in=["pending", "running"]).count()


def _untold() -> int:
    from omniman_payment_django.models import PaymentNotice

    return PaymentNotice.objects.count()


def _reconcile() -> Any:
    from django.core.management import call_command

    told = StringIO()
    call_command("payments", "reconcile", "--json", "--rate", "1000", stdout=told)
    return json.loads(told.getvalue())
