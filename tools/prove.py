"""Runs the proofs of docs/guarantees.md and says, promise by promise, whether it holds.

``python -m tools.prove`` proves all of them; words after it choose the rows that contain them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "guarantees.md"
_ROW = re.compile(r"^\| (?P<failure>[^|]+) \| (?P<promise>[^|]+) \| (?P<proof>[^|]*::[^|]*) \|$")
_TEST = re.compile(r"`([\w/]+\.py::\w+)`")


@dataclass(frozen=True, slots=True)
class Promise:
    """One row of the page."""

    failure: str
    promise: str
    tests: tuple[str, ...]

    def mentions(self, words: Sequence[str]) -> bool:
        """Whether every word is in it."""
        text = f"{self.failure} {self.promise} {' '.join(self.tests)}".lower()
        return all(word.lower() in text for word in words)


class Outcomes:
    """Listens to pytest: what became of each test."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        self.passed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = report.nodeid.split("[")[0]
        if report.failed:
            self.failed.add(test)
        elif report.when == "call" and report.passed:
            self.passed.add(test)

    def of(self, promise: Promise) -> str:
        """``holds``, ``BROKEN``, or ``not proven`` where a test could not run here."""
        if self.failed.intersection(promise.tests):
            return "BROKEN"
        return "holds" if self.passed.issuperset(promise.tests) else "not proven"


def promises(page: str) -> list[Promise]:
    """The rows of the page that name their proof."""
    rows = (_ROW.match(line) for line in page.splitlines())
    return [
        Promise(row["failure"], row["promise"], tuple(_TEST.findall(row["proof"])))
        for row in rows
        if row is not None
    ]


def main(words: Sequence[str]) -> int:
    """Prove what was chosen; 1 unless all of it holds."""
    chosen = [each for each in promises(PAGE.read_text("utf-8")) if each.mentions(words)]
    if not chosen:
        print(f"no promise mentions {' '.join(words)}")
        return 2
    outcomes = Outcomes()
    tests = sorted({test for promise in chosen for test in promise.tests})
    pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *tests], plugins=[outcomes])
    verdicts = [outcomes.of(promise) for promise in chosen]
    print()
    for verdict, promise in zip(verdicts, chosen, strict=True):
        print(f"{verdict:>10}  {promise.failure}\n{'':>10}  -> {promise.promise}")
    held = verdicts.count("holds")
    print(f"\n{held} of {len(chosen)} promises hold, by {len(tests)} tests")
    return 0 if held == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
