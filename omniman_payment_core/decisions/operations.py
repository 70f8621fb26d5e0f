"""Planning, sending and resolving operations: the write-ahead protocol as pure rules.

An operation is committed as ``sent`` before the first byte leaves, carries one key for all
its attempts, and is never sent again outside the window in which the gateway remembers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..currencies import format_amount
from ..records import GatewayRequest, Operation, OperationKind, OperationState, evolve
from .draft import Draft
from .terms import Terms


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call carries besides its amount; frozen together with the key."""

    digest: str
    payment_method: Mapping[str, Any] = field(default_factory=dict, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    capture: bool = False
    final: bool | None = None


def operation_key(payment_id: str, kind: str, ordinal: int) -> str:
    """The idempotency key: from the operation, never from the attempt or the directive.

    A payment's id is unique in the world and its account fixed, so the key is too. It keeps
    the id's order in time, which is the order in which a database likes its keys.
    """
    return f"omp_{payment_id}_{kind}_{ordinal}"


def next_key(draft: Draft, kind: str) -> tuple[int, str]:
    """The ordinal and the key of the operation of this kind that would be planned next."""
    ordinal = 1 + sum(1 for op in draft.operations() if op.kind == kind)
    return ordinal, operation_key(draft.touched.id, kind, ordinal)


def plan(
    draft: Draft,
    terms: Terms,
    kind: OperationKind,
    amount_q: int,
    parameters: Parameters,
    *,
    opens: bool = False,
) -> Operation:
    """A new operation of the chosen payment, ready to be sent.

    One that ``opens`` the transaction names it, where the backend lets us.
    """
    payment = draft.touched
    ordinal, key = next_key(draft, kind)
    if opens and payment.transaction_id is None and terms.choose_transaction_id is not None:
        payment = draft.update(transaction_id=terms.choose_transaction_id(key))
    return draft.put(
        Operation(
            key=key,
            payment_id=payment.id,
            kind=kind,
            ordinal=ordinal,
            cause=draft.directive.identity,
            params_hash=parameters.digest,
            amount_q=amount_q,
            currency=payment.currency,
            state=OperationState.PLANNED,
            created_at=draft.now,
            address=payment.transaction_id or "",
        )
    )


def send(draft: Draft, terms: Terms, operation: Operation, parameters: Parameters) -> None:
    """Commit the operation as sent and ask for its call."""
    payment = draft.touched
    if parameters.digest != operation.params_hash:
        draft.fail(
            "parameters_changed",
            f"this {operation.kind} was begun with other parameters; its key is bound to those",
        )
        return
    window = terms.registration.key_window
    first = operation.first_sent_at or draft.now
    sent = draft.put(
        evolve(
            operation,
            state=OperationState.SENT,
            first_sent_at=first,
            last_sent_at=draft.now,
            window_until=None if window is None else first + window,
            fence=draft.directive.fence,
            attempts=operation.attempts + 1,
        )
    )
    draft.request(
        GatewayRequest(
            method=operation.kind,
            account=payment.account,
            fingerprint=payment.fingerprint,
            plugin=payment.plugin,
            livemode=payment.livemode,
            payment_id=payment.id,
            order_ref=payment.order_ref,
            amount_q=operation.amount_q,
            currency=operation.currency,
            transaction_id=operation.address or None,
            operation=sent,
            was_in_doubt=operation.in_doubt,
            payment_method=parameters.payment_method,
            metadata=parameters.metadata,
            reason=parameters.reason,
            capture=parameters.capture,
            final=parameters.final,
            attempt=sent.attempts,
        )
    )


def look(draft: Draft, terms: Terms) -> bool:
    """Ask for a read of the gateway's truth, where there is a way to; says whether there is."""
    payment = draft.touched
    if payment.transaction_id is not None and "get_status" in terms.abilities:
        method = "get_status"
    elif payment.transaction_id is None and "find" in terms.abilities:
        method = "find"
    else:
        return False
    draft.request(
        GatewayRequest(
            method=method,
            account=payment.account,
            fingerprint=payment.fingerprint,
            plugin=payment.plugin,
            livemode=payment.livemode,
            payment_id=payment.id,
            order_ref=payment.order_ref,
            amount_q=payment.amount_q,
            currency=payment.currency,
            transaction_id=payment.transaction_id,
        )
    )
    return True


def resolve_doubt(draft: Draft, terms: Terms, operation: Operation, parameters: Parameters) -> None:
    """An operation that may have been carried out: look, then the same key, else a person.

    Returns with a request, an end, or the operation no longer in doubt.
    """
    if not draft.looked and look(draft, terms):
        return
    if draft.absent and operation.code == REFUSED_UNVERIFIED:
        # The gateway said no without saying why, and a look shows that nothing happened.
        draft.settle_operation(operation, OperationState.REFUSED, code="declined")
        return
    if _absence_is_proven(draft, terms, operation):
        draft.settle_operation(
            operation,
            OperationState.ABANDONED,
            evidence="the gateway knows nothing of it, long enough after it was sent",
        )
        return
    if _may_repeat(draft, terms, operation):
        send(draft, terms, operation, parameters)
        return
    absence = _absence_after(draft, terms, operation)
    if draft.absent and absence is not None:
        sent = operation.last_sent_at or draft.now
        draft.wait(
            f"waiting until absence proves that the {operation.kind} never happened",
            until=max(sent + absence + draft.rules.send_slack, draft.now)
            + draft.rules.backoff_base,
            waiting=False,
        )
        return
    park_behind(draft, draft.settle_operation(operation, OperationState.PARKED))


def park_behind(draft: Draft, operation: Operation) -> None:
    """Wait for a person who finds out what became of an operation, and say how to tell it."""
    draft.park(
        "outcome_unknown",
        f"nobody knows whether the {operation.kind} of "
        f"{format_amount(operation.amount_q, operation.currency)} "
        f"was carried out (operation {operation.key}); look at the gateway, then say what became "
        "of it: payments verdict",
    )


REFUSED_UNVERIFIED = "refused_unverified"
"""Marks an operation whose refusal named no reason: believed only after a look."""


def _may_repeat(draft: Draft, terms: Terms, operation: Operation) -> bool:
    """The same key again is harmless: it is understood, and still remembered."""
    if operation.kind not in terms.abilities.keyed:
        return False
    until = operation.window_until
    if until is None:
        return True
    # A short window keeps a proportionate margin, or it could never be used at all.
    window = until - (operation.first_sent_at or draft.now)
    return draft.now < until - min(draft.rules.window_margin, window / 4)


def _absence_is_proven(draft: Draft, terms: Terms, operation: Operation) -> bool:
    """A look found nothing, long enough after the last attempt for the gateway to call it proof."""
    absence = _absence_after(draft, terms, operation)
    return (
        draft.looked_at is not None
        and draft.absent
        and absence is not None
        and operation.last_sent_at is not None
        and draft.looked_at >= operation.last_sent_at + absence + draft.rules.send_slack
    )


def _absence_after(draft: Draft, terms: Terms, operation: Operation) -> timedelta | None:
    """How long after it was sent a look that shows nothing proves that nothing happened.

    Never for an opening at an address that was prepared: there is something to see in any case,
    and it can look the same while the gateway is still about it.
    """
    opens = operation.kind in (OperationKind.AUTHORIZE, OperationKind.CHARGE)
    if opens and any(
        op.kind == OperationKind.PREPARE and op.state == OperationState.OK
        for op in draft.operations()
    ):
        return None
    return terms.registration.absence_after
