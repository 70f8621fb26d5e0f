"""Merging the gateway's truth into the ledger: totals are compared, differences become facts.

A look may be late, doubled or out of order with our own calls. So amounts only ever grow
here; what would take a fact back needs a fact of its own (a failed refund, a won dispute).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..records import (
    EventKind,
    Operation,
    OperationKind,
    OperationState,
    Payment,
    Refund,
    evolve,
)
from ..values import PaymentResult, RefundSnapshot, RefundStatus
from ..values import PaymentStatus as S
from .draft import Draft
from .terms import Terms

_OPENING = (OperationKind.AUTHORIZE, OperationKind.CHARGE)


@dataclass(frozen=True, slots=True)
class Totals:
    """What an answer says of the whole transaction; ``None`` is "not said"."""

    authorized_q: int | None
    captured_q: int | None
    refunded_q: int | None


def observe(draft: Draft, terms: Terms, seen: PaymentResult, *, answers: Operation | None) -> None:
    """Turn an answer into facts. ``answers`` is the operation that this answer replies to."""
    payment = draft.touched
    doubt = answers if answers is not None and answers.unsettled else draft.unsettled()
    if doubt is not None and doubt.state == OperationState.PLANNED:
        doubt = None
    _address(draft, seen)
    status = _status(seen)
    totals = _totals(payment, seen, status, doubt, answered=doubt is answers)
    _check_amount(draft, seen)
    _authorized(draft, totals, doubt, seen)
    _captured(draft, totals, doubt, seen)
    _refunds(draft, terms, seen, totals, doubt)
    _disputes(draft, seen)
    _ending(draft, seen, status, totals)
    _actions(draft, seen, status)
    if doubt is not None:
        _resolve(draft, doubt, seen, status, answered=answers is not None)


def tells_of(operation: Operation, seen: PaymentResult, payment: Payment) -> bool:
    """Whether an answer that shows no effect of an operation would have shown it.

    Totals would have. Of a bare status only one that rules the effect out says anything.
    """
    status = _status(seen)
    match operation.kind:
        case OperationKind.CAPTURE:
            return seen.captured_q is not None or status == S.AUTHORIZED
        case OperationKind.REFUND:
            listed = seen.refunds is not None or seen.refunded_q is not None
            return listed or (status == S.CAPTURED and payment.refunded_q == 0)
        case _:
            return True


def _status(seen: PaymentResult) -> S:
    """The known status, or ``pending`` for anything unclear: never paid, never failed."""
    try:
        return S(seen.status)
    except ValueError:
        return S.PENDING


def _address(draft: Draft, seen: PaymentResult) -> None:
    payment = draft.touched
    if payment.transaction_id is None and seen.transaction_id:
        draft.update(transaction_id=seen.transaction_id)
    fresh = {
        name: value
        for name, value in (
            ("expires_at", seen.expires_at),
            ("hold_expires_at", seen.hold_expires_at),
        )
        if value is not None
    }
    if fresh:
        draft.update(**fresh)


def _totals(
    payment: Payment, seen: PaymentResult, status: S, doubt: Operation | None, *, answered: bool
) -> Totals:
    """Fill in what a backend of five plain methods leaves unsaid, from what was asked."""
    authorized, captured, refunded = seen.authorized_q, seen.captured_q, seen.refunded_q
    if captured is None:
        if doubt is not None and doubt.kind == OperationKind.CAPTURE:
            first = answered or payment.captured_q == 0
            if status == S.CAPTURED or (status == S.PARTIALLY_CAPTURED and first):
                captured = payment.captured_q + doubt.amount_q
        elif status in (S.CAPTURED, S.REFUNDED, S.DISPUTED) and payment.captured_q == 0:
            captured = payment.open_q or payment.amount_q
    if authorized is None and status == S.AUTHORIZED and payment.authorized_q == 0:
        authorized = payment.amount_q
    if refunded is None and seen.refunds is None:
        if status == S.REFUNDED:
            refunded = captured if captured is not None else payment.captured_q
        elif (
            status == S.PARTIALLY_REFUNDED
            and payment.refunded_q == 0
            and doubt is not None
            and doubt.kind == OperationKind.REFUND
        ):
            refunded = doubt.amount_q
    return Totals(authorized, captured, refunded)


def _check_amount(draft: Draft, seen: PaymentResult) -> None:
    payment = draft.touched
    if seen.amount_q is not None and seen.amount_q != payment.amount_q:
        draft.flag(
            "amount_mismatch",
            f"the gateway has {seen.amount_q} {payment.currency} for transaction "
            f"{payment.transaction_id}, asked were {payment.amount_q}",
        )


def _authorized(draft: Draft, totals: Totals, doubt: Operation | None, seen: PaymentResult) -> None:
    payment = draft.touched
    delta = (totals.authorized_q or 0) - payment.authorized_q
    if delta > 0:
        key = (
            f"{doubt.key}:authorized"
            if doubt is not None and doubt.kind in _OPENING and payment.authorized_q == 0
            else f"{payment.id}:authorized:{totals.authorized_q}"
        )
        draft.record(EventKind.AUTHORIZED, delta, key, reference=seen.transaction_id or "")


def _captured(draft: Draft, totals: Totals, doubt: Operation | None, seen: PaymentResult) -> None:
    payment = draft.touched
    delta = (totals.captured_q or 0) - payment.captured_q
    if delta <= 0:
        return
    reference = seen.reference or seen.transaction_id or ""
    if doubt is not None and doubt.kind == OperationKind.CAPTURE:
        ours = min(delta, doubt.amount_q)
        draft.record(EventKind.CAPTURED, ours, f"{doubt.key}:captured", reference=reference)
        if ours < doubt.amount_q:
            draft.flag(
                "amount_mismatch",
                f"asked to capture {doubt.amount_q} {payment.currency}, the gateway took {ours}",
            )
        delta -= ours
    if delta > 0:
        total = totals.captured_q
        draft.record(
            EventKind.CAPTURED, delta, f"{payment.id}:captured:{total}", reference=reference
        )


def _refunds(
    draft: Draft,
    terms: Terms,
    seen: PaymentResult,
    totals: Totals,
    doubt: Operation | None,
) -> None:
    in_doubt = doubt if doubt is not None and doubt.kind == OperationKind.REFUND else None
    if seen.refunds is not None:
        for snapshot in seen.refunds:
            _one_refund(draft, snapshot, in_doubt)
        return
    payment = draft.touched
    if totals.refunded_q is None:
        return
    known = payment.refunded_q + payment.refund_pending_q
    delta = totals.refunded_q - known
    if delta > 0 and in_doubt is not None:
        # Only a backend whose refunds cannot be repeated by key is believed by amount alone.
        if delta == in_doubt.amount_q and OperationKind.REFUND not in terms.abilities.keyed:
            accept_refund(draft, in_doubt, RefundStatus.SUCCEEDED, "")
    elif delta > 0:
        _external(draft, f"{payment.id}:refund-total:{totals.refunded_q}", delta, "", "succeeded")
    elif delta < 0 and in_doubt is None and draft.looked:
        draft.flag(
            "refund_total_lower",
            f"the gateway shows {totals.refunded_q} {payment.currency} refunded, "
            f"the ledger {known}: a refund may have failed later",
        )


def _one_refund(draft: Draft, snapshot: RefundSnapshot, in_doubt: Operation | None) -> None:
    """Attribute by our key, then by the gateway's id; never by amount."""
    known = next(
        (
            r
            for r in draft.refunds()
            if (snapshot.idempotency_key is not None and r.id == snapshot.idempotency_key)
            or (snapshot.reference and r.reference == snapshot.reference)
        ),
        None,
    )
    status = _refund_status(snapshot.status)
    if known is not None and known.accepted:
        _move_refund(draft, known, status, snapshot.reference)
    elif known is not None:
        operation = draft.operation(known.id)
        if operation is not None:
            accept_refund(draft, operation, status, snapshot.reference)
    elif in_doubt is None and snapshot.amount_q > 0 and status is not RefundStatus.FAILED:
        key = f"{draft.touched.id}:refund:{snapshot.reference}"
        _external(draft, key, snapshot.amount_q, snapshot.reference, status)


