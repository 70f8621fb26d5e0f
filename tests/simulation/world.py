"""One simulated history: shop, payer, gateway and workers under a single seeded scheduler.

Every commit and every gateway call is a step at which a worker may die; a worker that is
not scheduled while the clock moves is one that was paused past its lease.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from omniman_payment_core.decisions import Rules, sync_of
from omniman_payment_core.engine import Answer, Engine, Work
from omniman_payment_core.plugins.hooks import PaymentHooks
from omniman_payment_core.records import ChannelView, DirectiveStatus, NewDirective, Topic
from omniman_payment_core.secrets import Scrubber
from omniman_payment_core.testing import ManualClock, MemoryStore
from omniman_payment_mock.gateway import MockGateway

from .gateways import STRENGTHS, Account, Wire, make_account
from .invariants import Violation, check_always, check_at_rest, hold

BEHAVIOURS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"authenticate": True},
    {"qr": True},
    {"qr": True, "expires_in": 600},
    {"pending": True, "pays_after_reads": 3},
    {"decline": "insufficient_funds"},
    {"refund": "pending"},
    {"refund": "fails_later"},
    {"refund": "refund_refused"},
    {"expires_in": 3600},
)

_NOBODY = PaymentHooks()

ROUTINE = 14
"""So many looks in a row that brought nothing: a payment that rests, and is looked at for ever."""


class Crashed(Exception):
    """The worker died here; what it held in memory is gone."""


class CrashingStore:
    """The store as one worker reaches it: its process can die before or after a commit."""

    def __init__(self, store: MemoryStore, world: World) -> None:
        self._store = store
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def claim(self, **request: Any) -> Any:
        return self._commit("claim", lambda: self._store.claim(**request))

    def settle(self, settlements: Any, *, tell: bool) -> Any:
        now = self._world.clock.now()
        before = {s.directive_id: self._store.directives[s.directive_id] for s in settlements}
        written = self._commit("settle", lambda: self._store.settle(settlements, tell=tell))
        for settlement in settlements:
            held = before[settlement.directive_id]
            after = self._store.directives[settlement.directive_id]
            if held.fence != settlement.fence or held.available_at <= now:
                self._world.marks["fence_lost"] += 1
                same = (after.status, after.result) == (held.status, held.result)
                hold("I17", same, (held, after))
        return written

    def _commit(self, name: str, transaction: Callable[[], Any]) -> Any:
        if self._world.dies(f"{name}:before"):
            saved = self._store.snapshot()
            transaction()
            self._store.restore(saved)
            raise Crashed
        written = transaction()
        if self._world.dies(f"{name}:after"):
            raise Crashed
        return written


@dataclass(eq=False)
class SimWorker:
    """A worker process: an engine, the calls it has to make, the answers it has to settle."""

    name: str
    engine: Engine
    works: list[Work] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


class World:
    """Everything there is in one history. ``plan`` of crash steps replaces chance, if given."""

    def __init__(
        self,
        seed: int,
        *,
        strength: str | None = None,
        crash_steps: frozenset[int] | None = None,
        trouble: float | None = None,
        rules: Rules | None = None,
        marks: Counter[str] | None = None,
    ) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.rng_for_checks = random.Random(seed + 3)
        self.marks = Counter[str]() if marks is None else marks
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)
        self.gateway = MockGateway("sim", clock=self.clock.now, rng=random.Random(seed + 1))
        self.wire = Wire(self.gateway, random.Random(seed + 2), self.marks)
        self.strength = strength or self.rng.choice(list(STRENGTHS))
        self.account = make_account(self.strength, self.gateway, self.clock, self.wire)
        self.rules = rules or Rules()
        self.story: list[str] = []
        self.wire.story = self.tell
        self.steps = 0
        self._crash_steps = crash_steps
        self._crash_chance = 0.0 if crash_steps is not None else self.rng.choice([0.0, 0.02, 0.08])
        self.wire.trouble = trouble if trouble is not None else self.rng.choice([0.0, 0.1, 0.3])
        self._ids = 0
        self.workers = [self._new_worker(n) for n in range(self.rng.choice([1, 2, 2, 3]))]
        self.refs: list[str] = []
        self._baselines: dict[str, Any] = {}

    # -- ports for the engine --------------------------------------------------------------

    def account_for(self, channel: ChannelView) -> Account:
        return self.account

    def new_id(self) -> str:
        self._ids += 1
        return f"p{self.seed:x}-{self._ids}"

    def _new_worker(self, number: int) -> SimWorker:
        name = f"worker-{number}-{self.steps}"
        engine = Engine(
            CrashingStore(self.store, self),
            _Accounts(self),
            _NOBODY,
            Scrubber([]),
            clock=self.clock,
            new_id=self.new_id,
            rng=random.Random(self.seed * 31 + number),
            owner=name,
            rules=self.rules,
        )
        return SimWorker(name, engine)

    # -- chance ----------------------------------------------------------------------------

    def dies(self, where: str) -> bool:
        """Whether the running worker dies at this step; every step is numbered."""
        self.steps += 1
        if self._crash_steps is not None:
            dead = self.steps in self._crash_steps
        else:
            dead = self.rng.random() < self._crash_chance
        if dead:
            self.marks[f"crash:{where}"] += 1
            self.tell(f"    crash: {where}")
        return dead

    def tell(self, line: str) -> None:
        self.story.append(line)

    # -- actions ---------------------------------------------------------------------------

    def new_order(self) -> str:
        ref = f"O{len(self.refs) + 1}"
        total = self.rng.choice([1, 999, 1000, 12_345])
        self.refs.append(ref)
        flow = self.rng.choice([Topic.HOLD, Topic.HOLD, Topic.CHARGE])
        late = self.rng.choice(["flag", "refund"])
        self.store.add_order(ref, total_q=total, config={"late_money": late})
        behaviour = self.rng.choice(BEHAVIOURS)
        self.tell(f"order {ref} of {total}, {flow.value}, {behaviour}, late money: {late}")
        payload = {"amount_q": total, "payment_method": {"behaviour": behaviour}}
        self.enqueue(flow, ref, payload)
        if self.rng.random() < 0.2:
            self.marks["shop:double_opening"] += 1
            self.enqueue(flow, ref, payload)
        return ref

    def enqueue(self, topic: Topic, ref: str, payload: dict[str, Any], key: str = "") -> None:
        self.tell(f"enqueue {topic.value} {ref} {payload.get('amount_q', '')} {key}")
        self.store.enqueue([NewDirective(topic, ref, payload, key or None)])

    def shop_acts(self) -> None:
        ref = self.rng.choice(self.refs)
        total = self.store.orders[ref].view.total_q
        act = self.rng.choice(
            ["confirm", "confirm", "confirm_part", "refund", "refund_part", "cancel",
             "cancel_order", "retry", "duplicate"]
        )  # fmt: skip
        self.marks[f"shop:{act}"] += 1
        match act:
            case "confirm":
                self.enqueue(Topic.CONFIRM, ref, {})
            case "confirm_part":
                said = self.rng.choice([{}, {"final": False}, {"final": True}])
                self.enqueue(Topic.CONFIRM, ref, {"amount_q": max(1, total // 3), **said})
            case "refund":
                self.enqueue(Topic.REFUND, ref, {})
            case "refund_part":
                self.enqueue(Topic.REFUND, ref, {"amount_q": max(1, total // 2)})
            case "cancel":
                self.enqueue(Topic.CANCEL, ref, {})
            case "cancel_order":
                self.store.cancel_order(ref)
                self.enqueue(Topic.CANCEL, ref, {})
            case "retry":
                attempts = [p.attempt for p in self.store.payments.values() if p.order_ref == ref]
                self.enqueue(
                    Topic.HOLD, ref, {"attempt": max(attempts, default=0) + 1, "amount_q": total}
                )
            case "duplicate":
                payload = {"amount_q": max(1, total // 2)}
                for _ in range(2):
                    self.enqueue(Topic.REFUND, ref, payload, f"same-refund-{ref}")

    def payer_acts(self) -> None:
        transactions = self.gateway.transactions()
        if not transactions:
            return
        name = self.rng.choice(transactions)
        txn = self.gateway.transaction(name)
        assert txn is not None
        act = self.rng.choice(["finish", "finish", "finish", "fail", "late", "outside", "dispute"])
        try:
            match act:
                case "finish" if txn.waiting == "3ds":
                    self.gateway.confirm_3ds(name)
                case "finish" if txn.waiting:
                    self.gateway.pay(name)
                case "fail" if txn.waiting == "3ds":
                    self.gateway.confirm_3ds(name, ok=False)
                case "fail" if txn.waiting:
                    self.gateway.abandon(name)
                case "late" if txn.captures_at_once and (txn.expired or txn.cancelled):
                    self.gateway.pay(name, late=True)
                case "outside":
                    self.gateway.refund_outside(name, None)
                case "dispute":
                    self.gateway.dispute(name, None)
                case _:
                    return
        except ValueError:
            return  # the gateway does not let that happen to this transaction
        self.marks[f"payer:{act}"] += 1
        self.tell(f"payer: {act} {name}")
        if self.rng.random() < 0.7:
            self.knock(name)

    def knock(self, transaction_id: str) -> None:
        """A webhook comes: lost, once, or twice; it only wakes."""
        for payment in list(self.store.payments.values()):
            if payment.transaction_id == transaction_id:
                for _ in range(self.rng.choice([1, 1, 2])):
                    self.marks["webhook"] += 1
                    self.store.enqueue([sync_of(payment.order_ref, payment.id)])

    def gateway_acts(self) -> None:
        for name in self.gateway.transactions():
            txn = self.gateway.transaction(name)
            assert txn is not None
            for refund in list(txn.refunds):
                if refund.status == "pending":
                    ok = self.rng.random() < 0.7
                    self.marks[f"gateway:refund_{'done' if ok else 'failed'}"] += 1
                    self.gateway.settle_refund(refund.reference, ok=ok)
        self.gateway.deliver_late(due_only=True)

    def time_passes(self) -> None:
        seconds = self.rng.choice([1, 5, 30, 100, 100, 700, 3700, 90_000])
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.gateway.late:
            due = min(late.due for late in self.gateway.late)
            if due > end:
                break
            # A late request arrives when it is due, however large the step of the clock.
            self.clock.advance(max(due - self.clock.now(), timedelta()))
            self.gateway.deliver_late(due_only=True)
        self.clock.advance(end - self.clock.now())
        self.tell(f"  {seconds} s pass")
        self.marks["time"] += 1

    # -- workers ---------------------------------------------------------------------------

    def work(self, worker: SimWorker) -> None:
        """One step of a worker's life."""
        try:
            self._work(worker)
        except Crashed:
            self.tell(f"  {worker.name} is dead")
            self.workers[self.workers.index(worker)] = self._new_worker(self.steps)

    def _work(self, worker: SimWorker) -> None:
        if worker.answers and (not worker.works or self.rng.random() < 0.5):
            answers, worker.answers = worker.answers, []
            self.tell(f"  {worker.name} settles {len(answers)}")
            worker.works.extend(worker.engine.settle(answers))
        elif worker.works:
            work = worker.works.pop(0)
            if self.dies("call:before"):
                raise Crashed
            answer = worker.engine.perform(work)
            self.tell(
                f"  {worker.name} calls {work.request.method} for {work.request.order_ref}: "
                f"{answer.call.outcome} {answer.call.status}"
            )
            if self.dies("call:after"):
                raise Crashed
            worker.answers.append(answer)
        elif self.rng.random() < 0.2:
            worker.engine.maintain()
        else:
            claimed = worker.engine.claim(self.rng.choice([1, 2, 5]))
            worker.works.extend(claimed.works)

    # -- a whole history -------------------------------------------------------------------

    def run(self, steps: int = 40, orders: int | None = None) -> None:
        """Live through a history, checked after every step, then heal and check the rest."""
        for _ in range(orders or self.rng.choice([1, 1, 2, 3])):
            self.new_order()
        for _ in range(steps):
            self.step()
            check_always(self)
        self.heal()
        check_at_rest(self)

    def step(self) -> None:
        chance = self.rng.random()
        if chance < 0.60:
            self.work(self.rng.choice(self.workers))
        elif chance < 0.72:
            self.time_passes()
        elif chance < 0.84:
            self.shop_acts()
        elif chance < 0.96:
            self.payer_acts()
        else:
            self.gateway_acts()

    def heal(self) -> None:
        """No more faults; time goes on until nothing is due. What is stuck then is stuck."""
        self.tell("-- healed --")
        self._crash_chance, self._crash_steps, self.wire.trouble = 0.0, frozenset(), 0.0
        self.gateway.deliver_late()
        engine = self.workers[0].engine
        for worker in self.workers:
            works, answers = worker.works, worker.answers
            worker.works, worker.answers = [], []
            while works or answers:
                works = worker.engine.settle(answers + [worker.engine.perform(w) for w in works])
                answers = []
            check_always(self)
        for _ in range(400):
            engine.run_until_idle()
            engine.maintain()
            self.gateway_acts()
            check_always(self)
            due = self._next_due()
            if due is None:
                self.reconcile(engine)
                return
            self.clock.advance(max(due - self.clock.now(), timedelta()))
        raise Violation(f"L01: after 400 rounds there is still something due: {self._due_now()}")

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
        horizon = self.clock.now() + timedelta(days=10)
        dues = [
            d.available_at
            for d in self.store.directives.values()
            if d.status in (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)
        ]
        dues += [
            p.next_check_at
            for p in self.store.payments.values()
            if p.next_check_at is not None and p.checks < ROUTINE
        ]
        now = self.clock.now()
        if any(due <= now for due in dues) and not any(due > now for due in dues):
            raise Violation(f"L01: due, and nothing takes it: {self._due_now()}")
        return min((due for due in dues if now < due <= horizon), default=None)


class _Accounts:
    """The one account of a world, by whatever name a payment is bound to it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def account(self, name: str) -> Any:
        return self._world.account

    def account_for(self, channel: ChannelView) -> Any:
        return self._world.account
