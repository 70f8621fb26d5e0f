"""What must always hold, over the gateways' true books and the store; named as in the design.

``check_always`` holds at every instant, also right after a crash; it looks at what has changed
since the last check, and from time to time at everything. ``check_at_rest``, in
:mod:`.resting`, holds once faults have stopped and nothing is due any more.

Checked here: I01 to I06, I11, I13 to I15, I19, I20, I22. Elsewhere: I07, I08, I09 and I16 as each
call leaves (:mod:`.watching`); I10 and L01 to L04, L06 and L07 at rest (:mod:`.resting`); I12 and
I21 as notifications arrive (:mod:`.inbox`); I17 as each settlement is written (:mod:`.stores`);
the telling of observers in :mod:`.hearing`. I18, that no secret is stored or logged, needs real
secrets and is proven over a real host in ``tests/security``; L05, that poisoned directives hold
up nobody, by a history of its own in :mod:`.test_histories`.
"""

from __future__ import annotations

from collections import defaultdict
from operator import is_not
from typing import TYPE_CHECKING, Any, TypeVar, cast

from omniman_payment_core.ledger import ALLOWED_MOVES, fold, status_of, summary_of
from omniman_payment_core.records import (
    DirectiveStatus,
    Operation,
    OperationKind,
    OperationState,
    Payment,
    Trigger,
)
from omniman_payment_core.values import RefundStatus
from omniman_payment_mock.transactions import Transaction

from .onlooker import onlooker_of
from .resting import rest
from .truth import came_back, held_q, returned_q
from .violations import Violation, hold

if TYPE_CHECKING:
    from .accounts import SimAccount
    from .wire import Effect
    from .world import World

__all__ = ["Violation", "check_always", "check_at_rest", "hold"]

FULL_CHECK_EVERY = 16
OPENING = (OperationKind.AUTHORIZE, OperationKind.CHARGE)
_SILENT = (OperationState.PLANNED, OperationState.REFUSED, OperationState.ABANDONED)
_ENDED = (OperationState.REFUSED, OperationState.ABANDONED)
_Row = TypeVar("_Row")


class Seen:
    """What the last check saw, and what must never change."""

    def __init__(self) -> None:
        self.checks = 0
        self.faces: dict[str, Any] = {}
        self.states: dict[str, str] = {}
        self.statuses: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.carried_out: dict[str, Effect] = {}
        """What had an effect at a gateway, by its operation."""
        self.effects: dict[str, int] = defaultdict(int)
        self.forget()

    def forget(self) -> None:
        """Look at everything again."""
        self.payments: dict[str, Payment] = {}
        self.operations: dict[str, Operation] = {}
        self.refunds: dict[str, Any] = {}
        self.directives: dict[int, Any] = {}
        self.summaries: dict[str, Any] = {}
        self.flags: dict[str, Any] = {}
        self.events = 0


def check_always(watched: Any) -> None:
    """Safety, of a world or of any shop that has a ``store`` and a ``gateway``."""
    world = _world_of(watched)
    if world.broken:
        raise world.broken[0]
    seen: Seen = world.seen or Seen()
    world.seen = seen
    seen.checks += 1
    full = seen.checks % FULL_CHECK_EVERY == 0
    if full:
        seen.forget()
    store = world.store
    payments = _changed(store.payments, seen.payments)
    operations = _changed(store.operations, seen.operations)
    orders = {payment.order_ref for payment in payments}
    _no_effect_without_a_commitment(world, seen, operations)
    for operation in operations:
        _operation(world, seen, operation)
    if operations:
        _one_in_doubt(world)
    for payment in payments:
        _payment(world, seen, payment)
    for refund in _changed(store.refunds, seen.refunds):
        _refunds_are_reserved(world, refund.payment_id)
    for directive in _changed(store.directives, seen.directives):
        _directive(world, directive)
    for one in world.accounts.all:
        touched = list(one.gateway.transactions()) if full else one.books.touched
        for name in touched:
            txn = one.gateway.transaction(name)
            assert txn is not None
            orders.add(txn.order_ref)
            _transaction(world, one, txn)
        one.books.touched.clear()
    for ref in orders:
        _order(world, ref)
    _events(world, seen)
    _flags(world, seen)
    seen.cancelled.update(ref for ref, order in store.orders.items() if order.view.cancelled)


def check_at_rest(watched: Any) -> None:
    """Liveness, and true books."""
    rest(_world_of(watched))


def _world_of(watched: Any) -> World:
    return watched if hasattr(watched, "seen") else cast("World", onlooker_of(watched))


