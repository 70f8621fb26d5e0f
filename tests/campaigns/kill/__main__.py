"""``python -m tests.campaigns.kill --database sqlite --seconds 60 --seed 0``: kill and audit."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

from .children import ask
from .rounds import Outcome, one_round

ROUND_SECONDS = 60.0
TOLD = 20
"""Of each kind of broken promise, so many are printed."""


def main() -> int:
    """Kill for as long as asked; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.kill", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the storm lasts")
    parser.add_argument("--kills", type=int, default=0, help="at least so many of them")
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    parser.add_argument("--mutant", help="break the workers on purpose: see mutants.py")
    parser.add_argument("--log", type=Path, help="file for what the processes wrote")
    parser.add_argument("--folder", type=Path, help="an empty one to work in; it is kept")
    asked = parser.parse_args()
    left, seed, done = asked.seconds, asked.seed, Counter[str]()
    promises = Counter[str]()
    while left > 0 or done["kills"] < asked.kills:
        seconds, kills = min(left, ROUND_SECONDS), asked.kills - done["kills"]
        began = time.monotonic()
        round_ = partial(
            one_round, asked.database, seed, seconds, kills, asked.mutant, asked.folder
        )
        outcome = ask(round_, asked.log or Path("/dev/null"))
        print(f"seed {seed}: {time.monotonic() - began:.1f} s, ", end="")
        promises += _tell(outcome)
        if asked.log:
            asked.log.write_text(outcome.log)
        done += outcome.done
        left, seed = left - seconds, seed + 1
    for what, count in sorted((done + promises).items()):
        print(f"{count:10}  {what}")
    for what in ("doubles", "lost", "broken"):
        if not promises[what]:
            print(f"{0:10}  {what}")
    return 1 if promises.total() else 0


def _tell(outcome: Outcome) -> Counter[str]:
    print(f"drained in {outcome.drained_seconds:.1f} s", flush=True)
    found = {"doubles": outcome.doubles, "lost": outcome.lost, "broken": outcome.broken}
    for what, told in found.items():
        for each in told[:TOLD]:
            print(f"{what}: {each}", file=sys.stderr)
    return Counter({what: len(told) for what, told in found.items()})


if __name__ == "__main__":
    sys.exit(main())
