"""``python -m tests.campaigns.network``: spoil as many calls as are asked for, at random moments.

Prints the seed; the same seed spoils the same calls in the same places.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
from collections import Counter
from contextlib import ExitStack

from .exchanges import play
from .proxy import POSITIONS, TOXICS, Spoiling
from .sides import efi_side, stripe_side


def main() -> int:
    """Spoil; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.network", description=__doc__)
    parser.add_argument("--rounds", type=int, default=500, help="how many calls")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    rng, met = random.Random(asked.seed), Counter[str]()
    with ExitStack() as stack:
        sides = [stack.enter_context(stripe_side()), stack.enter_context(efi_side())]
        for number in range(asked.rounds):
            side = rng.choice(sides)
            operation = rng.choice(sorted(side.operations))
            toxic, position = rng.choice(TOXICS), rng.choice(POSITIONS)
            # What is left of a message has to be enough to take longer than the call may.
            share = rng.random() * (0.5 if toxic == "bandwidth" else 1)
            spoiling = Spoiling(toxic, position, side.requests.get(operation, ""), share)
            try:
                play(side, operation, spoiling, short=rng.uniform(0.1, 0.5))
            except AssertionError as broken:
                where = f"seed {asked.seed}, round {number}: {side.name} {operation} {spoiling}"
                print(f"{where}: {broken}", file=sys.stderr)
                return 1
            met[f"{side.name} {spoiling.position} {spoiling.toxic}"] += 1
    for name, times in sorted(met.items()):
        print(f"{times:7}  {name}")
    print(f"{met.total()} spoiled calls, every one sorted exactly and carried out once")
    return 0


if __name__ == "__main__":
    sys.exit(main())