def _refund_status(text: str) -> RefundStatus:
    try:
        return RefundStatus(text)
    except ValueError:
        return RefundStatus.PENDING


def accept_refund(draft: Draft, operation: Operation, status: RefundStatus, reference: str) -> None:
    """The gateway took our refund: the reservation becomes a fact."""
    refund = next((r for r in draft.refunds() if r.id == operation.key), None)
    if refund is None or refund.accepted:
        return
    amount = operation.amount_q
    if status is RefundStatus.FAILED:
        draft.put_refund(
            evolve(refund, accepted=True, status=status, reference=reference or refund.reference)
        )
        if operation.unsettled:
            draft.settle_operation(
                operation,
                OperationState.REFUSED,
                code=operation.code or "refund_refused",
                evidence=operation.evidence or "the gateway could not carry the refund out",
            )
        return
    draft.put_refund(
        evolve(refund, accepted=True, status=status, reference=reference or refund.reference)
    )
    if status is RefundStatus.SUCCEEDED:
        draft.record(EventKind.REFUNDED, amount, f"{operation.key}:refunded", reference=reference)
        state = OperationState.OK
    else:
        draft.record(
            EventKind.REFUND_PENDING, amount, f"{operation.key}:refund-pending", reference=reference
        )
        state = OperationState.PENDING
    draft.settle_operation(operation, state, gateway_reference=reference)