def _changed(rows: dict[Any, _Row], seen: dict[Any, _Row]) -> list[_Row]:
    """The rows that are not what they were; rows are values, so a changed one is another."""
    if len(rows) == len(seen) and not any(map(is_not, rows.values(), seen.values())):
        return []
    found = [row for key, row in rows.items() if seen.get(key) is not row]
    seen.clear()
    seen.update(rows)
    return found


# -- the gateway's side ------------------------------------------------------------------------


def _transaction(world: World, one: SimAccount, txn: Transaction) -> None:
    hold("I04 an order stands behind it", txn.order_ref in world.store.orders, txn)
    asked = max(txn.amount_q, txn.authorized_q)
    hold("I05 capture within the hold", txn.captured_q + txn.released_q <= asked, txn)
    live = sum(r.amount_q for r in txn.refunds if r.status != RefundStatus.FAILED)
    hold("I06 refunds within the capture", live <= txn.captured_q, txn)
    moved = sum(
        m.amount_q for m in one.books.movements(txn.order_ref) if m.transaction_id == txn.id
    )
    kept = txn.captured_q - returned_q(txn) - txn.disputed_q
    hold("I22 nothing appears or vanishes", moved == kept, (txn, moved))


def _order(world: World, ref: str) -> None:
    """What the shopper of an order is held and short of, by what the shop itself asked for.

    What somebody paid unasked, after it was closed, is for I10.
    """
    held, taken = [], 0
    for one in world.accounts.all:
        for name in one.gateway.transactions(ref):
            txn = one.gateway.transaction(name)
            if txn is None or name in world.payers.unasked or came_back(one, txn):
                continue
            kept = txn.captured_q - returned_q(txn) - txn.disputed_q
            taken += kept
            if held_q(one, txn) > 0 or kept > 0:
                held.append(txn)
    hold("I01 one live hold", len(held) <= 1, (ref, held))
    total = world.store.orders[ref].view.total_q
    hold("I02 never above the total", taken <= total, (ref, taken, total))
    order = world.store.orders[ref]
    attempts = world.payments_of(ref)
    latest = max(attempts, key=lambda p: p.attempt, default=None)
    if latest is None:
        return
    hold("I11 the order's summary", order.data.get("payment") == summary_of(latest), (ref, latest))
    for trigger in set(order.triggers):
        fired = sum(1 for payment in attempts if trigger in payment.fired)
        hold("I14 once for a payment", order.triggers.count(trigger) <= fired, (ref, trigger))


def _no_effect_without_a_commitment(world: World, seen: Seen, operations: list[Operation]) -> None:
    for one in world.accounts.all:
        effects = one.wire.effects
        for effect in effects[seen.effects[one.name] :]:
            seen.carried_out[effect.key] = effect
            operation = world.store.operations.get(effect.key)
            hold("I03 no orphan money", operation is not None, effect)
            assert operation is not None
            _is_known(world, effect, operation)
            account = world.store.payments[operation.payment_id].account
            hold("I16 the payment's own account", account == one.name, (effect, account))
        seen.effects[one.name] = len(effects)
    for operation in operations:
        if operation.key in seen.carried_out:
            _is_known(world, seen.carried_out[operation.key], operation)


def _is_known(world: World, effect: Effect, operation: Operation) -> None:
    """What moved money is not taken for something that had no effect. A cancellation moves none."""
    if operation.kind == OperationKind.CANCEL:
        return
    hold(
        "I03 no orphan money",
        operation.state not in _SILENT or _moved_nothing(world, effect, operation),
        operation,
    )


def _moved_nothing(world: World, effect: Effect, operation: Operation) -> bool:
    """An opening that nobody paid after all, or a refund that brought the money back."""
    payment = world.store.payments[operation.payment_id]
    named = (effect.result.reference, effect.result.transaction_id)
    gateway = world.accounts[payment.account].gateway
    opened = effect.result.transaction_id if operation.kind in OPENING else None
    txn = gateway.transaction(opened or payment.transaction_id or "")
    if txn is None:
        return False
    if operation.kind in OPENING:
        return operation.state == OperationState.REFUSED and txn.authorized_q == 0
    return operation.kind == OperationKind.REFUND and any(
        refund.status == RefundStatus.FAILED
        for refund in txn.refunds
        if refund.reference in named or refund.idempotency_key == operation.key
    )


# -- the shop's side ---------------------------------------------------------------------------


