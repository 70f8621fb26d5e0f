"""``python -m tools.mutants``: every mutant of the money's rules, and whether a test notices."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

import django

from . import survivors
from .grounds import GROUNDS, Ground
from .report import Report
from .sources import Mutant
from .trials import BrokenBeforehandError, Trial, Trials


def main(words: Sequence[str]) -> int:
    """Try them; 1 when too many live, or one of which the list does not speak."""
    # The repeatable profiles of the tests, and not those for a person at a keyboard.
    os.environ.setdefault("CI", "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django_settings")
    django.setup()
    asked = _parser().parse_args(words)
    report = Report(survivors.read())
    until = time.monotonic() + asked.seconds

    def hear(trial: Trial) -> None:
        report.add(trial)
        if asked.verbose:
            noticed_by = trial.noticed_by or "SURVIVED"
            print(f"{trial.seconds:6.2f} s  {noticed_by}  {trial.mutant}", flush=True)

    for ground in GROUNDS:
        mutants, modules = _mutants(ground, asked.module, asked.changed)
        chosen = mutants[:: asked.sample]
        report.choose(chosen, of=mutants, modules=modules if asked.changed is None else set())
        if not chosen:
            continue
        print(f"{ground.name}: {len(chosen)} mutants", flush=True)
        try:
            Trials(ground, chosen, asked.processes, until, hear).run()
        except BrokenBeforehandError as broken:
            print(broken)
            return 2
    return report.print()


def _mutants(
    ground: Ground, words: Sequence[str] | None, since: str | None
) -> tuple[list[Mutant], set[str]]:
    """Those of a ground's modules that were asked for, and which modules these are."""
    sources = [s for s in ground.sources if not words or any(word in s.path for word in words)]
    mutants = [mutant for source in sources for mutant in source.mutants(since)]
    return mutants, {source.path for source in sources}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("--module", action="append", help="only modules with this in their path")
    parser.add_argument(
        "--changed",
        nargs="?",
        const="HEAD",
        metavar="COMMIT",
        help="only functions that differ from what they were then",
    )
    parser.add_argument("--sample", type=int, default=1, metavar="N", help="every Nth mutant")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many")
    parser.add_argument("--processes", type=int, default=1, help="so many mutants at a time")
    parser.add_argument("--verbose", action="store_true", help="tell of each mutant")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
