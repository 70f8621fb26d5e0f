"""How full a worker keeps its slots when the gateway takes 50 ms for each call."""

from __future__ import annotations

import time
from statistics import median

from .databases import POSTGRES, Database
from .figures import Figure
from .shop import HOLD, add_directives, add_orders, analyze, count_rows
from .worker import make_worker

SLOTS, LATENCY_MS = 64, 50
DIRECTIVES, ROUNDS = 5_120, 3
SHARE = 0.85


def measure(database: Database) -> list[Figure]:
    """Holds per second, as a share of what the slots could do at most."""
    worker = make_worker(database, latency_ms=LATENCY_MS, slots=SLOTS)
    best = SLOTS / LATENCY_MS * 1e3
    rates = []
    for number in range(ROUNDS):
        tag = f"slow-{number}"
        add_orders(database, tag, DIRECTIVES)
        add_directives(database, tag, DIRECTIVES, HOLD)
        analyze(database)
        began = time.perf_counter()
        worker.run_until_idle()
        rates.append(DIRECTIVES / (time.perf_counter() - began))
        if count_rows(database, "directive", "status <> 'completed'"):
            raise RuntimeError("not every directive was completed")
    rate = median(rates)
    return [
        Figure(
            f"{database.name}: {LATENCY_MS} ms gateway latency, {SLOTS} in flight, "
            "share of the possible rate",
            rate / best, "x", SHARE if database.alias == POSTGRES else None,
            note=f"{rate:,.0f}/s of {best:,.0f}/s",
        )
    ]  # fmt: skip
