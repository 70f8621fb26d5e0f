"""A worker: one thread talks to the store, a bounded pool of others talks to gateways.

A call that hangs costs its slot, not the worker: after the call budget its outcome is
unknown and a new slot takes over. A late answer is settled all the same, for its facts.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .engine import Answer, Engine, Work

log = logging.getLogger("omniman_payment.worker")

SLOTS = 8
BATCH = 200
"""Only a gateway that answers at once lets so many be claimed; see :meth:`Worker._capacity`."""


class WorkerExhaustedError(RuntimeError):
    """Too many calls hang to go on; end the process and let its supervisor start a new one."""


@dataclass(slots=True, eq=False)
class _Slot:
    """One thread of the pool. ``work`` is what it is busy with, since ``started``."""

    work: Work | None = None
    started: float = 0.0
    lost: bool = False
    thread: threading.Thread | None = field(default=None, repr=False)


@dataclass(slots=True, eq=False)
class _Kept:
    """An answer that the store would not take: tried again, later each time."""

    answer: Answer
    tries: int = 0
    due: float = 0.0


class Worker:
    """Drives an engine. ``slots`` calls are in flight at most; ``batch`` caps a transaction."""

    def __init__(
        self,
        engine: Engine,
        *,
        slots: int = SLOTS,
        batch: int = BATCH,
        idle: float = 0.5,
        maintain_every: float = 5.0,
        housekeeping: Callable[[], object] | None = None,
    ) -> None:
        self.engine = engine
        self.slots = slots
        self.batch = batch
        self.idle = idle
        self.maintain_every = maintain_every
        self._housekeeping = housekeeping
        self._todo: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[_Slot, Answer]] = queue.SimpleQueue()
        self._pool: list[_Slot] = []
        self._lost = 0
        self._in_flight = 0
        self._kept: list[_Kept] = []
        self._seconds_a_call = 0.0
        self._maintained = float("-inf")

    # -- running ---------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; then finish what is in flight and give back the rest."""
        try:
            while not stop.is_set():
                busy = self._cycle(stop)
                if not busy:
                    stop.wait(self.idle)
        finally:
            self._finish()

    def run_until_idle(self) -> None:
        """Work until nothing is due any more."""
        try:
            never = threading.Event()
            while self._cycle(never):
                pass
        finally:
            self._finish()

    def _cycle(self, stop: threading.Event) -> bool:
        """One round: wait a little, settle, keep house, claim. Says whether there was work."""
        settled = self._settle(self._gather())
        if stop.is_set():
            return True
        armed = self._keep_house()
        claimed = self._claim()
        return bool(settled or armed or claimed or self._in_flight)

    def _claim(self) -> int:
        room = min(self.batch, self._capacity() - self._in_flight)
        if room <= 0:
            return 0
        if self._lost >= self.slots:
            raise WorkerExhaustedError(f"{self._lost} gateway calls hang")
        try:
            claimed = self.engine.claim(room)
        except Exception:
            if not self._kept:
                raise
            log.exception("the store is not there; %d answers are kept for it", len(self._kept))
            return 0
        self._submit(claimed.works)
        return claimed.taken

    def _capacity(self) -> int:
        """Calls to hold at once: one for each slot, and what these do in a quarter second.

        The second part keeps the slots busy while this thread talks to the store. It is a
        batch at most: what waits here is nobody else's until its lease ends.
        """
        if self._seconds_a_call <= 0:
            return self.slots
        return self.slots + min(self.batch, int(self.slots * 0.25 / self._seconds_a_call))

    def _submit(self, works: list[Work]) -> None:
        self._in_flight += len(works)
        while len(self._pool) < min(self.slots, self._in_flight):
            self._start_slot()
        for work in works:
            self._todo.put(work)

    def _keep_house(self) -> int:
        if time.monotonic() - self._maintained < self.maintain_every:
            return 0
        self._maintained = time.monotonic()
        if self._housekeeping is not None:
            self._housekeeping()
        return self.engine.maintain()

    # -- answers ---------------------------------------------------------------------------

    def _gather(self, patience: float = 0.002) -> list[Answer]:
        """Wait for an answer, then a moment more: what comes together is committed together."""
        answers: list[Answer] = []
        deadline: float | None = None
        while len(answers) < self.batch * 4:
            waiting = self._in_flight > len(answers)
            if not waiting and not self._lost:
                break
            timeout = self.idle if deadline is None else deadline - time.monotonic()
            try:
                slot, answer = self._done.get(timeout=max(timeout, 0.0) if waiting else 0.0)
            except queue.Empty:
                break
            # A slot that was written off has been answered for; this is its late fact.
            if slot.lost:
                self._kept.append(_Kept(replace(answer, late=True)))
            else:
                answers.append(answer)
            if deadline is None:
                deadline = time.monotonic() + patience
        answers.extend(self._overdue())
        self._in_flight -= len(answers)
        for answer in answers:
            self._learn(answer.call.duration_us / 1_000_000)
        return answers

    def _learn(self, seconds: float) -> None:
        weight = 0.2
        self._seconds_a_call += weight * (max(seconds, 1e-6) - self._seconds_a_call)

    def _overdue(self) -> list[Answer]:
        """Calls beyond their budget: unknown from here on, their slots written off."""
        budget = self.engine.limits.call_budget.total_seconds()
        answers = []
        for slot in list(self._pool):
            work = slot.work
            if work is None or time.monotonic() - slot.started < budget:
                continue
            slot.lost = True
            self._pool.remove(slot)
            self._lost += 1
            log.error(
                "a call of %s() by account %s does not return", work.request.method,
                work.request.account,
            )  # fmt: skip
            answers.append(self.engine.overdue(work))
        return answers

    def _settle(self, answers: list[Answer]) -> int:
        """Settle together; what the store does not take is kept, and holds up nobody else."""
        now = time.monotonic()
        waiting = [kept for kept in self._kept if kept.due > now]
        batch = [kept for kept in self._kept if kept.due <= now] + [_Kept(a) for a in answers]
        self._kept = waiting
        if not batch:
            return 0
        try:
            self._submit(self.engine.settle([kept.answer for kept in batch]))
            return len(batch)
        except Exception:
            log.exception("could not settle %d answers together", len(batch))
        settled = 0
        for kept in batch:
            try:
                self._submit(self.engine.settle([kept.answer]))
                settled += 1
            except Exception:
                self._keep(kept)
        return settled

    def _keep(self, kept: _Kept) -> None:
        """Try again later, until the lease is long over and a look will tell the same."""
        call = kept.answer.call
        if self.engine.clock.now() - call.at > self.engine.limits.lease * 10:
            log.critical(
                "gave up settling operation %s (%s); it will be looked up again",
                call.operation_key,
                call.outcome,
            )
            return
        kept.tries += 1
        kept.due = time.monotonic() + min(self.idle * 2**kept.tries, 30.0)
        self._kept.append(kept)

    # -- the pool --------------------------------------------------------------------------

    def _start_slot(self) -> None:
        slot = _Slot()
        slot.thread = threading.Thread(
            target=self._serve, args=(slot,), daemon=True, name="omniman-payment-call"
        )
        self._pool.append(slot)
        slot.thread.start()

    def _serve(self, slot: _Slot) -> None:
        process = os.getpid()
        while not slot.lost:
            work = self._todo.get()
            if work is None:
                return
            slot.started, slot.work = time.monotonic(), work
            answer = self.engine.perform(work)
            if os.getpid() != process:
                # A plugin has forked, and this is the copy: the calls that wait are not its own.
                os._exit(1)
            slot.work = None
            self._done.put((slot, answer))

    def _finish(self) -> None:
        """Give back what was not begun, wait for what was, settle all of it, end the threads."""
        given_back = []
        while True:
            try:
                work = self._todo.get_nowait()
            except queue.Empty:
                break
            if work is not None:
                given_back.append(self.engine.release(work))
        self._in_flight -= len(given_back)
        self._last_settle(given_back)
        quiet = 0
        while self._in_flight > 0 and quiet < 2:
            answers = self._gather()
            busy = answers or any(slot.work is not None for slot in self._pool)
            quiet = 0 if busy else quiet + 1
            self._last_settle(answers)
        # An interrupt may have taken an answer with it: the end of its lease brings it back.
        self._in_flight = 0
        if self._kept:
            self._last_settle([])
        for _ in self._pool:
            self._todo.put(None)
        for slot in self._pool:
            if slot.thread is not None:
                slot.thread.join(timeout=1.0)
        self._pool.clear()

    def _last_settle(self, answers: list[Answer]) -> None:
        """Settle without starting what would follow: it goes back to the store instead."""
        answers, self._kept = [kept.answer for kept in self._kept] + answers, []
        while answers:
            try:
                follow = self.engine.settle(answers)
            except Exception:
                log.exception("could not settle %d answers while stopping", len(answers))
                return
            answers = [self.engine.release(work) for work in follow]
