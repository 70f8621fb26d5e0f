"""What must always hold, over the gateway's true books and the store; named as in the design.

``check_always`` holds at every instant, also right after a crash. ``check_at_rest`` holds
once faults have stopped and nothing is due any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from omniman_payment_core.ledger import ALLOWED_MOVES, fold, status_of, summary_of
from omniman_payment_core.records import DirectiveStatus, OperationKind, OperationState, Payment
from omniman_payment_core.values import RefundStatus

if TYPE_CHECKING:
    from .world import World

_SILENT = (OperationState.PLANNED, OperationState.REFUSED, OperationState.ABANDONED)
_OPENING = (OperationKind.AUTHORIZE, OperationKind.CHARGE)


class Violation(AssertionError):
    """An invariant does not hold; the message begins with its name."""


def hold(name: str, condition: bool, detail: object) -> None:
    """Fail with the invariant's name."""
    if not condition:
        raise Violation(f"{name}: {detail}")


def check_always(world: World) -> None:
    """Safety."""
    _one_live_hold(world)
    _no_overcharge(world)
    _no_orphan_money(world)
    _keys_are_stable(world)
    _refunds_are_reserved(world)
    _books_fold(world)
    _moves_are_allowed(world)
    _cancel_is_respected(world)
    _one_operation_in_doubt(world)


def check_at_rest(world: World) -> None:
    """Liveness: everything ended, agrees with the gateway, or waits where a person sees it."""
    _everything_ended(world)
    _books_equal_gateway(world)
    _cancelled_means_zero(world)
    _paid_means_told(world)


def _expected_extra(world: World, ref: str) -> bool:
    """The payer paid by themselves what nobody asked for any more; no rule of ours forbids that."""
    return world.marks.get("payer:late", 0) > 0 or any(
        flag.order_ref == ref for flag in world.store.flags.values()
    )


def _one_live_hold(world: World) -> None:
    for ref in world.refs:
        live = [
            t
            for t in (world.gateway.transaction(n) for n in world.gateway.transactions(ref))
            if t is not None
            and (
                t.authorized_q - t.captured_q - t.released_q > 0 or t.captured_q - _returned(t) > 0
            )
        ]
        hold("I01", len(live) <= 1 or _expected_extra(world, ref), (ref, live))


def _returned(txn: object) -> int:
    return sum(r.amount_q for r in txn.refunds if r.status == RefundStatus.SUCCEEDED)  # type: ignore[attr-defined]


def _no_overcharge(world: World) -> None:
    for ref in world.refs:
        moved = world.gateway.moved_q(ref)
        total = world.store.orders[ref].view.total_q
        hold("I02", moved <= total or _expected_extra(world, ref), (ref, moved, total))


def _no_orphan_money(world: World) -> None:
    for movement in world.gateway.moved:
        if movement.key is None:
            continue
        operation = world.store.operations.get(movement.key)
        hold("I03", operation is not None, f"money moved under unknown key {movement.key}")
        assert operation is not None
        silent = operation.state in _SILENT and not (
            # A refund that succeeded and failed later did move money, and moved it back.
            operation.kind == OperationKind.REFUND and operation.state == OperationState.REFUSED
        )
        hold("I03", not silent, (movement, operation))


def _keys_are_stable(world: World) -> None:
    frozen = world._baselines.setdefault("operations", {})
    for operation in world.store.operations.values():
        face = (operation.kind, operation.amount_q, operation.currency, operation.params_hash)
        hold("I07", frozen.setdefault(operation.key, face) == face, operation)


def _refunds_are_reserved(world: World) -> None:
    for payment in world.store.payments.values():
        ours = sum(
            r.amount_q
            for r in world.store.refunds.values()
            if r.payment_id == payment.id and r.status != RefundStatus.FAILED and not r.external
        )
        hold("I06", ours <= payment.captured_q, (payment, ours))
    for name in world.gateway.transactions():
        txn = world.gateway.transaction(name)
        assert txn is not None
        live = sum(r.amount_q for r in txn.refunds if r.status != RefundStatus.FAILED)
        hold("I06", live <= txn.captured_q, txn)


def _books_fold(world: World) -> None:
    folded_at = world._baselines.setdefault("versions", {})
    for payment in world.store.payments.values():
        if folded_at.get(payment.id) is payment:
            continue  # not a field of it has changed since it was last folded
        folded_at[payment.id] = payment
        mine = [e for e in world.store.events.values() if e.payment_id == payment.id]
        shuffled = mine * 2
        world.rng_for_checks.shuffle(shuffled)
        for order in (mine, shuffled):
            folded = fold(payment, order)
            hold("I11", folded == payment, (payment, folded))
        hold("I11", status_of(payment) is payment.status, payment)
    for ref, order in world.store.orders.items():
        latest = _latest(world, ref)
        if latest is not None:
            hold("I11", order.data.get("payment") == summary_of(latest), (ref, order.data))
            fired = order.triggers
            attempts = sum(1 for p in world.store.payments.values() if p.order_ref == ref)
            for trigger in set(fired):
                hold("I14", fired.count(trigger) <= attempts, (ref, fired))


