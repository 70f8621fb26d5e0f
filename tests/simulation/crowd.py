"""Many histories in several processes: counted, timed, and the broken ones remembered."""

from __future__ import annotations

import gc
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from .world import World

SHARE = 250
"""So many histories at a time: often enough to hear how it goes."""


@dataclass(slots=True)
class Tally:
    """What became of a number of histories."""

    histories: int = 0
    steps: int = 0
    calls: int = 0
    marks: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, str, str]] = field(default_factory=list)
    """Seed, strength of the first gateway, and what did not hold."""

    def add(self, other: Tally) -> None:
        self.histories += other.histories
        self.steps += other.steps
        self.calls += other.calls
        self.marks.update(other.marks)
        self.broken += other.broken


def live_through(first: int, count: int, strength: str | None = None) -> Tally:
    """A number of histories, one after the other."""
    logging.disable(logging.CRITICAL)
    # What one history leaves is gone with it; looking for cycles in it is a tenth of the time.
    gc.disable()
    tally = Tally()
    for seed in range(first, first + count):
        world = World(seed, strength=strength, marks=tally.marks)
        try:
            world.run()
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            tally.broken.append((seed, world.strength, text))
        tally.histories += 1
        tally.steps += world.steps
        tally.calls += len(world.store.calls)
    gc.enable()
    gc.collect()
    return tally


def live_together(
    first: int,
    histories: int,
    processes: int,
    strength: str | None = None,
    heard: Callable[[Tally, float], None] = lambda tally, seconds: None,
) -> tuple[Tally, float]:
    """The same in several processes; ``heard`` is told after every share. Says how long it took."""
    began, total = time.monotonic(), Tally()
    for tally in _shares(first, histories, processes, strength):
        total.add(tally)
        heard(total, time.monotonic() - began)
    return total, time.monotonic() - began


def _shares(first: int, histories: int, processes: int, strength: str | None) -> Iterator[Tally]:
    starts = range(first, first + histories, SHARE)
    counts = [min(SHARE, first + histories - start) for start in starts]
    if processes == 1:
        for start, count in zip(starts, counts, strict=True):
            yield live_through(start, count, strength)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(live_through, starts, counts, [strength] * len(counts))


def how_to_replay(seed: int, strength: str | None = None) -> str:
    """The command that lives through one history again and tells its story."""
    more = f" --strength {strength}" if strength else ""
    return f"python -m tests.simulation --seed {seed}{more}"
