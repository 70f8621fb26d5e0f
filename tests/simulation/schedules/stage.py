"""A world without chance: two workers in turn, and faults only where a schedule puts them.

Every commit and every gateway call is a place; places are numbered as they come. What can
go wrong at a place is written down while the scenario runs, so that the next schedules are
known from the run of the one before.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from omniman_payment_core.decisions import Answered, Outcome, Rules
from omniman_payment_core.engine.telling import Teller
from omniman_payment_core.notices import PaymentChange
from omniman_payment_core.records import DirectiveStatus, OperationKind, OperationState, Topic
from omniman_payment_core.values import PaymentStatus
from omniman_payment_mock.gateway import MockGateway

from ..gateways import STRANGER, STRENGTHS, FiveMethods, Wire, make_account
from ..invariants import Violation, check_always, check_at_rest, hold
from ..world import Crashed, SimWorker, World

SEED = 4711
PATIENCE = 400
"""So many turns; a scenario that has not ended by then does not end."""

ENDLESS = 4000
"""So many steps that the same thing is done again and again."""

_DEATH = ("death",)


class Steady(random.Random):
    """Where a world asks chance: nothing happens by itself, and the last choice is taken."""

    def random(self) -> float:
        return 0.99

    def choice(self, seq: Any) -> Any:
        return seq[-1]


class Kind(Steady):
    """In the end the gateway's own work turns out well."""

    def random(self) -> float:
        return 0.0