def _move_refund(draft: Draft, refund: Refund, status: RefundStatus, reference: str) -> None:
    """Pending, then succeeded, then perhaps failed; never backwards."""
    if status is refund.status or status is RefundStatus.PENDING:
        return
    if refund.status is RefundStatus.FAILED:
        if status is RefundStatus.SUCCEEDED:
            draft.flag(
                "refund_revived",
                f"refund {refund.reference} was reported as failed and now as succeeded",
                subject=refund.id,
            )
        return
    was = refund.status
    draft.put_refund(evolve(refund, status=status))
    operation = draft.operation(refund.id)
    if status is RefundStatus.SUCCEEDED:
        draft.record(
            EventKind.REFUNDED,
            refund.amount_q,
            f"{refund.id}:refunded",
            reference=reference,
            was=was.value,
        )
        if operation is not None:
            draft.settle_operation(operation, OperationState.OK)
        return
    draft.record(
        EventKind.REFUND_FAILED,
        refund.amount_q,
        f"{refund.id}:refund-failed",
        reference=reference,
        was=was.value,
    )
    draft.flag(
        "refund_failed",
        f"the refund of {refund.amount_q} {draft.touched.currency} ({reference or refund.id}) "
        "failed at the gateway; the shopper does not have it",
        subject=refund.id,
    )
    if operation is not None:
        draft.settle_operation(
            operation, OperationState.REFUSED, evidence="the refund failed later"
        )


def _external(draft: Draft, key: str, amount_q: int, reference: str, status: str) -> None:
    """A refund that somebody made at the gateway itself."""
    payment = draft.touched
    draft.put_refund(
        Refund(
            id=key,
            payment_id=payment.id,
            amount_q=amount_q,
            status=RefundStatus(status),
            created_at=draft.now,
            accepted=True,
            external=True,
            reference=reference,
        )
    )
    pending = status == RefundStatus.PENDING
    draft.record(
        EventKind.REFUND_PENDING if pending else EventKind.REFUNDED,
        amount_q,
        f"{key}:refund-pending" if pending else f"{key}:refunded",
        reference=reference,
        external=True,
    )


def _disputes(draft: Draft, seen: PaymentResult) -> None:
    payment = draft.touched
    if seen.disputed_q is None or seen.disputed_q == payment.disputed_q:
        return
    delta = seen.disputed_q - payment.disputed_q
    if delta < 0 and not draft.fenced:
        return
    kind = EventKind.DISPUTE_OPENED if delta > 0 else EventKind.DISPUTE_CLOSED
    draft.record(kind, abs(delta), f"{payment.id}:{kind}:{payment.version}")
    if delta > 0:
        draft.flag("disputed", f"{delta} {payment.currency} of order {payment.order_ref} disputed")


