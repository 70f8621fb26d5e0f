"""``python -m tests.simulation``: replay one seed with its story, or live through many."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter

from .gateways import STRENGTHS
from .world import World


def main() -> int:
    """Run; 1 when a history broke an invariant."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one and tell its story")
    parser.add_argument("--histories", type=int, default=2000, help="how many seeds to try")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--strength", choices=STRENGTHS, help="only this kind of gateway")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if asked.seed is not None:
        return _replay(asked.seed, asked.strength)
    marks: Counter[str] = Counter()
    broken, began = 0, time.perf_counter()
    for seed in range(asked.first, asked.first + asked.histories):
        world = World(seed, strength=asked.strength, marks=marks)
        try:
            world.run()
        except Exception as error:
            broken += 1
            print(f"seed {seed} ({world.strength}): {str(error)[:200]}", file=sys.stderr)
    rate = asked.histories / (time.perf_counter() - began)
    for mark, count in sorted(marks.items()):
        print(f"{count:8}  {mark}")
    print(f"{asked.histories} histories, {broken} broken, {rate:.0f} a second")
    return 1 if broken else 0


def _replay(seed: int, strength: str | None) -> int:
    world = World(seed, strength=strength)
    try:
        world.run()
    except Exception as error:
        print("\n".join(world.story))
        print(f"seed {seed} ({world.strength}) fails: {error}")
        return 1
    print("\n".join(world.story))
    print(f"seed {seed} ({world.strength}) holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