class Stage(World):
    """One order, one scenario, and faults at numbered places."""

    def __init__(
        self, strength: str, faults: Mapping[int, str], *, rules: Rules | None = None
    ) -> None:
        super().__init__(SEED, strength=strength, crash_steps=frozenset(), trouble=0.0, rules=rules)
        self.rng = Steady()
        self.faults = dict(faults)
        self.struck: list[tuple[int, str]] = []
        self.places: list[tuple[str, ...]] = []
        """What could have gone wrong at each place, in the order in which they came."""
        self.calls = 0
        self._during: dict[int, Callable[[], None]] = {}
        self._scripted: dict[int, str] = {}
        self._asleep: list[SimWorker] = []
        self._too_early: list[PaymentChange] = []
        self._heard: set[tuple[str, PaymentStatus]] = set()
        self._moved: set[tuple[str, PaymentStatus]] = set()
        self._healed = False
        self.wire.choose = self._at_call
        self.wire.rng = Steady(SEED)
        self.workers = [self._new_worker(number) for number in range(2)]

    # -- places ----------------------------------------------------------------------------

    def dies(self, where: str) -> bool:
        self.steps += 1
        if self.steps > ENDLESS:
            raise Violation(f"L01: no end after {self.steps} steps: {self._due_now()}")
        if self._place(where, _DEATH) is None:
            return False
        self.tell(f"    death: {where}")
        return True

    def _at_call(self, method: str) -> str | None:
        self.calls += 1
        act = self._during.pop(self.calls, None)
        if act is not None:
            act()
        scripted = self._scripted.pop(self.calls, None)
        return scripted or self._place(method, self._faults_of(method))

    def _place(self, where: str, possible: tuple[str, ...]) -> str | None:
        if self._healed or not possible:
            return None
        self.places.append(possible)
        number = len(self.places)
        fault = self.faults.get(number)
        if fault is None:
            return None
        if fault not in possible:
            raise ValueError(f"{fault} cannot happen at place {number} ({where})")
        self.struck.append((number, fault))
        return fault

    def _faults_of(self, method: str) -> tuple[str, ...]:
        """What can go wrong with a call, as far as it can differ for the caller."""
        if method == "find":
            return ("lost", "limit", "unsent", "crash", "garbage")
        if method == "get_status":
            return ("lost", "limit", "unsent", "crash", "garbage", "currency", "stranger", "amount")
        common = ("lost", "unanswered", "late", "limit", "unsent", "crash", "garbage")
        if method == "prepare":
            return common
        kind = STRENGTHS[self.strength][0]
        addressed = method not in ("authorize", "charge") or self._addressed()
        vague = ("vague",) if addressed and not issubclass(kind, FiveMethods) else ()
        # A refund may be answered with its own id and amount; and an opening whose
        # transaction the gateway names can be told any name.
        whole = ("amount",) if method != "refund" else ()
        stranger = ("stranger",) if addressed and method != "refund" else ()
        return (*common, *vague, "currency", *whole, *stranger)

    def _addressed(self) -> bool:
        """Whether an opening can be looked up whatever its answer says."""
        methods = self.account.abilities.methods
        return "choose_transaction_id" in methods or "prepare" in methods

    # -- an observer -----------------------------------------------------------------------

    def _new_worker(self, number: int) -> SimWorker:
        worker = super()._new_worker(number)
        engine, known = worker.engine, worker.engine.hooks
        hooks = copy(known)
        hooks.observes = (  # type: ignore[method-assign]
            lambda hook: hook == "payment_changed" or known.observes(hook)
        )
        hooks.payment_changed = self._hear  # type: ignore[method-assign]
        engine.hooks, engine._teller = hooks, Teller(engine.store, hooks, self.clock)
        return worker

    def _hear(self, change: PaymentChange) -> None:
        """An observer is told; the worker may die over it."""
        if self.dies("telling"):
            raise Crashed
        stored = self.store.payments.get(change.payment_id)
        committed = stored is not None and stored.version >= change.version
        if not committed:
            self._too_early.append(change)
        self._heard.add((change.payment_id, change.status))
        self.hearing.payment_changed(change)

    def _remember_moves(self) -> None:
        self._moved |= {(p.id, p.status) for p in self.store.payments.values()}

    # -- the script's words ----------------------------------------------------------------

    def order(self, total_q: int = 1000, *, late_money: str = "flag") -> None:
        self.refs.append("O1")
        self.store.add_order("O1", total_q=total_q, config={"late_money": late_money})

    def ask(self, topic: Topic, key: str = "", **payload: Any) -> None:
        self.enqueue(topic, "O1", payload, key)

    def during_call(self, number: int, act: Callable[[], None]) -> None:
        """Let something happen while the n-th gateway call is on its way."""
        self._during[self.calls + number] = act

    def fault_at_call(self, number: int, fault: str) -> None:
        """Part of the story, in every schedule of it: the n-th call from now meets a fault."""
        self._scripted[self.calls + number] = fault

    def fair_weather(self) -> None:
        """What was to go wrong as part of the story is over."""
        self._scripted.clear()

    def another_account(self) -> MockGateway:
        """From now on the account's name stands for another account, at another gateway."""
        gateway = MockGateway("other", clock=self.clock.now, rng=random.Random(SEED))
        wire = Wire(gateway, random.Random(SEED), self.marks)
        made = make_account(self.strength, gateway, self.clock, wire)
        self.account = replace(made, fingerprint="other")
        return gateway

    def put_to_sleep(self) -> None:
        """The worker that has something in hand stops, as its machine does."""
        for number, worker in enumerate(self.workers):
            if worker.works or worker.answers:
                self._asleep.append(worker)
                self.workers[number] = self._new_worker(self.steps + number)
                self.tell(f"  {worker.name} sleeps")

    def wake_up(self) -> list[SimWorker]:
        """It goes on with what it had in hand, and knows nothing of the time that has passed."""
        woken = self._asleep
        for worker in self._asleep:
            self.tell(f"  {worker.name} wakes up")
        self.workers = [*self._asleep, *self.workers]
        self._asleep = []
        return woken

    def nothing_is_kept_after(self, **duration: float) -> None:
        """By then a cancelled order's money is free, or a person knows."""
        self.live(**duration)
        held = self.gateway.held_q("O1")
        hold("L03", held == 0 or self.flagged(), f"{held} is held for a cancelled order")

    def nap(self, **duration: float) -> None:
        """Time passes while no worker gets to do anything."""
        self.pass_until(self.clock.now() + timedelta(**duration))

    def blurred(self) -> bool:
        """An answer was struck by a fault, so that it does not say what happened."""
        return any(fault != "death" for _, fault in self.struck)

    def nobody_works(self, **duration: float) -> None:
        """All workers are gone, and time passes; then there are others."""
        self.pass_until(self.clock.now() + timedelta(**duration))
        self.workers = [self._new_worker(self.steps + number) for number in range(2)]

    def transaction(self) -> str | None:
        """The order's newest transaction at the gateway."""
        return next(reversed(self.gateway.transactions("O1")), None)

    def payer(self, act: str, **more: Any) -> None:
        """The payer does something at the gateway, if there is anything to do it to."""
        name = self.transaction()
        if name is None:
            return
        try:
            getattr(self.gateway, act)(name, **more)
        except ValueError as error:
            self.tell(f"payer: cannot {act}: {error}")
            return
        self.tell(f"payer: {act}")
        self.knock(name)

    def cancel(self) -> None:
        """The shop cancels the order."""
        self.tell("the order is cancelled")
        self.store.cancel_order("O1")
        self.ask(Topic.CANCEL)

    def asked_under(self, key: str) -> str | None:
        """What the gateway remembers as the basket that was paid for under a key."""
        known = self.gateway._store.recall(key)
        if known is None:
            return None
        return next(
            (part["basket"] for part in known.asked if type(part) is dict and "basket" in part),
            None,
        )

    def charges(self) -> bool:
        """Whether this gateway takes the money where others hold it."""
        return "authorize" not in self.account.abilities.methods

    def flagged(self) -> bool:
        """Whether a person has been asked to look."""
        return any(flag.order_ref == "O1" for flag in self.store.flags.values())

    # -- time and turns --------------------------------------------------------------------

    def turn(self) -> bool:
        """One step of a worker that has something to do; whether there was one."""
        worker = self._busy()
        if worker is None:
            return self._maintain()
        brought = [answer.outcome for answer in worker.answers]
        self.work(worker)
        check_always(self)
        self._books_are_sound()
        self._remember_moves()
        if brought and worker in self.workers:
            self._untrue_answers_are_noticed(brought)
        return True

    def _maintain(self) -> bool:
        """Housekeeping, over which a worker can die as well; whether there was any."""
        try:
            return self.workers[0].engine.maintain() > 0
        except Crashed:
            self.workers[0] = self._new_worker(self.steps)
            return True

    def _books_are_sound(self) -> None:
        """A fact is something that has happened; and no capture is asked for beyond the hold."""
        bugs = [flag for flag in self.store.flags.values() if flag.kind == "engine_bug"]
        hold("no bug", not bugs, bugs)
        hold("told after the commit", not self._too_early, self._too_early)
        for payment in self.store.payments.values():
            txn = self.gateway.transaction(payment.transaction_id or "")
            if txn is not None:
                for name in ("authorized_q", "captured_q"):
                    ours, theirs = getattr(payment, name), getattr(txn, name)
                    hold("I13 not ahead", ours <= theirs, (name, payment, txn))
            captures = sum(
                operation.amount_q
                for operation in self.store.operations.values()
                if operation.payment_id == payment.id
                and operation.kind == OperationKind.CAPTURE
                and operation.state not in (OperationState.REFUSED, OperationState.ABANDONED)
            )
            hold("I05", captures <= payment.authorized_q, (captures, payment))

    def _untrue_answers_are_noticed(self, brought: list[Outcome]) -> None:
        """What cannot be true is not booked, and a person hears of it."""
        kinds = {flag.kind for flag in self.store.flags.values()}
        for outcome in brought:
            if isinstance(outcome, Answered):
                ours = outcome.result.currency in (None, "BRL")
                hold("I13 currency", ours or "currency_mismatch" in kinds, outcome)
                about = outcome.result.transaction_id != STRANGER
                hold("I13 transaction", about or "transaction_mismatch" in kinds, outcome)
                asked = outcome.result.amount_q in (None, *self._asked_amounts())
                hold("I13 amount", asked or not ours or "amount_mismatch" in kinds, outcome)

    def _asked_amounts(self) -> list[int]:
        return [payment.amount_q for payment in self.store.payments.values()]

    def _busy(self) -> SimWorker | None:
        for worker in self.workers:
            if worker.works or worker.answers:
                return worker
        return self.workers[self.steps % 2] if self.store._due(self.clock.now(), 1) else None

    def live(self, **duration: float) -> None:
        """Let workers work and time pass."""
        end = self.clock.now() + timedelta(**duration)
        for _ in range(PATIENCE):
            if self.turn():
                continue
            due = self._next_due()
            if due is None or due > end:
                self.pass_until(end)
                return
            self.pass_until(due)
        raise Violation(f"L01: busy for {PATIENCE} turns: {self._due_now()}")

    def until_settled(self) -> None:
        """Let workers work until everything the shop asked for has its answer."""
        for _ in range(PATIENCE):
            if self.turn():
                continue
            if not self._asked():
                return
            due = self._next_due()
            if due is None:
                raise Violation(f"L01: nothing is due, but not all is settled: {self._asked()}")
            self.pass_until(due)
        raise Violation(f"L01: not settled in {PATIENCE} turns: {self._due_now()}")

    def _asked(self) -> list[Any]:
        return [
            d
            for d in self.store.directives.values()
            if d.topic != Topic.SYNC
            and d.status in (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)
        ]

    def pass_until(self, end: Any) -> None:
        while self.gateway.late:
            due = min(late.due for late in self.gateway.late)
            if due > end:
                break
            self.clock.advance(max(due - self.clock.now(), timedelta()))
            self.gateway.deliver_late(due_only=True)
        self.tell(f"  {(end - self.clock.now()).total_seconds():.0f} s pass")
        self.clock.advance(max(end - self.clock.now(), timedelta()))

    def end(self) -> None:
        """No more faults; what is left is done, and everything is checked."""
        self.until_settled()
        self._healed = True
        self.rng = Kind()
        self.heal()
        self._books_are_sound()
        check_at_rest(self)
        hold("told", self._moved <= self._heard, self._moved - self._heard)
