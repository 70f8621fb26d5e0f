"""Directives per second against the loop by hand, a gateway that answers at once."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db import connections

from omniman_payment_mock import MockPaymentBackend

from .by_hand import ByHand
from .databases import POSTGRES, Database
from .figures import Figure
from .shop import (
    AMOUNT_Q,
    CONFIRM,
    CURRENCY,
    HOLD,
    PAYMENT_METHOD,
    add_directives,
    add_orders,
    analyze,
    count_rows,
)
from .worker import make_worker

ROUNDS = 7
ORDERS = {HOLD: 2_000, CONFIRM: 1_000}
RATIOS = {"sqlite": (0.7, 1.0), POSTGRES: (1.0, 2.0)}
CPU_MS = 0.35
LEDGER = ("payment", "paymentoperation", "paymentevent", "gatewaycall", "refund", "flag")


@dataclass(frozen=True, slots=True)
class Run:
    """One contender's round."""

    rate: float
    cpu_ms: float
    commits: float


def measure(database: Database) -> list[Figure]:
    """Both flows on one database, the contenders in turns."""
    return [*_flow(database, HOLD, (HOLD,)), *_flow(database, CONFIRM, (HOLD, CONFIRM))]


def _flow(database: Database, name: str, topics: tuple[str, ...]) -> list[Figure]:
    worker = make_worker(database)
    by_hand = ByHand(database)
    contenders: dict[str, Callable[[], object]] = {
        "ours": worker.run_until_idle,
        "hand": by_hand.run_until_idle,
    }
    runs: dict[str, list[Run]] = {contender: [] for contender in contenders}
    left: dict[str, list[int]] = {}
    orders = ORDERS[name]
    for number in range(ROUNDS + 1):
        for contender, work in contenders.items():
            before = _rows(database)
            tag = f"{contender}-{name[8:]}-{number}"
            add_orders(database, tag, orders)
            for place, topic in enumerate(topics):
                add_directives(database, tag, orders, topic, minutes=place - 2)
            if number < 2:
                analyze(database)
            run = _timed(database, work, orders * len(topics))
            left[contender] = [b - a for a, b in zip(before, _rows(database), strict=True)]
            if number:  # the first one warms up
                runs[contender].append(run)
        if left["ours"] != left["hand"]:
            raise RuntimeError(f"not the same rows in {LEDGER}: {left}")
    by_hand.close()
    return _figures(database, " and ".join(topics), runs)


def _timed(database: Database, work: Callable[[], object], directives: int) -> Run:
    gc.collect()
    with _counted_commits(database) as commits:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    waiting = count_rows(database, "directive", "status <> 'completed'")
    if waiting:
        raise RuntimeError(f"{waiting} directives were not completed")
    return Run(directives / wall, cpu / directives * 1e3, len(commits) / directives)


@contextmanager
def _counted_commits(database: Database) -> Iterator[list[None]]:
    """Django's commits on this connection; the loop by hand has its own."""
    connection: Any = connections[database.alias]
    connection.ensure_connection()
    commits: list[None] = []
    original = connection._commit

    def commit() -> None:
        commits.append(None)
        original()

    connection._commit = commit
    try:
        yield commits
    finally:
        del connection._commit


def _rows(database: Database) -> list[int]:
    """How much there is in the ledger, and how many orders show a payment."""
    return [count_rows(database, table) for table in LEDGER]


def _gateway_cpu_ms(calls: int = 5_000) -> float:
    """What the mock gateway itself costs for a call: it is neither engine nor store."""
    costs = []
    for _ in range(3):
        backend = MockPaymentBackend()
        began = time.process_time()
        for number in range(calls):
            backend.authorize(
                AMOUNT_Q, CURRENCY, f"o-{number}", PAYMENT_METHOD, idempotency_key=f"k-{number}"
            )
        costs.append((time.process_time() - began) / calls * 1e3)
    return min(costs)


def _figures(database: Database, what: str, runs: dict[str, list[Run]]) -> list[Figure]:
    ours, hand = runs["ours"], runs["hand"]
    target, goal = RATIOS[database.alias]
    ratio = median(a.rate / b.rate for a, b in zip(ours, hand, strict=True))
    rate, rate_by_hand = median(r.rate for r in ours), median(r.rate for r in hand)
    cpu, cpu_by_hand = median(r.cpu_ms for r in ours), median(r.cpu_ms for r in hand)
    per_commit = 1 / median(r.commits for r in ours)
    gateway = _gateway_cpu_ms()
    return [
        Figure(
            f"{database.name}: {what}, against a loop by hand with a commit for each directive",
            ratio, "x", target, goal,
            note=f"{rate:,.0f}/s against {rate_by_hand:,.0f}/s; "
            f"{per_commit:.0f} directives to a commit",
        ),
        Figure(
            f"{database.name}: {what}, CPU of engine and store for each directive",
            cpu - gateway, "ms", CPU_MS, more_is_better=False,
            note=f"and {gateway:.3f} ms of the mock; by hand {cpu_by_hand - gateway:.2f} ms",
        ),
    ]  # fmt: skip
