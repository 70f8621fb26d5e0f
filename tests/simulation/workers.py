"""A worker process as the scheduler moves it: what it holds in memory, how it takes errors.

It treats errors of the store as the real worker does: answers that could not be settled are
kept and tried again one by one, for they may be the only copy of "charged".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from omniman_payment_core.engine import Answer, Engine, Work
from omniman_payment_core.plugins.hooks import PaymentHooks
from omniman_payment_core.secrets import Scrubber

from .clocks import SkewedClock
from .stores import Crashed, FrailStore, StoreError

if TYPE_CHECKING:
    from .world import World

_SCRUBBER = Scrubber([])


@dataclass(eq=False)
class SimWorker:
    """An engine, the calls it has to make, the answers it has to settle."""

    name: str
    engine: Engine
    clock: SkewedClock
    works: list[Work] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    kept: list[Answer] = field(default_factory=list)
    """Answers that the store would not take."""

    @property
    def has_sent(self) -> bool:
        """Something of its own may be carried out, and only it could say what came of it."""
        return any(work.request.operation is not None for work in self.works) or any(
            answer.work.request.operation is not None for answer in (*self.answers, *self.kept)
        )


def new_worker(world: World, name: str) -> SimWorker:
    """A process that has just been started."""
    store, clock = FrailStore(world), SkewedClock(world.clock)
    engine = Engine(
        store,
        cast("Any", world.accounts),
        cast("PaymentHooks", world.hearing),
        _SCRUBBER,
        clock=clock,
        new_id=world.new_id,
        rng=world.rng,
        owner=name,
        rules=world.rules,
    )
    worker = SimWorker(name, engine, clock)
    store.worker = worker
    return worker


class Crew:
    """Moves workers one step at a time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def step(self, worker: SimWorker) -> None:
        """One step of a worker's life, which may be its last."""
        self._until_death(worker, self._lives)

    def stop(self, worker: SimWorker) -> None:
        """The process ends in good order: it gives back what it has not begun."""
        self._until_death(worker, self._stops)

    def _until_death(self, worker: SimWorker, lives: Callable[[SimWorker], None]) -> None:
        world = self._world
        world.running = worker
        try:
            lives(worker)
        except Crashed:
            world.tell(f"  {worker.name} is dead")
            world.replace(worker)

    def _lives(self, worker: SimWorker) -> None:
        rng = self._world.rng
        if worker.kept and rng.random() < 0.5:
            answers, worker.kept = worker.kept, []
            self.settle(worker, answers)
        elif worker.answers and (not worker.works or rng.random() < 0.5):
            answers, worker.answers = worker.answers, []
            self.settle(worker, answers)
        elif worker.works:
            self._calls(worker, worker.works.pop(0))
        elif rng.random() < 0.2:
            self._keeps_house(worker)
        else:
            self._claims(worker)

    def _claims(self, worker: SimWorker) -> None:
        try:
            claimed = worker.engine.claim(self._world.rng.choice([1, 2, 5]))
        except StoreError as error:
            self._world.tell(f"  {worker.name} could not claim: {error}")
            if not worker.kept:
                self._stops(worker)
            return
        worker.works.extend(claimed.works)

    def _keeps_house(self, worker: SimWorker) -> None:
        try:
            self._world.inbox.rematch()
            worker.engine.maintain()
        except StoreError:
            self._stops(worker)

    def _calls(self, worker: SimWorker, work: Work) -> None:
        world = self._world
        if world.dies("call:before"):
            raise Crashed
        world.tell(f"  {worker.name} calls")
        hangs = world.rng.random() < world.hang_chance
        answer = worker.engine.perform(work)
        if world.dies("call:after"):
            raise Crashed
        if hangs:
            # It is written off after its budget; what it brings later is settled all the same.
            world.marks["call:hangs"] += 1
            worker.answers.append(worker.engine.overdue(work))
            worker.kept.append(replace(answer, late=True))
        else:
            worker.answers.append(answer)

    def settle(self, worker: SimWorker, answers: list[Answer]) -> None:
        """Settle together; where the store would not, one by one; what is left is kept."""
        world = self._world
        world.tell(f"  {worker.name} settles {len(answers)}")
        try:
            worker.works.extend(worker.engine.settle(answers))
            return
        except StoreError as error:
            world.tell(f"    not together: {error}")
        world.marks["settle:one_by_one"] += 1
        for answer in answers:
            try:
                worker.works.extend(worker.engine.settle([answer]))
            except StoreError:
                self._keep(worker, answer)

    def _keep(self, worker: SimWorker, answer: Answer) -> None:
        engine = worker.engine
        if engine.clock.now() - answer.call.at > engine.limits.lease * 10:
            self._world.marks["answer:given_up"] += 1
            return
        self._world.marks["answer:kept"] += 1
        worker.kept.append(answer)

    def _stops(self, worker: SimWorker) -> None:
        world = self._world
        world.marks["worker:stops"] += 1
        world.tell(f"  {worker.name} stops")
        answers = [*worker.kept, *worker.answers]
        answers += [worker.engine.release(work) for work in worker.works]
        try:
            while answers:
                answers = [worker.engine.release(w) for w in worker.engine.settle(answers)]
        except StoreError:
            world.marks["worker:stops_with_answers"] += 1
        world.replace(worker)

    def drain(self, worker: SimWorker) -> None:
        """Make and settle everything that a worker still holds; nothing fails any more."""
        works, answers = worker.works, [*worker.kept, *worker.answers]
        worker.works, worker.answers, worker.kept = [], [], []
        while works or answers:
            works = worker.engine.settle(answers + [worker.engine.perform(w) for w in works])
            answers = []
