"""Runs a ground's tests once as they are, then against each mutant in a process of its own.

The process is a copy of this one, with everything imported: it becomes the mutant, runs the
tests that come by the changed lines, those that noticed a neighbour first, and ends at the
first that fails. A test that takes far longer than it should has noticed as well.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from .grounds import Ground
from .living import Living
from .sources import TABLES, Mutant, Source

SURVIVED = ""
ENDLESS = "it did not end"
"""What is said of a mutant in place of the test that noticed it."""

_MOST_CPU = 5.0
_MOST_WALL = 120.0


@dataclass(frozen=True)
class Trial:
    """What became of a mutant."""

    mutant: Mutant
    noticed_by: str
    reached: bool
    seconds: float

    @property
    def killed(self) -> bool:
        return self.noticed_by != SURVIVED


class BrokenBeforehandError(Exception):
    """The tests fail without any mutant, so that nothing can be learned from them."""


class Trials:
    """A plugin of pytest that takes over once the tests are collected."""

    def __init__(
        self,
        ground: Ground,
        mutants: Sequence[Mutant],
        processes: int,
        until: float,
        hear: Callable[[Trial], None],
    ) -> None:
        self._ground, self._mutants = ground, mutants
        self._processes, self._until, self._hear = processes, until, hear
        self.failure: str | None = None

    def run(self) -> None:
        """All of it; ``hear`` is told of each mutant as soon as something is known."""
        plain = ["no:cacheprovider", "no:xdist"]
        quiet = [word for name in plain for word in ("-p", name)]
        # A test's own time limit would be in the way of ours.
        overrides = ["-o", "timeout=0", "-o", "tmp_path_retention_policy=none"]
        # Plugins were imported by us already, or by the ground before this one.
        warnings = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        said = pytest.main([*quiet, *overrides, *warnings, *self._ground.tests], plugins=[self])
        if said is not pytest.ExitCode.OK and self.failure is None:
            self.failure = f"pytest ended with {said!r}"
        if self.failure is not None:
            raise BrokenBeforehandError(self.failure)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.unregister(name="terminalreporter")

    def pytest_sessionstart(self) -> None:
        # The same examples each time, and no search for the smallest that fails.
        settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        left_out = self._ground.left_out
        items[:] = [item for item in items if not any(part in item.nodeid for part in left_out)]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failure = f"{report.nodeid}: {report.longreprtext}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if self.failure is None and session.items:
            self._try_all(session.items)
        return True

    def _try_all(self, items: list[pytest.Item]) -> None:
        living = Living(self._ground.sources)
        tests = []
        for number, item in enumerate(items):
            test, wrong = _as_it_is(item, items[(number + 1) % len(items)], living.files)
            if wrong:
                self.failure = f"{item.nodeid} fails without a mutant:\n{wrong}"
                return
            tests.append(test)
        # Copies of this process would otherwise copy all of its memory at their first collection.
        gc.collect()
        gc.freeze()
        order = _Order(tests)
        at_work: dict[int, _Child] = {}
        for mutant in self._mutants:
            if time.monotonic() > self._until:
                break
            chosen = order.of(mutant)
            if not chosen:
                self._hear(Trial(mutant, SURVIVED, False, 0.0))
                continue
            while len(at_work) >= self._processes:
                self._end_one(at_work, order)
            child = _Child(mutant, living, chosen)
            at_work[child.pid] = child
        while at_work:
            self._end_one(at_work, order)

    def _end_one(self, at_work: dict[int, _Child], order: _Order) -> None:
        pid, status = os.wait()
        child = at_work.pop(pid, None)
        if child is None:
            return
        trial = child.ended(status)
        if trial.killed:
            order.learn(trial)
        self._hear(trial)


@dataclass(frozen=True)
class _Test:
    """A test, where it comes by, and how long it takes when nothing is wrong."""

    item: pytest.Item
    lines: frozenset[tuple[str, int]]
    seconds: float


def _as_it_is(
    item: pytest.Item, following: pytest.Item, files: dict[str, str]
) -> tuple[_Test, str]:
    """Run a test without a mutant; what went wrong, if anything did."""
    lines: set[tuple[str, int]] = set()

    def local(frame: FrameType, event: str, argument: object) -> Any:
        lines.add((files[frame.f_code.co_filename], frame.f_lineno))
        return local

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        return local if frame.f_code.co_filename in files else None

    began = time.process_time()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        wrong = _run(item, following)
    finally:
        sys.settrace(None)
        threading.settrace(None)
    return _Test(item, frozenset(lines), time.process_time() - began), wrong


def _run(item: pytest.Item, following: pytest.Item) -> str:
    reports = runtestprotocol(item, log=False, nextitem=following)
    return "\n".join(report.longreprtext for report in reports if report.failed)


class _Order:
    """Which tests are run against a mutant: the likeliest to notice first, then the fastest."""

    def __init__(self, tests: list[_Test]) -> None:
        self._tests = sorted(tests, key=lambda test: test.seconds)
        self._by_line: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._by_file: dict[str, list[int]] = defaultdict(list)
        for number, test in enumerate(self._tests):
            for path, line in test.lines:
                self._by_line[path, line].append(number)
            for path in {path for path, _ in test.lines}:
                self._by_file[path].append(number)
        self._names = {test.item.nodeid: number for number, test in enumerate(self._tests)}
        self._noticed: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)

    def of(self, mutant: Mutant) -> list[_Test]:
        if mutant.function == TABLES:
            # A table is used where it is read: in its module, or where it was imported.
            tables = Source(mutant.path).tables
            numbers = set(self._by_file[mutant.path]).union(
                number
                for number, test in enumerate(self._tests)
                if tables.intersection(vars(getattr(test.item, "module", None) or object))
            )
        else:
            lines = mutant.change.lines
            numbers = {n for line in lines for n in self._by_line[mutant.path, line]}
        noticed = self._noticed[mutant.path, mutant.function]
        return [self._tests[n] for n in sorted(numbers, key=lambda n: (-noticed[n], n))]

    def learn(self, trial: Trial) -> None:
        number = self._names.get(trial.noticed_by)
        if number is not None:
            self._noticed[trial.mutant.path, trial.mutant.function][number] += 1


class _Child:
    """The process that is a mutant."""

    def __init__(self, mutant: Mutant, living: Living, tests: list[_Test]) -> None:
        self._mutant, self._began = mutant, time.monotonic()
        self._reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._reader)
                living.become(mutant)
                for name in _noticing(tests):
                    os.write(writer, name.encode())
                    break
            except BaseException as error:
                os.write(writer, f"died of itself: {error!r}"[:2000].encode())
            finally:
                os._exit(0)
        os.close(writer)

    def ended(self, status: int) -> Trial:
        with os.fdopen(self._reader, "rb") as pipe:
            noticed_by = pipe.read().decode() or SURVIVED
        if os.WIFSIGNALED(status):
            noticed_by = ENDLESS
        return Trial(self._mutant, noticed_by, True, time.monotonic() - self._began)


def _noticing(tests: list[_Test]) -> Iterator[str]:
    """The tests that fail, as soon as one does."""
    for number, test in enumerate(tests):
        # By the processor's clock, which does not run faster on a machine with much to do.
        signal.setitimer(signal.ITIMER_PROF, _MOST_CPU + 5 * test.seconds)
        signal.setitimer(signal.ITIMER_REAL, _MOST_WALL)
        following = tests[(number + 1) % len(tests)].item
        if _run(test.item, following):
            yield test.item.nodeid
