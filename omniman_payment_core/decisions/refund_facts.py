"""Merging what the gateway says of refunds: attributed by our key or its id, never by amount.

The one exception is a backend that understands no keys and has one refund in doubt: there
the amount is all the evidence there will ever be.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..currencies import format_amount
from ..records import EventKind, Operation, OperationKind, OperationState, Refund, evolve
from ..values import PaymentResult, RefundSnapshot, RefundStatus
from .draft import Draft
from .terms import Terms


def merge_refunds(
    draft: Draft,
    terms: Terms,
    seen: PaymentResult,
    total_q: int | None,
    doubt: Operation | None,
) -> None:
    """Refunds listed one by one, or, failing that, their total."""
    in_doubt = doubt if doubt is not None and doubt.kind == OperationKind.REFUND else None
    keyless = OperationKind.REFUND not in terms.abilities.keyed
    if seen.refunds is not None:
        for snapshot in seen.refunds:
            known = _known(draft, snapshot)
            if known is not None:
                _merge_known(draft, known, snapshot)
        _merge_unknown(draft, seen.refunds, _still(draft, in_doubt), by_amount=keyless)
    elif total_q is not None:
        _merge_total(draft, total_q, in_doubt, by_amount=keyless)


def refunds_are_explained(draft: Draft, seen: PaymentResult) -> bool | None:
    """Whether every refund the gateway shows is one we know; ``None`` if it shows none at all."""
    if seen.refunds is not None:
        return not _unknown(draft, seen.refunds)
    if seen.refunded_q is not None:
        payment = draft.touched
        return seen.refunded_q <= payment.refunded_q + payment.refund_pending_q
    return None


def _known(draft: Draft, snapshot: RefundSnapshot) -> Refund | None:
    for refund in draft.refunds():
        by_key = refund.id == snapshot.idempotency_key
        if by_key or (snapshot.reference and refund.reference == snapshot.reference):
            return refund
    return None


def _still(draft: Draft, in_doubt: Operation | None) -> Operation | None:
    """The doubt, unless this very look has ended it: then every other refund is somebody else's."""
    return in_doubt if in_doubt is not None and draft.again(in_doubt).unsettled else None


def _unknown(draft: Draft, snapshots: Sequence[RefundSnapshot]) -> list[RefundSnapshot]:
    return [
        snapshot
        for snapshot in snapshots
        if snapshot.amount_q > 0
        and _refund_status(snapshot.status) is not RefundStatus.FAILED
        and _known(draft, snapshot) is None
    ]


def _merge_known(draft: Draft, known: Refund, snapshot: RefundSnapshot) -> None:
    status = _refund_status(snapshot.status)
    if known.accepted:
        _move_refund(draft, known, status, snapshot.reference)
    elif (operation := draft.operation(known.id)) is not None:
        accept_refund(draft, operation, status, snapshot.reference)


def _merge_unknown(
    draft: Draft,
    snapshots: Sequence[RefundSnapshot],
    in_doubt: Operation | None,
    *,
    by_amount: bool,
) -> None:
    unknown = _unknown(draft, snapshots)
    if in_doubt is None:
        for snapshot in unknown:
            key = f"{draft.touched.id}:refund:{snapshot.reference}"
            status = _refund_status(snapshot.status)
            _external(draft, key, snapshot.amount_q, snapshot.reference, status)
    elif by_amount and [snapshot.amount_q for snapshot in unknown] == [in_doubt.amount_q]:
        status = _refund_status(unknown[0].status)
        accept_refund(draft, in_doubt, status, unknown[0].reference)


def _merge_total(
    draft: Draft, total_q: int, in_doubt: Operation | None, *, by_amount: bool
) -> None:
    payment = draft.touched
    known = payment.refunded_q + payment.refund_pending_q
    delta = total_q - known
    if delta > 0 and in_doubt is not None:
        if by_amount and delta == in_doubt.amount_q:
            accept_refund(draft, in_doubt, RefundStatus.SUCCEEDED, "")
    elif delta > 0:
        key = f"{payment.id}:refund-total:{total_q}"
        _external(draft, key, delta, "", RefundStatus.SUCCEEDED)
    elif delta < 0 and in_doubt is None and draft.looked:
        draft.flag(
            "refund_total_lower",
            f"the gateway shows {format_amount(total_q, payment.currency)} refunded, the ledger "
            f"{format_amount(known, payment.currency)}: a refund may have failed later",
        )


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
        f"the refund of {format_amount(refund.amount_q, draft.touched.currency)} "
        f"({reference or refund.id}) "
        "failed at the gateway; the shopper does not have it",
        subject=refund.id,
    )
    if operation is not None:
        draft.settle_operation(
            operation, OperationState.REFUSED, evidence="the refund failed later"
        )


def _external(draft: Draft, key: str, amount_q: int, reference: str, status: RefundStatus) -> None:
    """A refund that somebody made at the gateway itself."""
    payment = draft.touched
    draft.put_refund(
        Refund(
            id=key,
            payment_id=payment.id,
            amount_q=amount_q,
            status=status,
            created_at=draft.now,
            accepted=True,
            external=True,
            reference=reference,
        )
    )
    pending = status is RefundStatus.PENDING
    draft.record(
        EventKind.REFUND_PENDING if pending else EventKind.REFUNDED,
        amount_q,
        f"{key}:refund-pending" if pending else f"{key}:refunded",
        reference=reference,
        external=True,
    )
