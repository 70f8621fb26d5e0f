"""Claiming a batch from a full table against claiming it from an empty one."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from django.db import connections, transaction

from .databases import Database
from .figures import Figure
from .shop import CONFIRM, HOLD, add_directives, add_orders, analyze, execute

if TYPE_CHECKING:
    from omniman_payment_django.store import DjangoStore

FINISHED, WAITING = 1_000_000, 100_000
BATCH, ROUNDS = 50, 41
RATIO = 1.5


class _UndoneError(Exception):
    """Ends a transaction without a trace, so that every round finds the same rows."""


def measure(database: Database) -> list[Figure]:
    """Waiting for their time, and due as well: the second has ``WAITING`` candidates."""
    execute(database, "DELETE FROM omniman_payment_directive")
    execute(database, "VACUUM")
    add_orders(database, "mine", BATCH)
    empty = _claims(database)
    add_directives(database, "done", FINISHED, HOLD, status="completed")
    add_directives(database, "later", WAITING, CONFIRM, minutes=60)
    analyze(database)
    waiting = _claims(database)
    execute(
        database,
        "UPDATE omniman_payment_directive SET available_at = created_at WHERE status = 'pending'",
    )
    analyze(database)
    due = _claims(database)
    execute(database, "DELETE FROM omniman_payment_directive")
    execute(database, "VACUUM")
    # Measured at both ends of the run, and the better one counts: an empty table costs no more.
    empty = min(empty, _claims(database))
    return [
        _figure(database, "not due", waiting, empty),
        _figure(database, "due", due, empty),
    ]


def _figure(database: Database, how: str, full: float, empty: float) -> Figure:
    return Figure(
        f"{database.name}: claiming {BATCH} with {FINISHED:,} finished and {WAITING:,} waiting "
        f"({how}), against an empty table",
        full / empty, "x", RATIO, more_is_better=False,
        note=f"{full:.2f} ms against {empty:.2f} ms",
    )  # fmt: skip


def _claims(database: Database) -> float:
    """Milliseconds of a claim of one batch that is due for longer than all others."""
    from omniman_payment_django.store import DjangoStore

    execute(database, "DELETE FROM omniman_payment_directive WHERE order_ref LIKE 'mine-%%'")
    add_directives(database, "mine", BATCH, HOLD, minutes=-600)
    store = DjangoStore(database.alias)
    _claim(database, store)
    return median(_claim(database, store) for _ in range(ROUNDS)) * 1e3


def _claim(database: Database, store: DjangoStore) -> float:
    from omniman_payment_core.records import Changes

    undecided: Callable[..., Any] = lambda case, now: Changes()  # noqa: E731
    spent = 0.0
    try:
        with transaction.atomic(using=database.alias):
            # What a test may do: the store's transaction becomes a savepoint of this one.
            connection: Any = connections[database.alias]
            connection.atomic_blocks[-1]._from_testcase = True
            began = time.perf_counter()
            written = store.claim(
                owner="benchmark", limit=BATCH, lease=timedelta(seconds=90),
                decide=undecided, tell=False,
            )  # fmt: skip
            spent = time.perf_counter() - began
            if len(written) != BATCH:
                raise RuntimeError(f"{len(written)} of {BATCH} were claimed")
            raise _UndoneError
    except _UndoneError:
        return spent