def _operation(world: World, seen: Seen, operation: Operation) -> None:
    key = operation.key
    face = (
        operation.payment_id, operation.kind, operation.ordinal, operation.amount_q,
        operation.currency, operation.params_hash, operation.cause, operation.address,
    )  # fmt: skip
    hold("I07 key stability", seen.faces.setdefault(key, face) == face, operation)
    before = seen.states.get(key, OperationState.PLANNED)
    seen.states[key] = operation.state
    if before == operation.state:
        return
    world.marks[f"operation:{operation.kind}:{operation.state}"] += 1
    payment = world.store.payments[operation.payment_id]
    if operation.state == OperationState.SENT and before == OperationState.PLANNED:
        taking = operation.kind in (*OPENING, OperationKind.CAPTURE, OperationKind.PREPARE)
        after_cancel = taking and payment.order_ref in seen.cancelled
        hold("I20 cancel respected", not after_cancel, operation)
    if operation.state in _ENDED and before != OperationState.PLANNED:
        told = operation.evidence or operation.code
        hold("I15 unknown is not failed", bool(told), operation)
    by_directive = any(
        directive.identity == operation.cause for directive in world.store.directives.values()
    )
    hold("I19 a cause", by_directive, operation)


def _one_in_doubt(world: World) -> None:
    doubtful: set[str] = set()
    for operation in world.store.operations.values():
        if operation.unsettled:
            hold("one in doubt", operation.payment_id not in doubtful, operation)
            doubtful.add(operation.payment_id)


def _payment(world: World, seen: Seen, payment: Payment) -> None:
    before = seen.statuses.get(payment.id)
    seen.statuses[payment.id] = payment.status
    if before is not None and before is not payment.status:
        allowed = ALLOWED_MOVES.get(before, frozenset())  # type: ignore[call-overload]
        hold("moves", payment.status in allowed, (before, payment))
        world.marks[f"move:{before}->{payment.status}"] += 1
    mine = [event for event in world.store.events.values() if event.payment_id == payment.id]
    shuffled = mine * 2
    world.rng_for_checks.shuffle(shuffled)
    # What holds in any order, with repetitions, also holds in the order in which they came.
    folded = fold(payment, shuffled)
    hold("I11 the sum of its facts", folded == payment, (payment, folded))
    hold("I11 the status of its sums", status_of(payment) is payment.status, payment)
    if payment.authorized_q:
        captures = sum(
            op.amount_q
            for op in world.store.operations.values()
            if op.payment_id == payment.id
            and op.kind == OperationKind.CAPTURE
            and op.state not in _SILENT
        )
        hold("I05 captures within the hold", captures <= payment.authorized_q, payment)
    hold("I14 once for a payment", len(set(payment.fired)) == len(payment.fired), payment)
    if Trigger.CONFIRM in payment.fired and before is not None and before != payment.status:
        _is_really_paid(world, payment)


def _is_really_paid(world: World, payment: Payment) -> None:
    """I13, at the moment when the order is told."""
    if payment.status != "captured":
        return
    txn = world.accounts[payment.account].gateway.transaction(payment.transaction_id or "")
    paid = txn is not None and txn.currency == payment.currency
    paid = paid and txn is not None and txn.captured_q >= payment.captured_q
    due = payment.amount_q - (payment.released_q if payment.authorized_q else 0)
    hold("I13 paid means paid", paid and payment.captured_q >= due, (payment, txn))


def _refunds_are_reserved(world: World, payment_id: str) -> None:
    payment = world.store.payments[payment_id]
    ours = sum(
        refund.amount_q
        for refund in world.store.refunds.values()
        if refund.payment_id == payment_id
        and refund.status != RefundStatus.FAILED
        and not refund.external
    )
    hold("I06 refunds are reserved", ours <= payment.captured_q, (payment, ours))


def _directive(world: World, directive: Any) -> None:
    if directive.status not in (DirectiveStatus.FAILED, DirectiveStatus.COMPLETED):
        return
    for operation in world.store.operations.values():
        if operation.cause == directive.identity:
            hold("I15 no end in doubt", not operation.in_doubt, (directive, operation))


def _events(world: World, seen: Seen) -> None:
    events = world.store.events
    if len(events) == seen.events:
        return
    for event in list(events.values())[seen.events :]:
        hold("I19 an actor and a source", bool(event.actor and event.source), event)
        world.marks[f"fact:{event.kind}"] += 1
    seen.events = len(events)


def _flags(world: World, seen: Seen) -> None:
    for flag in _changed(world.store.flags, seen.flags):
        hold("no bug of ours", flag.kind != "engine_bug", flag)
        world.marks[f"flag:{flag.kind}"] += 1
