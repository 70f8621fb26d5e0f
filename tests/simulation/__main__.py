"""``python -m tests.simulation``: live through many histories, or replay one, or make it short."""

from __future__ import annotations

import argparse
import logging
import sys

from .crowd import Tally, how_to_replay, live_together
from .gateways import STRENGTHS
from .shrinking import shrink
from .world import World

EVERY = 30.0
"""Seconds between two lines of progress."""


def main() -> int:
    """Run; 1 when a history broke an invariant."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=2000, help="how many seeds to try")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=1, help="how many of them at once")
    parser.add_argument("--strength", choices=STRENGTHS, help="only this kind of gateway")
    parser.add_argument("--seed", type=int, help="replay this one and tell its story")
    parser.add_argument("--shrink", action="store_true", help="tell the seed's shortest story")
    parser.add_argument("--only", help="replay only these steps of the seed, as 3,7,9")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if asked.seed is None:
        return _many(asked.first, asked.histories, asked.processes, asked.strength)
    only = None
    if asked.only is not None:
        only = frozenset(int(number) for number in asked.only.split(",") if number)
    if asked.shrink:
        try:
            only = shrink(asked.seed, asked.strength)
        except ValueError as error:
            print(error)
            return 0
    return _replay(asked.seed, asked.strength, only)


def _many(first: int, histories: int, processes: int, strength: str | None) -> int:
    progress = _Progress(histories, strength)
    total, seconds = live_together(first, histories, processes, strength, progress.heard)
    for mark, count in sorted(total.marks.items()):
        print(f"{count:8}  {mark}")
    print(
        f"{total.histories} histories, {total.steps} steps, {total.calls} gateway calls, "
        f"{len(total.marks)} marks; {len(total.broken)} broken; "
        f"{total.histories / seconds:.0f} a second"
    )
    for seed, kind, text in total.broken[:10]:
        print(f"seed {seed} ({kind}): {text[:200]}\n    {how_to_replay(seed, strength)}")
    return 1 if total.broken else 0


class _Progress:
    """Says now and then how far it has come, and at once what has broken."""

    def __init__(self, histories: int, strength: str | None) -> None:
        self._histories = histories
        self._strength = strength
        self._said = 0.0
        self._broken = 0

    def heard(self, tally: Tally, seconds: float) -> None:
        for seed, kind, text in tally.broken[self._broken :]:
            print(f"broken: seed {seed} ({kind}): {text[:300]}", file=sys.stderr)
            print(f"    {how_to_replay(seed, self._strength)}", file=sys.stderr, flush=True)
        self._broken = len(tally.broken)
        if seconds - self._said >= EVERY:
            self._said = seconds
            rate = tally.histories / seconds
            print(
                f"{tally.histories} of {self._histories} histories, {self._broken} broken, "
                f"{rate:.0f} a second",
                flush=True,
            )


def _replay(seed: int, strength: str | None, only: frozenset[int] | None) -> int:
    world = World(seed, strength=strength, only=only)
    failure: Exception | None = None
    try:
        world.run()
    except Exception as error:
        failure = error
    print("\n".join(world.story))
    if only is not None:
        print(f"-- {len(only)} steps: --only {','.join(map(str, sorted(only)))}")
    if failure is not None:
        print(f"seed {seed} ({world.strength}) fails: {type(failure).__name__}: {failure}")
        return 1
    print(f"seed {seed} ({world.strength}) holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
