"""One simulated history: shop, payer, gateways and workers under a single seeded scheduler.

Every commit and every gateway call is a step at which a worker may die; a worker that is
not scheduled while the clock moves is one that was paused past its lease. The same seed
lives through the same history, step by step; each step has a seed of its own, so that a
history can be lived through with some of its steps left out.

The store's clock is the world's: leases, windows and schedules go by it. Workers' and
gateways' clocks differ from it, and a worker's may jump by more than a day.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Container
from datetime import datetime, timedelta
from typing import Any

from omniman_payment_core.decisions import Rules, sync_of
from omniman_payment_core.engine import Engine
from omniman_payment_core.notices import GatewayCall
from omniman_payment_core.records import DirectiveStatus, NewDirective, Payment
from omniman_payment_core.testing import ManualClock, MemoryStore

from .accounts import Accounts
from .gateways import STRENGTHS
from .hearing import Hearing
from .inbox import Inbox
from .invariants import check_always, check_at_rest
from .machines import machines_fail
from .people import Operator, Payer, Shop, gateway_acts
from .stores import FAULTS as STORE_FAULTS
from .stores import Crashed, StoreError
from .violations import Violation
from .workers import Crew, SimWorker, new_worker

__all__ = ["Crashed", "SimWorker", "World"]

ROUTINE = (4, 4, 4, 14)
"""So many looks in a row that brought nothing: a payment that rests, and is looked at for ever.

