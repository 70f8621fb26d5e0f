"""Looks over every request at the moment it leaves for a gateway: I07, I08, I09 and I16."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from omniman_payment_core.records import DirectiveStatus, OperationKind, OperationState

from .violations import hold

if TYPE_CHECKING:
    from .wire import WatchedWire
    from .world import World


def watch_call(world: World, wire: WatchedWire, method: str, asked: Mapping[str, Any]) -> str:
    """Check one call as it leaves; the key of its operation, or nothing for a read."""
    call = world.calling
    assert call is not None, "a backend was called, and not by the engine"
    hold("I09 no open transaction", not world.in_transaction, call)
    payment = world.store.payments.get(call.payment_id or "")
    if payment is None:
        hold("I09 committed before it is sent", False, call)
        return ""
    bound = (payment.account, payment.fingerprint) == (call.account, wire.fingerprint)
    hold("I16 the payment's own account", bound, (call, wire.fingerprint, payment))
    key = call.idempotency_key
    if key is None:
        return ""
    hold("I07 one key", asked.get("idempotency_key", key) == key, (asked, key))
    operation = world.store.operations.get(key)
    if operation is None:
        hold("I09 committed before it is sent", False, call)
        return ""
    # What somebody reads meanwhile may settle it before this call has left; never take it back.
    taken_back = operation.state in (OperationState.PLANNED, OperationState.ABANDONED)
    sent = operation.first_sent_at is not None and not taken_back
    hold("I09 committed as sent", sent, operation)
    hold("I09 the newest attempt", operation.attempts == call.attempt, (operation, call))
    same = (operation.payment_id, operation.kind, operation.amount_q, operation.currency)
    said = (call.payment_id, call.method, call.amount_q, call.currency)
    hold("I07 as it was committed", same == said, (operation, call))
    now = world.clock.now()
    live = any(
        directive.status == DirectiveStatus.RUNNING
        and directive.fence == operation.fence
        and directive.lease_until is not None
        and now <= directive.lease_until
        for directive in world.store.directives.values()
        if directive.order_ref == call.order_ref
    )
    hold("I09 under a live lease", live, (now, operation))
    # Preparing moves no money, with whatever key.
    windowed = "idempotency_key" in asked and method != OperationKind.PREPARE
    if windowed and operation.window_until is not None:
        hold("I08 a key that is remembered", now < operation.window_until, (now, operation))
    return key