def _latest(world: World, ref: str) -> Payment | None:
    attempts = [p for p in world.store.payments.values() if p.order_ref == ref]
    return max(attempts, key=lambda p: p.attempt, default=None)


def _moves_are_allowed(world: World) -> None:
    seen = world._baselines.setdefault("statuses", {})
    for payment in world.store.payments.values():
        before = seen.get(payment.id)
        if before is not None and before is not payment.status:
            allowed = ALLOWED_MOVES.get(before, frozenset())
            hold("moves", payment.status in allowed, (before, payment))
            world.marks[f"move:{before}->{payment.status}"] += 1
        seen[payment.id] = payment.status


def _cancel_is_respected(world: World) -> None:
    states = world._baselines.setdefault("sent", {})
    cancelled = world._baselines.setdefault("cancelled", set())
    for operation in world.store.operations.values():
        payment = world.store.payments[operation.payment_id]
        taking = operation.kind in (*_OPENING, OperationKind.CAPTURE)
        newly_sent = operation.state == OperationState.SENT and states.get(operation.key) in (
            None,
            OperationState.PLANNED,
        )
        if taking and newly_sent:
            hold("I20", payment.order_ref not in cancelled, operation)
        states[operation.key] = operation.state
    cancelled.update(ref for ref, order in world.store.orders.items() if order.view.cancelled)


def _one_operation_in_doubt(world: World) -> None:
    for payment in world.store.payments.values():
        doubtful = [
            op
            for op in world.store.operations.values()
            if op.payment_id == payment.id and op.unsettled
        ]
        hold("one in doubt", len(doubtful) <= 1, doubtful)


def _everything_ended(world: World) -> None:
    store = world.store
    for directive in store.directives.values():
        ended = directive.status in (DirectiveStatus.COMPLETED, DirectiveStatus.FAILED)
        parked = directive.status == DirectiveStatus.PARKED and any(
            flag.directive_id == directive.id or flag.order_ref == directive.order_ref
            for flag in store.flags.values()
        )
        hold("L01", ended or parked, directive)
    for operation in store.operations.values():
        open_ = operation.state in (OperationState.PLANNED, OperationState.SENT)
        hold("L01", not open_, operation)
        if operation.state == OperationState.PARKED:
            flagged = any(flag.payment_id == operation.payment_id for flag in store.flags.values())
            hold("L01", flagged, operation)
    hold("told", not store.notices, store.notices)


def _flagged(world: World, payment: Payment) -> bool:
    return any(flag.payment_id == payment.id for flag in world.store.flags.values())


def _books_equal_gateway(world: World) -> None:
    known = {p.transaction_id: p for p in world.store.payments.values()}
    for name in world.gateway.transactions():
        txn = world.gateway.transaction(name)
        assert txn is not None
        payment = known.get(name)
        if payment is None:
            orphan_flagged = any(f.order_ref == txn.order_ref for f in world.store.flags.values())
            hold("L02", orphan_flagged, f"nobody knows of {txn}")
            continue
        if _flagged(world, payment) or world.strength.startswith("five_methods"):
            # Six plain fields cannot tell partial amounts; the sums are checked for the others.
            continue
        hold("L02 captured", payment.captured_q == txn.captured_q, (payment, txn))
        hold("L02 refunded", payment.refunded_q == _returned(txn), (payment, txn))
        held = max(0, txn.authorized_q - txn.captured_q - txn.released_q)
        hold("L02 held", payment.open_q == held, (payment, txn))


def _cancelled_means_zero(world: World) -> None:
    if world.strength.startswith("five_methods"):
        # A bare "captured" does not show that a refund failed later.
        return
    for ref, order in world.store.orders.items():
        if not order.view.cancelled:
            continue
        flagged = any(flag.order_ref == ref for flag in world.store.flags.values())
        zero = world.gateway.moved_q(ref) == 0 and world.gateway.held_q(ref) == 0
        hold("L03", zero or flagged or _returning(world, ref), (ref, order.data))


def _returning(world: World, ref: str) -> bool:
    """A refund of it was tried and refused, or taken by a dispute: said on its directive."""
    return any(
        d.order_ref == ref and d.topic == "payment.refund" and d.status == DirectiveStatus.FAILED
        for d in world.store.directives.values()
    )


def _paid_means_told(world: World) -> None:
    for ref, order in world.store.orders.items():
        latest = _latest(world, ref)
        if latest is None or order.view.cancelled:
            continue
        if latest.status == "captured":
            hold("L04", "on_payment_confirm" in order.triggers, (ref, order.triggers))