Most histories are left earlier: what comes late is waited for by the rest of them.
"""
STEPS = 40
ROUNDS = 1500
"""A directive gives up after most of a day, while others look every five minutes."""
_SOON = timedelta(hours=1)


class World:
    """Everything there is in one history.

    :param crash_steps: where workers die, in place of chance.
    :param trouble: how likely a call is to meet a fault.
    :param only: the numbers of the steps to live through; all of them when left out.
    """

    def __init__(
        self,
        seed: int,
        *,
        strength: str | None = None,
        crash_steps: frozenset[int] | None = None,
        trouble: float | None = None,
        rules: Rules | None = None,
        marks: Counter[str] | None = None,
        only: Container[int] | None = None,
    ) -> None:
        self.seed = seed
        self.rng = rng = random.Random(seed)
        self.rng_for_checks = random.Random(seed + 3)
        self.marks = Counter[str]() if marks is None else marks
        # Most of what waits is woken; looking again by itself is for the rest of the histories.
        often = crash_steps is not None or rng.random() < 0.25
        self.rules = rules or (Rules() if often else Rules(wait_poll=timedelta(hours=2)))
        self.story: list[str] = []
        self.steps = 0
        self.healed = False
        self.in_transaction = False
        self.calling: GatewayCall | None = None
        self.running: SimWorker | None = None
        self.broken: list[Violation] = []
        """What was found where nobody could hear it, to be raised after the step."""
        self.refs: list[str] = []
        self._only = only
        self._ids = 0
        self._crash_steps = crash_steps
        calm = crash_steps is not None
        self.strength = strength or rng.choice(list(STRENGTHS))
        strengths = [self.strength]
        if strength is None and not calm and rng.random() < 0.4:
            strengths.append(rng.choice(list(STRENGTHS)))
        self._crash_chance = 0.0 if calm else rng.choice([0.0, 0.02, 0.08])
        self._store_trouble = 0.0 if calm else rng.choice([0.0, 0.0, 0.03, 0.1])
        self.hang_chance = 0.0 if calm else rng.choice([0.0, 0.0, 0.05])
        weather = trouble if trouble is not None else rng.choice([0.0, 0.25, 0.5])
        self.lag = timedelta() if calm else timedelta(minutes=rng.choice([0, 4]))
        self._patience = ROUTINE[-1] if calm else rng.choice(ROUTINE)
        self._store_gone_until: datetime | None = None
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)
        self.accounts = Accounts(self, strengths)
        for one in self.accounts.all:
            one.wire.trouble = weather
            if not calm:
                one.clock.skew = timedelta(seconds=rng.choice([0, 0, -20, 20]))
        first = self.accounts.all[0]
        self.account, self.gateway, self.wire = first.account, first.gateway, first.wire
        self.hearing = Hearing(self)
        self.inbox = Inbox(self)
        self.shop, self.payers, self.operator = Shop(self), Payer(self), Operator(self)
        self.crew = Crew(self)
        self.workers = [self._new_worker(n) for n in range(rng.choice([1, 2, 2, 3]))]
        self.seen: Any = None
        """What the last check saw; the checker's own."""

    # -- looking things up -----------------------------------------------------------------

    def payments_of(self, ref: str) -> list[Payment]:
        return [p for p in self.store.payments.values() if p.order_ref == ref]

    def payment_of(self, transaction_id: str) -> Payment | None:
        for payment in self.store.payments.values():
            if payment.transaction_id == transaction_id:
                return payment
        return None

    def new_id(self) -> str:
        self._ids += 1
        return f"p{self.seed:x}-{self._ids}"

    def tell(self, line: str) -> None:
        self.story.append(line)

    # -- chance ----------------------------------------------------------------------------

    def dies(self, where: str) -> bool:
        """Whether the running worker dies at this step; every step is numbered.

        Ten times as likely while something it has sent may be carried out.
        """
        self.steps += 1
        if self._crash_steps is not None:
            dead = self.steps in self._crash_steps
        else:
            chance = self._crash_chance
            if not chance:
                return False
            risky = self.running is not None and self.running.has_sent
            dead = self.rng.random() < (min(10 * chance, 0.25) if risky else chance)
            if dead and risky:
                self.marks["crash:while_sent"] += 1
        if dead:
            self.marks[f"crash:{where}"] += 1
            self.tell(f"    crash: {where}")
        return dead

    def the_store_goes(self, duration: timedelta) -> None:
        """Nobody reaches it for a while."""
        self._store_gone_until = self.clock.now() + duration

    def store_answers(self) -> None:
        """Raise if there is no store at this time."""
        if self._store_gone_until is not None and self.clock.now() < self._store_gone_until:
            self.marks["store:gone"] += 1
            raise StoreError("the store is not there")

    def fault_of_the_store(self, name: str) -> str | None:
        """What goes wrong with this transaction."""
        if not self._store_trouble or self.rng.random() >= self._store_trouble:
            return None
        fault = self.rng.choice(STORE_FAULTS)
        self.marks[f"store:{fault}:{name}"] += 1
        self.tell(f"    store, {name}: {fault}")
        return fault

    def committed(self, name: str, answer: Any) -> None:
        """A transaction was committed, whether its worker hears of it or not."""
        if name in ("claim", "settle"):
            for written in answer:
                if written.changes.move is not None:
                    self.hearing.committed(written.changes.move)

    # -- acts ------------------------------------------------------------------------------

    def enqueue(self, topic: str, ref: str, payload: dict[str, Any], key: str = "") -> None:
        self.tell(f"enqueue {topic} {ref} {payload.get('amount_q', '')} {key}")
        self.store.enqueue([NewDirective(topic, ref, payload, key or None)])

    def knock(self, transaction_id: str) -> None:
        """A notification about a transaction is sent."""
        for one in self.accounts.all:
            if one.gateway.transaction(transaction_id) is not None:
                self.inbox.send(one, transaction_id)

    def time_passes(self) -> None:
        seconds = self.rng.choice([1, 5, 30, 100, 100, 700, 3700, 90_000])
        self._pass_until(self.clock.now() + timedelta(seconds=seconds))
        self.marks[f"time:{seconds}"] += 1
        if any(worker.works for worker in self.workers) and seconds >= 100:
            self.marks["worker:paused_past_lease"] += 1

    def _pass_until(self, end: datetime) -> None:
        self.tell(f"  {(end - self.clock.now()).total_seconds():.0f} s pass")
        while (due := self._next_arrival()) is not None and due <= end:
            # A late request arrives when it is due, however large the step of the clock.
            self.clock.advance(max(due - self.clock.now(), timedelta()))
            for one in self.accounts.all:
                one.gateway.deliver_late(due_only=True)
        self.clock.advance(end - self.clock.now())

    def _next_arrival(self) -> datetime | None:
        dues = [late.due - one.clock.skew for one in self.accounts.all for late in one.gateway.late]
        return min(dues, default=None)

    # -- workers ---------------------------------------------------------------------------

    def _new_worker(self, number: int) -> SimWorker:
        return new_worker(self, f"worker-{number}-{self.steps}")

    def replace(self, worker: SimWorker) -> None:
        """Another process in place of one that ended."""
        self.workers[self.workers.index(worker)] = self._new_worker(self.steps)

    def work(self, worker: SimWorker) -> None:
        """One step of a worker's life."""
        self.crew.step(worker)

    # -- a whole history -------------------------------------------------------------------

    def run(self, steps: int = STEPS, orders: int | None = None) -> None:
        """Live through a history, checked after every step, then heal and check the rest."""
        for _ in range(orders or self.rng.choice([1, 1, 2, 3])):
            self.shop.takes_an_order()
        for number in range(steps):
            if self._only is not None and number not in self._only:
                continue
            self.rng.seed(self.seed * 1_000_003 + number)
            self.step()
            check_always(self)
        self.rng.seed(self.seed * 1_000_003 - 1)
        self.heal()
        check_at_rest(self)

    def step(self) -> None:
        chance = self.rng.random()
        self.accounts.settle()
        self.inbox.deliver()
        if chance < 0.66:
            self._someone_works()
        elif chance < 0.72:
            self.time_passes()
        elif chance < 0.81:
            self.shop.acts()
        elif chance < 0.91:
            self.payers.acts()
        elif chance < 0.93:
            gateway_acts(self)
        elif chance < 0.97:
            self.operator.acts()
        else:
            machines_fail(self)

    def _someone_works(self) -> None:
        """A worker that has something to do; where there is nothing, time goes on to the next."""
        busy = [w for w in self.workers if w.works or w.answers or w.kept]
        if busy and self.rng.random() < 0.8:
            self.work(self.rng.choice(busy))
            return
        due = self._next_due_soon()
        if due is not None and due > self.clock.now():
            self._pass_until(due)
        self.work(self.rng.choice(self.workers))

    def _next_due_soon(self) -> datetime | None:
        """When the next directive or look is due, if that is within an hour."""
        open_ = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)
        dues = [d.available_at for d in self.store.directives.values() if d.status in open_]
        dues += [p.next_check_at for p in self.store.payments.values() if p.next_check_at]
        due = min(dues, default=None)
        return due if due is None or due - self.clock.now() < _SOON else None

    def heal(self) -> None:
        """No more faults; time goes on until nothing is due. What is stuck then is stuck."""
        self.tell("-- healed --")
        self.healed = True
        self._crash_chance, self._crash_steps = 0.0, frozenset()
        self._store_trouble, self._store_gone_until, self.hang_chance = 0.0, None, 0.0
        self.accounts.heal()
        for worker in self.workers:
            worker.clock.skew = timedelta()
            self.crew.drain(worker)
            check_always(self)
        self._let_everything_arrive()
        engine = self.workers[0].engine
        reconciled = False
        for _ in range(ROUNDS):
            self.inbox.rematch()
            engine.run_until_idle()
            engine.maintain()
            gateway_acts(self)
            check_always(self)
            due = self._next_due()
            if due is not None:
                self.clock.advance(max(due - self.clock.now(), timedelta()))
            elif reconciled:
                return
            else:
                self.reconcile(engine)
                reconciled = True
        raise Violation(
            f"L01: after {ROUNDS} rounds there is still something due: {self._due_now()}"
        )

    def _let_everything_arrive(self) -> None:
        """Notifications that are still on their way come in the end, or never."""
        for delivery in self.inbox.on_their_way:
            delivery.due = self.clock.now()
        self.inbox.deliver()

    def reconcile(self, engine: Engine) -> None:
        """One look at every payment, as a shop does once a day; what happens then is followed."""
        self.store.enqueue([sync_of(p.order_ref, p.id) for p in self.store.payments.values()])
        engine.run_until_idle()
        self.clock.advance(timedelta(minutes=2))
        engine.maintain()
        engine.run_until_idle()
        check_always(self)

    def _due_now(self) -> list[Any]:
        """What keeps the world from coming to rest."""
        open_ = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)
        stuck: list[Any] = [d for d in self.store.directives.values() if d.status in open_]
        return stuck or [p for p in self.store.payments.values() if p.next_check_at is not None]

    def _next_due(self) -> Any:
        """The next moment something is due within a month, bar routine looks at a rest."""
        now = self.clock.now()
        horizon = now + timedelta(days=10)
        dues = [
            d.available_at
            for d in self.store.directives.values()
            if d.status in (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)
        ]
        dues += [
            p.next_check_at
            for p in self.store.payments.values()
            if p.next_check_at is not None and p.checks < self._patience
        ]
        if any(due <= now for due in dues) and not any(due > now for due in dues):
            raise Violation(f"L01: due, and nothing takes it: {self._due_now()}")
        return min((due for due in dues if now < due <= horizon), default=None)
