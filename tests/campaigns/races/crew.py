"""Eight processes and the starting gun: who does which deed, and how often they really met."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import Any

from tests.campaigns.kill.children import die_with_parent

PROCESSES = 8
PATIENCE_SECONDS = 120.0
WORKERS = 2
"""So many only work; the others have something to ask first."""
AT_ONE_SHOT = 10
"""Orders between two barriers: short enough that nobody is far ahead of the others."""


@dataclass(slots=True)
class Report:
    """What a process did and found."""

    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """``orders`` in each of ``batches``, for each life by its code."""

    batches: int
    orders: int
    lives: Sequence[str]
    mutant: str | None = None


class Ground:
    """What the processes share: a barrier, how far each is, and when each was at an order."""

    def __init__(self, orders: int, processes: int = PROCESSES) -> None:
        context = multiprocessing.get_context("fork")
        self.processes = processes
        self._barrier = context.Barrier(processes)
        self._shots = context.RawArray("l", processes)
        self._times = context.RawArray("d", processes * orders * 2)
        self._orders = orders

    def together(self) -> None:
        """Wait for everybody; raises when one of them has given up."""
        self._barrier.wait(PATIENCE_SECONDS)

    def give_up(self) -> None:
        self._barrier.abort()

    def has_shot(self, number: int) -> None:
        self._shots[number] += 1

    def all_have_shot(self, times: int) -> bool:
        return min(self._shots) >= times

    def note(self, number: int, position: int, began: float, ended: float) -> None:
        """A process was at the order with this position from then to then."""
        place = (number * self._orders + position) * 2
        self._times[place : place + 2] = [began, ended]

    def met(self, position: int) -> bool:
        """Whether two processes were at this order at the same time."""
        spans = sorted(span for span in self._spans(position) if span[1])
        return any(later[0] < earlier[1] for earlier, later in pairwise(spans))

    def forget(self, number: int) -> None:
        start = number * self._orders * 2
        self._times[start : start + self._orders * 2] = [0.0] * (self._orders * 2)

    def _spans(self, position: int) -> Iterator[tuple[float, float]]:
        for number in range(self.processes):
            place = (number * self._orders + position) * 2
            yield self._times[place], self._times[place + 1]


class Racer:
    """One of the processes, from its fork to its report."""

    def __init__(self, number: int, ground: Ground, plan: Plan) -> None:
        # Only in a process of its own may a connection be opened.
        from .desk import Desk

        self._number = number
        self._ground = ground
        self._plan = plan
        self._desk = Desk(number)
        self._shots = 0
        self.report = Report()
        _count_reruns(self.report)

    def run(self) -> None:
        """Every batch of every life."""
        from .books import wrong_at_the_gateway
        from .lives import LIVES

        for batch in range(self._plan.batches):
            began = datetime.now(UTC)
            for code in self._plan.lives:
                life = LIVES[code]
                refs = [f"{code}-{batch}-{n}" for n in range(self._plan.orders)]
                self._open_sessions(life.channel, self._share(refs))
                for race in life.races:
                    self._race(life, race, refs, batch)
            if self._number == batch % self._ground.processes:
                self._audit(began)
        if self._number == 0:
            self.report.wrong += wrong_at_the_gateway(self._desk.gateway)

    def _share(self, refs: Sequence[str]) -> Sequence[str]:
        return refs[self._number :: self._ground.processes]

    def _open_sessions(self, channel: str, refs: Sequence[str]) -> None:
        from omniman_payment_django.models import Channel, Session

        from .desk import TOTAL_Q

        found = Channel.objects.get(code=channel)
        items = [{"sku": "tea", "qty": 1, "price_q": TOTAL_Q}]
        Session.objects.bulk_create(Session(key=ref, channel=found, items=items) for ref in refs)

    def _race(self, life: Any, race: Any, refs: Sequence[str], batch: int) -> None:
        from .books import books_of

        ground = self._ground
        mine = self._share(refs)
        race.before(self._desk, mine)
        ground.forget(self._number)
        ground.together()
        self._desk.look(refs)
        deeds = self._deeds(race, batch)
        for start in range(0, len(refs), AT_ONE_SHOT):
            self._shoot(race, deeds, refs, start)
        ground.together()
        while self._desk.work():
            pass
        ground.together()
        for books in books_of(mine, self._desk.gateway):
            wrong = list(books.wrong(asked_once=life.asked_once))
            for what, is_now, due in race.ends(books):
                if is_now != due:
                    wrong.append(f"{what}: {is_now} instead of {due}")
            self.report.wrong += [f"{books.ref}, {race.name}: {each}" for each in wrong]
        if self._number == 0:
            self.report.done[f"rounds of {race.name}"] += len(refs)
            self.report.done["rounds"] += len(refs)
            self.report.done["rounds in which processes met"] += sum(
                ground.met(position) for position in range(len(refs))
            )
        ground.together()

    def _deeds(self, race: Any, batch: int) -> list[Callable[..., object]]:
        """Everybody gets another one in each batch."""
        seats = max(1, self._ground.processes - WORKERS)
        seat = (self._number + batch) % self._ground.processes
        return [deed for place, deed in enumerate(race.deeds) if place % seats == seat]

    def _shoot(
        self, race: Any, deeds: Sequence[Callable[..., object]], refs: Sequence[str], start: int
    ) -> None:
        """Some orders one after the other; who is done works until everybody is."""
        ground = self._ground
        ground.together()
        for position in range(start, min(start + AT_ONE_SHOT, len(refs))):
            if deeds:
                began = time.monotonic()
                for deed in deeds:
                    self._do(race, deed, refs[position])
                ground.note(self._number, position, began, time.monotonic())
        self._shots += 1
        ground.has_shot(self._number)
        while not ground.all_have_shot(self._shots):
            if not self._desk.work():
                time.sleep(0.004)

    def _do(self, race: Any, deed: Callable[..., object], ref: str) -> None:
        from .refusals import REFUSALS

        self.report.done["deeds"] += 1
        try:
            deed(self._desk, ref)
        except REFUSALS:
            self.report.done["deeds refused"] += 1
        except Exception:
            self.report.wrong.append(f"{ref}, {race.name}: {traceback.format_exc()}")

    def _audit(self, since: datetime) -> None:
        """What the operator would be told, however impatient they are."""
        from django.utils import timezone

        from omniman_payment_django.auditing import PATIENCE, Audit

        audit = Audit(since=since, now=lambda: timezone.now() + PATIENCE)
        self.report.wrong += [f"audit: {breach}" for breach in audit.run()]


class _Reruns(logging.Handler):
    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg.startswith("transaction "):
            self._report.done["transactions run again"] += 1


def _count_reruns(report: Report) -> None:
    store = logging.getLogger("omniman_payment.store")
    store.addHandler(_Reruns(report))
    store.setLevel(logging.INFO)
    store.propagate = False


def race(plan: Plan, processes: int = PROCESSES) -> Report:
    """Fork the processes, let them race, and gather what they report."""
    context = multiprocessing.get_context("fork")
    ground = Ground(plan.orders, processes)
    ears, children = [], []
    for number in range(processes):
        ear, mouth = context.Pipe(duplex=False)
        child = context.Process(target=_run, args=(number, ground, plan, mouth), daemon=True)
        child.start()
        mouth.close()
        ears.append(ear)
        children.append(child)
    whole = Report()
    for ear in ears:
        try:
            report: Report = ear.recv()
        except EOFError:
            whole.wrong.append("a process ended without a report")
            ground.give_up()
            continue
        whole.done += report.done
        whole.wrong += report.wrong
    for child in children:
        child.join()
    return whole


def _run(number: int, ground: Ground, plan: Plan, mouth: Connection) -> None:
    die_with_parent()
    if plan.mutant is not None:
        from .mutants import MUTANTS

        MUTANTS[plan.mutant]()
    report = Report()
    try:
        racer = Racer(number, ground, plan)
        report = racer.report
        racer.run()
    except BaseException:
        report.wrong.append(f"process {number} gave up: {traceback.format_exc()}")
        ground.give_up()
    mouth.send(report)
    mouth.close()
    os._exit(0)
