"""The stores of the contract tests behind one face: put things there, look at what is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

from django.db import connection

from omniman_payment_core.engine import Settlement, Written
from omniman_payment_core.records import (
    Case,
    Changes,
    Directive,
    DirectiveChange,
    DirectiveStatus,
    NewDirective,
    Payment,
    Topic,
)
from omniman_payment_core.testing import ManualClock, MemoryStore
from omniman_payment_django import models
from omniman_payment_django.store import DjangoStore
from omniman_payment_django.store.cases import Cases
from omniman_payment_django.store.database import Database

LEASE = timedelta(seconds=90)


class Kit(Protocol):
    """A store, its clock, and what a test needs to know of its rows."""

    clock: ManualClock
    store: Any

    def order(self, ref: str, **config: Any) -> None: ...
    def cancel_order(self, ref: str) -> None: ...
    def directive(self, number: int) -> Directive: ...
    def payment(self, number: str) -> Payment: ...
    def count(self, what: str) -> int: ...
    def summary(self, ref: str) -> Any: ...
    def triggers(self, ref: str) -> list[str]: ...


class MemoryKit:
    """The reference."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)

    def order(self, ref: str, **config: Any) -> None:
        self.store.add_order(ref, total_q=1000, config=config)

    def cancel_order(self, ref: str) -> None:
        self.store.cancel_order(ref)

    def directive(self, number: int) -> Directive:
        return self.store.directives[number]

    def payment(self, number: str) -> Payment:
        return self.store.payments[number]

    def count(self, what: str) -> int:
        return len(getattr(self.store, what))

    def summary(self, ref: str) -> Any:
        return self.store.orders[ref].data.get("payment")

    def triggers(self, ref: str) -> list[str]:
        return [str(trigger) for trigger in self.store.orders[ref].triggers]


_MODELS: Mapping[str, Any] = {
    "directives": models.Directive,
    "payments": models.Payment,
    "operations": models.PaymentOperation,
    "refunds": models.Refund,
    "events": models.PaymentEvent,
    "flags": models.Flag,
    "calls": models.GatewayCall,
    "notices": models.PaymentNotice,
}


class DjangoKit:
    """The store under test, on whatever database is the default."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = DjangoStore(clock=self.clock)
        self._database = Database("default", self.clock)
        self._cases = Cases(self._database)

    def order(self, ref: str, **config: Any) -> None:
        flow = config.pop("order_flow", {})
        # Where the memory store notes a trigger, orders here move: to a status of its name.
        moves = {trigger: trigger for trigger in _TRIGGERS}
        config["order_flow"] = {
            "transitions": {"new": _TRIGGERS, **dict.fromkeys(_TRIGGERS, _TRIGGERS)},
            "auto_transitions": moves,
            **flow,
        }
        channel = models.Channel.objects.create(code=f"shop-{ref}", config=config)
        models.Order.objects.create(ref=ref, channel=channel, currency="BRL", total_q=1000)

    def cancel_order(self, ref: str) -> None:
        models.Order.objects.filter(ref=ref).update(status="cancelled")

    def directive(self, number: int) -> Directive:
        with connection.cursor() as cursor:
            return self._cases.directives(cursor, [number], lock=False)[number]

    def payment(self, number: str) -> Payment:
        ref = models.Payment.objects.get(pk=number).order_ref
        with connection.cursor() as cursor:
            case = self._cases.load(cursor, [_any_directive(ref)], {})[0]
        return next(payment for payment in case.payments if payment.id == number)

    def count(self, what: str) -> int:
        return int(_MODELS[what].objects.count())

    def summary(self, ref: str) -> Any:
        return models.Order.objects.get(ref=ref).data.get("payment")

    def triggers(self, ref: str) -> list[str]:
        return [
            event.data["to"]
            for event in models.OrderEvent.objects.filter(order_ref=ref).order_by("id")
        ]


_TRIGGERS = [
    "on_payment_hold",
    "on_payment_confirm",
    "on_payment_partial_refund",
    "on_payment_refund",
    "on_payment_failed",
]


def _any_directive(ref: str) -> Directive:
    return Directive(0, "", ref, {}, "completed", 0, ManualClock().now(), 0)


def hold(ref: str, key: str | None = None, **fields: Any) -> NewDirective:
    """A directive to enqueue."""
    return NewDirective(Topic.HOLD, ref, {"payment_method": {"token": "t"}}, key, **fields)


def waits(case: Case, now: Any) -> Changes:
    """A decision that keeps the directive running."""
    return Changes()


def completes(case: Case, now: Any) -> Changes:
    """A decision that settles it."""
    return Changes(
        directive=DirectiveChange(
            DirectiveStatus.COMPLETED, case.directive.attempts, result={"done": True}
        )
    )


def claim(kit: Kit, limit: int = 10, decide: Any = waits, owner: str = "w1") -> list[Written]:
    """Claim with the contract's lease."""
    found: list[Written] = kit.store.claim(
        owner=owner, limit=limit, lease=LEASE, decide=decide, tell=True
    )
    return found


def settle(kit: Kit, *pairs: tuple[Directive, Any]) -> list[Written]:
    """Settle directives with ``(case, now, fenced) -> changes`` functions."""
    found: list[Written] = kit.store.settle(
        [Settlement(d.id, d.order_ref, d.fence, resolve) for d, resolve in pairs], tell=True
    )
    return found
