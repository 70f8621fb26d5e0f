"""A store in memory: the small twin of a host's database, for tests and simulation.

Keeps the same promises (one transaction for each method, fences, one running directive for
an order, unique keys) and checks what a database would enforce. Not for production: it
forgets everything with the process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ..decisions import sync_of
from ..engine.ports import Clock, Settlement, Written
from ..engine.telling import change_of
from ..notices import PaymentChange
from ..records import (
    ABOUT_UNKNOWN,
    CallRecord,
    Case,
    Changes,
    ChannelView,
    Directive,
    DirectiveStatus,
    Event,
    Flag,
    NewDirective,
    OpenDirective,
    Operation,
    OrderView,
    Payment,
    Refund,
    Topic,
    Trigger,
    evolve,
)

_OPEN = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)
_ENDED = (DirectiveStatus.COMPLETED, DirectiveStatus.FAILED)


class StoredOrder:
    """An order with the two things a payment may change: its summary and its status."""

    def __init__(self, view: OrderView) -> None:
        self.view = view
        self.data: dict[str, Any] = {}
        self.triggers: list[Trigger] = []


class MemoryStore:
    """Implements :class:`~omniman_payment_core.engine.ports.Store`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.orders: dict[str, StoredOrder] = {}
        self.directives: dict[int, Directive] = {}
        self.payments: dict[str, Payment] = {}
        self.operations: dict[str, Operation] = {}
        self.refunds: dict[str, Refund] = {}
        self.events: dict[str, Event] = {}
        self.flags: dict[str, Flag] = {}
        self.calls: list[CallRecord] = []
        self.notices: dict[tuple[str, int], PaymentChange] = {}
        self._by_order: dict[str, list[int]] = {}
        self._payments_of: dict[str, list[str]] = {}
        self._operations_of: dict[str, list[str]] = {}
        self._refunds_of: dict[str, list[str]] = {}
        self._by_dedupe: dict[str, int] = {}
        self._next_id = 1

    # -- what a host's order hub does ------------------------------------------------------

    def add_order(
        self,
        ref: str,
        *,
        total_q: int,
        currency: str = "BRL",
        channel: str = "shop",
        config: Mapping[str, Any] | None = None,
        status: str = "new",
    ) -> OrderView:
        """Put an order there, as a committed session would."""
        view = OrderView(ref, ChannelView(channel, config or {}), status, currency, total_q)
        self.orders[ref] = StoredOrder(view)
        return view

    def cancel_order(self, ref: str) -> None:
        """Mark an order cancelled, as a shop would."""
        order = self.orders[ref]
        order.view = replace(order.view, cancelled=True, status="cancelled")

    # -- the port --------------------------------------------------------------------------

    def claim(
        self,
        *,
        owner: str,
        limit: int,
        lease: timedelta,
        decide: Callable[[Case, datetime], Changes],
        tell: bool,
    ) -> list[Written]:
        now = self.clock.now()
        written = []
        for directive in self._due(now, limit):
            crashed = directive.status == DirectiveStatus.RUNNING
            claimed = evolve(
                directive,
                status=DirectiveStatus.RUNNING,
                attempts=directive.attempts + (1 if crashed else 0),
                fence=directive.fence + 1,
                lease_owner=owner,
                lease_until=now + lease,
                available_at=now + lease,
                waiting=False,
            )
            self.directives[directive.id] = claimed
            case = self._case(claimed)
            changes = decide(case, now)
            self._apply(case, changes, now, tell)
            written.append(Written(case, changes))
        return written

    def _due(self, now: datetime, limit: int) -> list[Directive]:
        due = [d for d in self.directives.values() if d.available_at <= now and d.status in _OPEN]
        if not due:
            return due
        due.sort(key=lambda d: (d.available_at, d.id))
        taken: set[str] = set()
        found: list[Directive] = []
        for directive in due:
            if len(found) == limit:
                break
            if directive.order_ref in taken or self._is_running(directive.order_ref, now):
                continue
            taken.add(directive.order_ref)
            found.append(directive)
        return found

    def _is_running(self, order_ref: str, now: datetime) -> bool:
        return any(
            self.directives[number].status == DirectiveStatus.RUNNING
            and self.directives[number].available_at > now
            for number in self._by_order.get(order_ref, ())
        )

    def settle(self, settlements: Sequence[Settlement], *, tell: bool) -> list[Written]:
        now = self.clock.now()
        written = []
        for settlement in settlements:
            directive = self.directives[settlement.directive_id]
            fenced = (
                directive.fence == settlement.fence
                and directive.status == DirectiveStatus.RUNNING
                # Once the lease is over, another directive of the order may be running.
                and directive.available_at > now
            )
            case = self._case(directive)
            changes = settlement.resolve(case, now, fenced)
            self._apply(case, changes, now, tell)
            written.append(Written(case, changes, fenced))
        return written

    def enqueue(self, directives: Sequence[NewDirective]) -> list[int]:
        now = self.clock.now()
        return [number for new in directives if (number := self._enqueue(new, now)) is not None]

    def arm_checks(self, limit: int) -> int:
        now = self.clock.now()
        due = [
            payment
            for payment in self.payments.values()
            if payment.next_check_at is not None and payment.next_check_at <= now
        ][:limit]
        for payment in due:
            self.payments[payment.id] = evolve(payment, next_check_at=None)
            self._enqueue(sync_of(payment.order_ref, payment.id), now)
        return len(due)

    def untold(self, older_than: timedelta, limit: int) -> list[PaymentChange]:
        before = self.clock.now() - older_than
        return [change for change in self.notices.values() if change.at <= before][:limit]

    def told(self, changes: Sequence[PaymentChange]) -> None:
        for change in changes:
            self.notices.pop((change.payment_id, change.version), None)

    # -- whole-state copies, for a simulated rollback --------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Everything stored; values are immutable, so shallow copies are enough."""
        saved = {
            name: copy(value)
            for name, value in vars(self).items()
            if name not in ("clock", "orders", "_by_order", "_payments_of", "_operations_of")
        }
        saved["orders"] = {ref: _copy_order(order) for ref, order in self.orders.items()}
        for name in ("_by_order", "_payments_of", "_operations_of", "_refunds_of"):
            saved[name] = {key: list(ids) for key, ids in getattr(self, name).items()}
        return saved

    def restore(self, saved: dict[str, Any]) -> None:
        """Roll back to a snapshot, which must not be used again."""
        for name, value in saved.items():
            setattr(self, name, value)

    # -- inside ----------------------------------------------------------------------------

    def _case(self, directive: Directive) -> Case:
        ref = directive.order_ref
        order = self.orders.get(ref)
        payments = [self.payments[i] for i in self._payments_of.get(ref, ())]
        operations: list[Operation] = []
        refunds: list[Refund] = []
        for payment in payments:
            operations += [self.operations[k] for k in self._operations_of.get(payment.id, ())]
            refunds += [self.refunds[k] for k in self._refunds_of.get(payment.id, ())]
        others = [self.directives[n] for n in self._by_order[ref] if n != directive.id]
        return Case(
            directive=directive,
            order=order.view if order else None,
            payments=tuple(payments),
            operations=tuple(operations),
            refunds=tuple(refunds),
            others=tuple(
                [
                    OpenDirective(other.id, other.topic, other.status, other.identity)
                    for other in others
                    if other.status not in _ENDED
                ]
            ),
        )

    def _apply(self, case: Case, changes: Changes, now: datetime, tell: bool) -> None:
        directive = self.directives[case.directive.id]
        if changes.directive is not None:
            change = changes.directive
            self.directives[directive.id] = evolve(
                directive,
                status=change.status,
                attempts=change.attempts,
                available_at=change.available_at or directive.available_at,
                waiting=change.waiting,
                result=change.result,
                last_error=change.last_error,
                lease_owner="",
                lease_until=None,
            )
        self._apply_payment(changes)
        for operation in changes.new_operations:
            assert operation.key not in self.operations, f"operation {operation.key} twice"
            self.operations[operation.key] = operation
            self._operations_of.setdefault(operation.payment_id, []).append(operation.key)
        for operation in changes.operations:
            self.operations[operation.key] = operation
        for refund in changes.new_refunds:
            assert refund.id not in self.refunds, f"refund {refund.id} twice"
            self.refunds[refund.id] = refund
            self._refunds_of.setdefault(refund.payment_id, []).append(refund.id)
        for refund in changes.refunds:
            self.refunds[refund.id] = refund
        for event in changes.events:
            assert event.dedupe_key not in self.events, f"fact {event.dedupe_key} twice"
            self.events[event.dedupe_key] = event
        if changes.found_out is not None:
            self._settle_flags(case.directive.order_ref)
        for flag in changes.flags:
            self.flags.setdefault(flag.dedupe_key, flag)
        if changes.call is not None:
            self.calls.append(changes.call)
        order = self.orders.get(case.directive.order_ref)
        if order is not None:
            if changes.summary is not None:
                order.data = {**order.data, "payment": dict(changes.summary)}
            order.triggers.extend(changes.triggers)
        if changes.move is not None and tell:
            moved = change_of(changes.move, now)
            self.notices[(moved.payment_id, moved.version)] = moved
        for new in changes.new_directives:
            self._enqueue(new, now)
        if changes.wake:
            self._wake(case.directive.order_ref, now)
        if changes.revive:
            self._revive(case.directive.order_ref, now)

    def _apply_payment(self, changes: Changes) -> None:
        payment = changes.payment
        if payment is None:
            return
        if changes.payment_is_new:
            ids = self._payments_of.setdefault(payment.order_ref, [])
            assert payment.id not in self.payments, "one payment id twice"
            assert all(self.payments[i].attempt != payment.attempt for i in ids), "attempt twice"
            ids.append(payment.id)
        else:
            stored = self.payments[payment.id]
            assert payment.version == stored.version + 1, "a payment was changed behind our back"
        self.payments[payment.id] = payment

    def _enqueue(self, new: NewDirective, now: datetime) -> int | None:
        known = self._by_dedupe.get(new.dedupe_key) if new.dedupe_key else None
        due = new.available_at or now
        if known is not None:
            if new.topic != Topic.SYNC:
                return None
            directive = self.directives[known]
            woken = evolve(directive, wakes=directive.wakes + 1)
            if directive.status != DirectiveStatus.RUNNING:
                earliest = (
                    min(due, directive.available_at)
                    if directive.status == DirectiveStatus.PENDING
                    else due
                )
                woken = evolve(
                    woken,
                    status=DirectiveStatus.PENDING,
                    available_at=earliest,
                    attempts=0 if directive.status != DirectiveStatus.PENDING else woken.attempts,
                )
            self.directives[known] = woken
            return known
        number, self._next_id = self._next_id, self._next_id + 1
        self.directives[number] = Directive(
            id=number,
            topic=new.topic,
            order_ref=new.order_ref,
            payload=new.payload,
            status=DirectiveStatus.PENDING,
            attempts=0,
            available_at=due,
            fence=0,
            dedupe_key=new.dedupe_key,
        )
        self._by_order.setdefault(new.order_ref, []).append(number)
        if new.dedupe_key:
            self._by_dedupe[new.dedupe_key] = number
        return number

    def _wake(self, order_ref: str, now: datetime) -> None:
        for number in self._by_order.get(order_ref, ()):
            directive = self.directives[number]
            if directive.waiting and directive.status == DirectiveStatus.PENDING:
                self.directives[number] = evolve(directive, available_at=now, waiting=False)

    def _settle_flags(self, order_ref: str) -> None:
        for key, flag in list(self.flags.items()):
            if flag.order_ref == order_ref and flag.kind in ABOUT_UNKNOWN:
                del self.flags[key]

    def _revive(self, order_ref: str, now: datetime) -> None:
        for number in self._by_order.get(order_ref, ()):
            directive = self.directives[number]
            if directive.status == DirectiveStatus.PARKED:
                self.directives[number] = evolve(
                    directive,
                    status=DirectiveStatus.PENDING,
                    attempts=0,
                    available_at=now,
                    waiting=False,
                )


def _copy_order(order: StoredOrder) -> StoredOrder:
    twin = StoredOrder(order.view)
    twin.data, twin.triggers = dict(order.data), list(order.triggers)
    return twin
