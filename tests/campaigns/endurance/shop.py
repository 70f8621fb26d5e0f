"""A shop in memory: steady orders, two workers as a host runs them, and a clock that is moved.

Every twelfth order is refunded in part, every fiftieth is one whose plugin always crashes.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from omniman_payment_core.engine import Engine
from omniman_payment_core.engine.breaker import BreakerRules
from omniman_payment_core.engine.engine import Limits
from omniman_payment_core.plugins.hooks import PaymentHooks
from omniman_payment_core.records import (
    SCHEMA_VERSION,
    ChannelView,
    Directive,
    DirectiveStatus,
    NewDirective,
    OperationState,
    Topic,
    evolve,
)
from omniman_payment_core.secrets import Scrubber
from omniman_payment_core.testing import ManualClock, MemoryStore
from omniman_payment_mock.gateway import MockGateway
from tests.simulation.gateways import Wire, make_account

STEP = timedelta(seconds=30)
ORDER_EVERY = timedelta(minutes=3)
ERRORS = 0.05
REFUNDED, POISONED = 12, 50
TOTAL_Q, REFUND_Q = 1000, 300


class EnduringShop:
    """Sells; ``pass_time`` is the only thing that makes anything happen."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = ManualClock()
        self.began = self.clock.now()
        self.store = MemoryStore(self.clock)
        self.gateway = MockGateway("day", clock=self.clock.now, rng=random.Random(seed))
        self.wire = Wire(self.gateway, random.Random(seed + 1), Counter())
        self.wire.trouble = ERRORS
        self._account: Any = make_account("full", self.gateway, self.clock, self.wire)
        self._account.backend.authorize = self._poisoned(self._account.backend.authorize)
        self._rng = random.Random(seed + 2)
        self._next_order = self.began
        self.orders: list[str] = []
        self.down = False
        self.wire.choose = self._weather
        self.workers: list[Engine] = []
        self.deploy()

    # -- ports for the engine --------------------------------------------------------------

    def account(self, name: str) -> Any:
        return self._account

    def account_for(self, channel: ChannelView) -> Any:
        return self._account

    def _weather(self, method: str) -> str | None:
        return "unsent" if self.down else self.wire.by_chance(method)

    def _poisoned(self, authorize: Callable[..., Any]) -> Callable[..., Any]:
        """A plugin with a bug that some orders meet every time."""

        def crashes(**arguments: Any) -> Any:
            if self.is_poison(arguments["order_ref"]):
                raise RuntimeError("a bug in the plugin")
            return authorize(**arguments)

        return crashes

    # -- what a shop does ------------------------------------------------------------------

    def deploy(self) -> None:
        """All workers end, and others begin."""
        self.workers = [
            Engine(
                self.store,
                self,
                PaymentHooks(),
                Scrubber([]),
                clock=self.clock,
                new_id=lambda: f"p{self._rng.randrange(10**12):012}",
                rng=self._rng,
                owner=f"worker-{number}-{self.clock.now()}",
                limits=Limits(breaker=BreakerRules()),
            )
            for number in range(2)
        ]

    def pass_time(self, duration: timedelta, *, selling: bool = True) -> None:
        end = self.clock.now() + duration
        while self.clock.now() < end:
            while selling and self._next_order <= self.clock.now():
                self._sell()
                self._next_order += ORDER_EVERY
            for worker in self.workers:
                worker.maintain()
                worker.run_until_idle(5)
            self.clock.advance(STEP)
            self.gateway.deliver_late(due_only=True)

    def _sell(self) -> None:
        number = len(self.orders) + 1
        ref = f"O{number}"
        self.orders.append(ref)
        self.store.add_order(ref, total_q=TOTAL_Q)
        self.ask(Topic.HOLD, ref, {})
        self.ask(Topic.CONFIRM, ref, {})
        if number % REFUNDED == 0:
            self.ask(Topic.REFUND, ref, {"amount_q": REFUND_Q})

    def ask(self, topic: Topic, ref: str, payload: dict[str, object]) -> int:
        return self.store.enqueue([NewDirective(topic, ref, payload)])[0]

    def ask_in_the_next_version(self, topic: Topic, ref: str, payload: dict[str, object]) -> int:
        """As a newer release of the shop writes it, while the older workers still run."""
        number = self.ask(topic, ref, payload)
        directive = self.store.directives[number]
        self.store.directives[number] = evolve(directive, schema_version=SCHEMA_VERSION + 1)
        return number

    def is_poison(self, ref: str) -> bool:
        return int(ref[1:]) % POISONED == 0

    def person_settles_what_is_parked(self) -> list[str]:
        """Looks at the gateway and says what became of it, as the flag asks; for which orders."""
        settled = []
        for operation in list(self.store.operations.values()):
            payment = self.store.payments[operation.payment_id]
            if operation.state != OperationState.PARKED or self.is_poison(payment.order_ref):
                continue
            happened = bool(self.gateway.transactions(payment.order_ref))
            verdict = {"operation": operation.key, "actor": "ana", "reason": "looked it up"}
            self.ask(Topic.VERDICT, payment.order_ref, {**verdict, "happened": happened})
            settled.append(payment.order_ref)
        for directive in list(self.store.directives.values()):
            ref = directive.order_ref
            if directive.status == DirectiveStatus.PARKED and not self.is_poison(ref):
                self.store._revive(ref, self.clock.now())
                settled.append(ref)
        return settled

    # -- what can be counted ---------------------------------------------------------------

    def open_directives(self) -> list[Directive]:
        ended = (DirectiveStatus.COMPLETED, DirectiveStatus.FAILED, DirectiveStatus.PARKED)
        return [d for d in self.store.directives.values() if d.status not in ended]

    def late(self, patience: timedelta) -> list[Directive]:
        """What has been open for longer than it should, poison aside."""
        now = self.clock.now()
        return [
            d
            for d in self.open_directives()
            if not self.is_poison(d.order_ref) and now - self.sold_at(d.order_ref) > patience
        ]

    def sold_at(self, ref: str) -> datetime:
        return self.began + ORDER_EVERY * (int(ref[1:]) - 1)
