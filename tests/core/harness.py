"""A whole shop in memory for the tests of the core: orders, a queue, gateways and a clock.

Everything between the shop and the far side is the real thing; nothing here decides anything.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from omniman_payment_core.contracts import Abilities, BackendRegistration, abilities_of
from omniman_payment_core.decisions import Rules, sync_of
from omniman_payment_core.engine import Engine, Limits
from omniman_payment_core.errors import BackendNotFoundError, ConfigurationError
from omniman_payment_core.plugins.hooks import PaymentHooks
from omniman_payment_core.records import (
    ChannelView,
    Directive,
    DirectiveStatus,
    Flag,
    NewDirective,
    Operation,
    OrderView,
    Payment,
    Topic,
)
from omniman_payment_core.secrets import Scrubber
from omniman_payment_core.testing import ManualClock, MemoryStore
from omniman_payment_mock import MockPaymentBackend
from omniman_payment_mock.gateway import MockGateway
from omniman_payment_mock.plugin import make_registration
from omniman_payment_mock.script import Fault


@dataclass(frozen=True, slots=True)
class Account:
    """One configured account, as the engine sees it."""

    name: str
    plugin: str
    version: str
    registration: BackendRegistration
    backend: Any
    abilities: Abilities
    fingerprint: str
    livemode: bool = False


class Accounts:
    """The accounts by name; ``broken`` ones raise what a person would have to repair."""

    def __init__(self) -> None:
        self.configured: dict[str, Account] = {}
        self.broken: dict[str, ConfigurationError] = {}

    def account(self, name: str) -> Account:
        if name in self.broken:
            raise self.broken[name]
        if name not in self.configured:
            known = sorted(self.configured)
            raise BackendNotFoundError(
                f'no account "{name}"; configured: {", ".join(known)}', name=name, known=known
            )
        return self.configured[name]

    def account_for(self, channel: ChannelView) -> Account:
        return self.account(channel.config.get("payment_backend", "mock"))


def registration(name: str = "test", **facts: Any) -> BackendRegistration:
    """A registration for a backend that a test brings along."""
    return BackendRegistration(name=name, build=lambda options: None, **facts)


class Shop:
    """One shop with one worker. ``gateway`` is the far side of the account ``mock``."""

    def __init__(
        self,
        *,
        backend: Any = None,
        facts: BackendRegistration | None = None,
        config: Mapping[str, Any] | None = None,
        rules: Rules | None = None,
        limits: Limits | None = None,
        secrets: tuple[str, ...] = (),
        seed: int = 7,
    ) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)
        self.rules = rules or Rules()
        self.limits = limits or Limits()
        self.scrubber = Scrubber(secrets)
        self.hooks = PaymentHooks(scrub=self.scrubber.text)
        self.accounts = Accounts()
        self.config = dict(config or {})
        self.refs: list[str] = []
        self._ids = 0
        self._seed = seed
        self.gateway = self.add_account("mock", backend, facts)
        self.engine = self.new_engine("worker")

    def add_account(
        self,
        name: str,
        backend: Any = None,
        facts: BackendRegistration | None = None,
        *,
        fingerprint: str = "",
    ) -> MockGateway:
        """Configure an account, over a gateway of its own unless a backend is given."""
        gateway = MockGateway(name, clock=self.clock.now, rng=random.Random(self._seed))
        if backend is None:
            backend = MockPaymentBackend(gateway=gateway, clock=self.clock.now)
            facts = facts or make_registration()
        elif isinstance(backend, type):
            backend = backend(gateway=gateway, clock=self.clock.now)
        self.accounts.configured[name] = Account(
            name,
            "mock",
            "1.0",
            facts or registration(),
            backend,
            abilities_of(backend),
            fingerprint or f"account-{name}",
        )
        return gateway

    def new_engine(self, owner: str) -> Engine:
        """Another worker process on the same store."""
        return Engine(
            self.store,
            self.accounts,
            self.hooks,
            self.scrubber,
            clock=self.clock,
            new_id=self._new_id,
            rng=random.Random(self._seed),
            owner=owner,
            rules=self.rules,
            limits=self.limits,
        )

    def _new_id(self) -> str:
        self._ids += 1
        return f"pay-{self._ids}"

    # -- what a shop does ------------------------------------------------------------------

    def order(
        self, ref: str = "O1", total_q: int = 1000, currency: str = "BRL", **config: Any
    ) -> str:
        """An order of the shop's channel; keywords go into the channel's config."""
        self.store.add_order(
            ref, total_q=total_q, currency=currency, config={**self.config, **config}
        )
        self.refs.append(ref)
        return ref

    def enqueue(
        self,
        topic: str,
        ref: str = "O1",
        payload: Any = None,
        *,
        key: str | None = None,
    ) -> int:
        """Put a directive there; its number."""
        (number,) = self.store.enqueue(
            [NewDirective(topic, ref, {} if payload is None else payload, key)]
        )
        return number

    def hold(self, ref: str = "O1", behaviour: Any = None, **payload: Any) -> int:
        return self.enqueue(Topic.HOLD, ref, _opening(behaviour, payload))

    def charge(self, ref: str = "O1", behaviour: Any = None, **payload: Any) -> int:
        return self.enqueue(Topic.CHARGE, ref, _opening(behaviour, payload))

    def confirm(self, amount_q: int | None = None, ref: str = "O1") -> int:
        return self.enqueue(Topic.CONFIRM, ref, {} if amount_q is None else {"amount_q": amount_q})

    def refund(self, amount_q: int | None = None, ref: str = "O1") -> int:
        return self.enqueue(Topic.REFUND, ref, {} if amount_q is None else {"amount_q": amount_q})

    def cancel(self, ref: str = "O1") -> int:
        return self.enqueue(Topic.CANCEL, ref)

    def sync(self, ref: str = "O1") -> None:
        """Somebody knocks: look at every payment of the order, and work until idle."""
        self.store.enqueue([sync_of(ref, payment.id) for payment in self.payments(ref)])
        self.run()

    def do(self, number: int) -> Directive:
        """Work until idle; what became of the directive."""
        self.run()
        return self.store.directives[number]

    def fault(self, kind: str, on: str = "opening", **more: Any) -> None:
        """Let the next call of a method meet a fault."""
        self.gateway.fail_next(Fault(kind, on=on, **more))

    # -- time ------------------------------------------------------------------------------

    def run(self) -> int:
        """Work until nothing is due now; says how many calls were made."""
        return self.engine.run_until_idle()

    def advance(self, **delta: float) -> None:
        """Let time pass at once, then work."""
        self.clock.advance(timedelta(**delta))
        self.engine.maintain()
        self.run()

    def settle_down(self, limit: timedelta = timedelta(days=3)) -> None:
        """Go from due date to due date until no directive is left to run within ``limit``."""
        horizon = self.clock.now() + limit
        for _ in range(300):
            self.run()
            # What is due and not taken waits behind another directive of its order.
            dues = [d.available_at for d in self.open_directives() if d.available_at <= horizon]
            now = self.clock.now()
            if not dues:
                return
            if max(dues) <= now:
                break
            self.clock.advance(min(due for due in dues if due > now) - now)
        raise AssertionError(f"this never comes to rest: {self.open_directives()}")

    # -- looking ---------------------------------------------------------------------------

    def open_directives(self) -> list[Directive]:
        open_ = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)
        return [d for d in self.store.directives.values() if d.status in open_]

    def directive(self, number: int) -> Directive:
        return self.store.directives[number]

    def payments(self, ref: str = "O1") -> list[Payment]:
        mine = (p for p in self.store.payments.values() if p.order_ref == ref)
        return sorted(mine, key=lambda p: p.attempt)

    def payment(self, ref: str = "O1") -> Payment:
        """The newest attempt."""
        return self.payments(ref)[-1]

    def operations(self, kind: str | None = None) -> list[Operation]:
        return [op for op in self.store.operations.values() if kind in (None, op.kind)]

    def flags(self, kind: str | None = None) -> list[Flag]:
        return [flag for flag in self.store.flags.values() if kind in (None, flag.kind)]

    def flag_kinds(self) -> list[str]:
        return [flag.kind for flag in self.flags()]

    def methods(self) -> list[str]:
        """Every call that was made, oldest first."""
        return [call.method for call in self.store.calls]

    def keys(self, method: str) -> list[str]:
        """The idempotency keys a method was called with, oldest first."""
        return [call.operation_key for call in self.store.calls if call.method == method]

    def triggers(self, ref: str = "O1") -> list[str]:
        return [trigger.value for trigger in self.store.orders[ref].triggers]

    def summary(self, ref: str = "O1") -> dict[str, Any]:
        summary: dict[str, Any] = self.store.orders[ref].data["payment"]
        return summary

    def view(self, ref: str = "O1") -> OrderView:
        return self.store.orders[ref].view

    def moved_q(self, ref: str = "O1") -> int:
        """What the shopper is really short of."""
        return self.gateway.moved_q(ref)


def _opening(behaviour: Any, payload: dict[str, Any]) -> dict[str, Any]:
    method = {} if behaviour is None else {"behaviour": behaviour}
    return {"payment_method": method, **payload}
