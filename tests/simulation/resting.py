"""What must hold once faults have stopped and nothing is due: liveness, and true books."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from omniman_payment_core.records import (
    Directive,
    DirectiveStatus,
    EventKind,
    OperationState,
    Payment,
)

from .truth import returned_q
from .violations import hold

if TYPE_CHECKING:
    from .world import World


_ABOUT_A_DOUBT = ("outcome_unknown", "blocked_by_unknown")


def rest(world: World) -> None:
    """Everything ended, agrees with the gateways, or waits where a person sees it."""
    _everything_ended(world)
    _books_equal_gateways(world)
    _ledger_adds_up(world)
    _cancelled_means_zero(world)
    _paid_means_told(world)
    _observers_heard(world)
    _flags_can_be_settled(world)


def _everything_ended(world: World) -> None:
    store = world.store
    for directive in store.directives.values():
        ended = directive.status in (DirectiveStatus.COMPLETED, DirectiveStatus.FAILED)
        parked = directive.status == DirectiveStatus.PARKED and any(
            flag.directive_id == directive.id or flag.order_ref == directive.order_ref
            for flag in store.flags.values()
        )
        hold("L01 ended or shown", ended or parked, directive)
        hold("L01 parked for a reason", ended or _has_a_reason(world, directive), directive)
    for operation in store.operations.values():
        open_ = operation.state in (OperationState.PLANNED, OperationState.SENT)
        hold("L01 nothing under way", not open_, operation)
        if operation.state == OperationState.PARKED:
            flagged = any(flag.payment_id == operation.payment_id for flag in store.flags.values())
            hold("L01 parked and shown", flagged, operation)


def _has_a_reason(world: World, directive: Directive) -> bool:
    """Nothing is parked behind a doubt that is none any more, and no person asked about it."""
    store = world.store
    ours = {p.id for p in store.payments.values() if p.order_ref == directive.order_ref}
    doubt = any(
        operation.state == OperationState.PARKED
        for operation in store.operations.values()
        if operation.payment_id in ours
    )
    return doubt or any(
        flag.order_ref == directive.order_ref and flag.kind not in _ABOUT_A_DOUBT
        for flag in store.flags.values()
    )


def _flagged(world: World, payment: Payment) -> bool:
    return any(flag.payment_id == payment.id for flag in world.store.flags.values())


def _books_equal_gateways(world: World) -> None:
    known = {p.transaction_id: p for p in world.store.payments.values()}
    for one in world.accounts.all:
        for name in one.gateway.transactions():
            txn = one.gateway.transaction(name)
            assert txn is not None
            payment = known.get(name)
            if payment is None:
                if not (txn.authorized_q or txn.captured_q or txn.waiting):
                    continue
                shown = any(f.order_ref == txn.order_ref for f in world.store.flags.values())
                hold("L02 known or shown", shown, f"nobody knows of {txn}")
                continue
            hold("I21 at its own account", payment.account == one.name, (payment, txn))
            if _flagged(world, payment) or not one.shows_amounts:
                continue
            hold("L02 captured", payment.captured_q == txn.captured_q, (payment, txn))
            hold("L02 refunded", payment.refunded_q == returned_q(txn), (payment, txn))
            hold("L02 disputed", payment.disputed_q == txn.disputed_q, (payment, txn))
            held = max(0, txn.authorized_q - txn.captured_q - txn.released_q)
            hold("L02 held", payment.open_q == held, (payment, txn))
            booked = sum(
                event.amount_q
                for event in world.store.events.values()
                if event.payment_id == payment.id and event.kind == EventKind.CAPTURED
            )
            hold("I10 every receipt booked once", booked == txn.captured_q, (payment, txn))


def _ledger_adds_up(world: World) -> None:
    """I22 on our side: what was held and taken is somewhere, for each account and currency."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for payment in world.store.payments.values():
        where = (payment.account, payment.currency)
        if payment.authorized_q > 0 and payment.captured_q <= payment.authorized_q:
            sums[where] += payment.authorized_q - payment.captured_q - payment.released_q
            sums[where] -= payment.open_q
    hold("I22 nothing appears or vanishes", not any(sums.values()), dict(sums))


def _cancelled_means_zero(world: World) -> None:
    for ref, order in world.store.orders.items():
        if not order.view.cancelled:
            continue
        if ref in world.operator.gave_up:
            continue
        accounts = [one for one in world.accounts.all if one.shows_amounts]
        zero = all(
            one.gateway.moved_q(ref) == 0 and one.gateway.held_q(ref) == 0 for one in accounts
        )
        flagged = any(flag.order_ref == ref for flag in world.store.flags.values())
        hold("L03 cancelled means zero", zero or flagged or _refused(world, ref), (ref, order.data))


def _refused(world: World, ref: str) -> bool:
    """A refund of it was tried and refused, or taken by a dispute: said on its directive."""
    return any(
        d.order_ref == ref and d.topic == "payment.refund" and d.status == DirectiveStatus.FAILED
        for d in world.store.directives.values()
    )


def _paid_means_told(world: World) -> None:
    for ref, order in world.store.orders.items():
        latest = max(world.payments_of(ref), key=lambda p: p.attempt, default=None)
        if latest is None or order.view.cancelled:
            continue
        if latest.status == "captured":
            hold("L04 paid means told", "on_payment_confirm" in order.triggers, (ref, latest))


def _observers_heard(world: World) -> None:
    hold("telling every change", not world.store.notices, world.store.notices)
    unheard = [move for move in world.hearing.moves if not world.hearing.heard[move]]
    hold("telling every change", not unheard, unheard)


def _flags_can_be_settled(world: World) -> None:
    """L07: what waits for a person says what it is about and, in doubt, what to do about it."""
    for flag in world.store.flags.values():
        about = flag.payment_id or flag.directive_id or flag.account
        hold("L07 a flag says what it is about", bool(flag.message and about), flag)
        if flag.kind == "outcome_unknown":
            hold("L07 a flag names the way out", "payments verdict" in flag.message, flag)
