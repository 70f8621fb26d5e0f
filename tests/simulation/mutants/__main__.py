"""``python -m tests.simulation.mutants``: a table of all mutants, and where each was noticed."""

from __future__ import annotations

import argparse
import logging
import sys
import time

import pytest

from .catalogue import MUTANTS
from .hunting import HISTORIES, Survived, hunt


def main() -> int:
    """Hunt; 1 when a mutant survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants")
    parser.add_argument("--only", action="append", help="the name of a mutant")
    parser.add_argument("--histories", type=int, default=HISTORIES, help="at most, after schedules")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    survivors, began = 0, time.perf_counter()
    for mutant in MUTANTS:
        if asked.only and mutant.name not in asked.only:
            continue
        with pytest.MonkeyPatch.context() as patch:
            mutant.undo(patch)
            try:
                death = hunt(mutant, asked.histories)
            except Survived as survived:
                survivors += 1
                print(f"{mutant.name:38}  SURVIVED  {survived}", flush=True)
            else:
                print(f"{mutant.name:38}  {death.invariant:24}  {death.where}", flush=True)
    print(f"{survivors} survived, {time.perf_counter() - began:.1f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
