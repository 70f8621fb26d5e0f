"""What became of the mutants, module by module, and whether that is good enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from .sources import Mutant
from .survivors import Key, Survivor, as_entries
from .trials import ENDLESS, Trial

ENOUGH = 0.95
"""The part of the mutants that can be noticed at all which has to be."""


class Report:
    """Collects trials. ``listed`` are the mutants that may live."""

    def __init__(self, listed: Mapping[Key, Survivor]) -> None:
        self._listed = listed
        self._known: set[Key] = set()
        self._modules: set[str] = set()
        self._chosen = 0
        self._trials: list[Trial] = []

    def choose(self, mutants: Sequence[Mutant], *, of: Sequence[Mutant], modules: set[str]) -> None:
        """What is about to be tried, ``of`` all that there are in whole ``modules``."""
        self._chosen += len(mutants)
        self._known |= {mutant.key for mutant in of}
        self._modules |= modules

    def add(self, trial: Trial) -> None:
        self._trials.append(trial)

    def print(self) -> int:
        """The table and what is wrong; 0 if nothing is."""
        survived = [trial for trial in self._trials if not trial.killed]
        new = [trial.mutant for trial in survived if trial.mutant.key not in self._listed]
        if new:
            print(f"\nSurvived, and not listed:\n\n{as_entries(new)}")
        unreached = sum(not trial.reached for trial in survived)
        rate = self._table()
        untried = self._chosen - len(self._trials)
        endless = sum(trial.noticed_by == ENDLESS for trial in self._trials)
        print(f"\n{endless} did not end, {unreached} no test comes by, {untried} were not tried")
        killed = {trial.mutant.key for trial in self._trials if trial.killed}
        gone = self._out_of_date(lambda key: key not in self._known, "is no mutant any more")
        noticed = self._out_of_date(lambda key: key in killed, "is noticed now")
        if rate < ENOUGH:
            print(f"{rate:.1%} of those that can be noticed were; it has to be {ENOUGH:.0%}")
        return 1 if new or gone or noticed or rate < ENOUGH else 0

    def _table(self) -> float:
        lived, equal, all_of = Counter[str](), Counter[str](), Counter[str]()
        for trial in self._trials:
            path = trial.mutant.path
            all_of[path] += 1
            entry = self._listed.get(trial.mutant.key)
            if not trial.killed:
                lived[path] += 1
                equal[path] += entry is not None and entry.equivalent
        print(f"\n{'killed':>8} {'lived':>6} {'equal':>6} {'rate':>7}  module")
        for path in all_of:
            _row(path, all_of[path], lived[path], equal[path])
        return _row("all", all_of.total(), lived.total(), equal.total())

    def _out_of_date(self, wrong: Callable[[Key], bool], what: str) -> bool:
        keys = [key for key in self._listed if key[0] in self._modules and wrong(key)]
        for key in keys:
            print(f"listed, and {what}: {': '.join(key)}")
        return bool(keys)


def _row(name: str, total: int, lived: int, equal: int) -> float:
    """The rate leaves those out that nothing could notice."""
    rate = (total - lived) / max(total - equal, 1) if total else 1.0
    print(f"{total - lived:8} {lived:6} {equal:6} {rate:7.1%}  {name}")
    return rate