def _ending(draft: Draft, seen: PaymentResult, status: S, totals: Totals) -> None:
    """The transaction ended, or released what it still held."""
    payment = draft.touched
    waiting = payment.status in (S.PENDING, S.REQUIRES_ACTION)
    reference = seen.transaction_id or ""
    released = payment.open_q
    if status in (S.CANCELLED, S.EXPIRED) and (waiting or released):
        kind = EventKind.VOIDED if status == S.CANCELLED else EventKind.EXPIRED
        draft.record(kind, released, _ending_key(payment, kind), reference=reference)
    elif status == S.FAILED and waiting:
        draft.record(
            EventKind.FAILED,
            0,
            f"{payment.id}:failed:{payment.failures + 1}",
            reference=reference,
            code=seen.error_code or "declined",
            message=seen.error_message or "",
        )
    elif status == S.CAPTURED and released and seen.captured_q is not None:
        # A gateway that calls a smaller capture final has let go of the rest.
        draft.record(
            EventKind.VOIDED, released, _ending_key(payment, EventKind.VOIDED), reference=reference
        )
    elif released and draft.looked and _over(draft, payment.hold_expires_at):
        # What is left of a hold can lapse behind a status that speaks of something else.
        draft.record(
            EventKind.EXPIRED, released, _ending_key(payment, EventKind.EXPIRED), computed=True
        )
    elif (
        waiting
        and status in (S.PENDING, S.REQUIRES_ACTION)
        and not totals.captured_q
        and draft.looked
        and _over(draft, payment.expires_at)
    ):
        draft.record(EventKind.EXPIRED, 0, _ending_key(payment, EventKind.EXPIRED), computed=True)


def _over(draft: Draft, end: datetime | None) -> bool:
    return end is not None and draft.now >= end + draft.rules.expiry_slack


def _ending_key(payment: Payment, kind: EventKind) -> str:
    return f"{payment.id}:{kind}:{payment.authorized_q}:{payment.released_q}"


def _actions(draft: Draft, seen: PaymentResult, status: S) -> None:
    payment = draft.touched
    if payment.status not in (S.PENDING, S.REQUIRES_ACTION):
        return
    if seen.next_action is not None and seen.next_action != payment.next_action:
        draft.update(next_action=seen.next_action)
    number = payment.version
    if status == S.REQUIRES_ACTION and payment.actions_open == 0:
        draft.record(EventKind.ACTION_REQUIRED, 0, f"{payment.id}:action:{number}")
    elif status == S.PENDING and payment.actions_open > 0:
        draft.record(EventKind.ACTION_TAKEN, 0, f"{payment.id}:action-taken:{number}")


def _resolve(
    draft: Draft, doubt: Operation, seen: PaymentResult, status: S, *, answered: bool
) -> None:
    """Say what the answer proves about the operation that was in doubt."""
    operation = draft.operation(doubt.key) or doubt
    if not operation.unsettled:
        return
    payment = draft.touched
    if operation.kind in (OperationKind.REFUND, OperationKind.PREPARE):
        return
    if operation.kind in _OPENING:
        _resolve_opening(draft, operation, seen, status, answered=answered)
    elif operation.kind == OperationKind.CAPTURE:
        if any(event_key == f"{operation.key}:captured" for event_key in draft.recorded_keys()):
            draft.settle_operation(operation, OperationState.OK)
        elif payment.open_q == 0 and status in (S.CANCELLED, S.EXPIRED):
            draft.settle_operation(
                operation,
                OperationState.REFUSED,
                code=status.value,
                evidence=f"the hold is {status.value}: nothing can be captured",
            )
    elif payment.open_q == 0 and payment.status not in (S.PENDING, S.REQUIRES_ACTION):
        paid = payment.captured_q > 0 and payment.voids == 0
        draft.settle_operation(
            operation,
            OperationState.REFUSED if paid else OperationState.OK,
            evidence="it was paid before it could be cancelled" if paid else "",
        )


def _resolve_opening(
    draft: Draft, operation: Operation, seen: PaymentResult, status: S, *, answered: bool
) -> None:
    payment = draft.touched
    reference = seen.transaction_id or ""
    if payment.captured_q or payment.authorized_q or payment.voids or payment.expiries:
        draft.settle_operation(operation, OperationState.OK, gateway_reference=reference)
    elif payment.failures:
        draft.settle_operation(
            operation,
            OperationState.REFUSED,
            code=seen.error_code or "declined",
            evidence=seen.error_message or "the gateway declined",
            gateway_reference=reference,
        )
    elif answered or status == S.REQUIRES_ACTION or not _prepared(draft):
        draft.settle_operation(operation, OperationState.PENDING, gateway_reference=reference)


def _prepared(draft: Draft) -> bool:
    """A transaction made unconfirmed exists before anything was asked of it."""
    return any(
        op.kind == OperationKind.PREPARE and op.state == OperationState.OK
        for op in draft.operations()
    )
