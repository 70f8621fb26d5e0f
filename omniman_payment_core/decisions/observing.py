"""Merging the gateway's truth into the ledger: totals are compared, differences become facts.

A look may be late, doubled or out of order with our own calls. So amounts only ever grow
here; what would take a fact back needs a fact of its own (a failed refund, a won dispute).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..currencies import format_amount
from ..records import EventKind, Operation, OperationKind, OperationState, Payment
from ..values import PaymentResult
from ..values import PaymentStatus as S
from .draft import Draft
from .refund_facts import merge_refunds, refunds_are_explained
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
    _address(draft, seen)
    _finish_preparing(draft)
    doubt = answers if answers is not None and answers.unsettled else draft.unsettled()
    if doubt is not None and doubt.state == OperationState.PLANNED:
        doubt = None
    status = _status(seen)
    totals = _totals(payment, seen, status, doubt, answered=doubt is answers)
    _check_amount(draft, seen)
    _authorized(draft, totals, doubt, seen)
    _captured(draft, totals, doubt, seen)
    merge_refunds(draft, terms, seen, totals.refunded_q, doubt)
    _disputes(draft, seen)
    _ending(draft, terms, seen, status, doubt)
    _let_go(draft, seen, status, answers)
    _actions(draft, seen, status)
    _finish_opening(draft, seen)
    if doubt is not None:
        _resolve(draft, doubt, seen, status, answered=answers is not None)


def tells_of(draft: Draft, operation: Operation, seen: PaymentResult) -> bool:
    """Whether an answer that shows no effect of an operation would have shown it.

    Totals would have. Of a bare status only one that rules the effect out says anything.
    """
    status = _status(seen)
    match operation.kind:
        case OperationKind.CAPTURE:
            # Had everything that was left been taken, nothing would be partial about it.
            all_of_it = operation.amount_q >= draft.touched.open_q
            partial = status == S.PARTIALLY_CAPTURED and all_of_it
            return seen.captured_q is not None or status == S.AUTHORIZED or partial
        case OperationKind.REFUND:
            # A bare status says nothing of refunds that are on their way.
            return refunds_are_explained(draft, seen) is True
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


def _finish_preparing(draft: Draft) -> None:
    """Once the transaction is known, nothing waits any more for the call that was to make it."""
    transaction_id = draft.touched.transaction_id
    if transaction_id is None:
        return
    for operation in list(draft.operations()):
        if operation.kind != OperationKind.PREPARE or not operation.unsettled:
            continue
        if operation.state == OperationState.PLANNED:
            draft.settle_operation(
                operation, OperationState.ABANDONED, evidence="its transaction is known already"
            )
        else:
            draft.settle_operation(operation, OperationState.OK, gateway_reference=transaction_id)


def _totals(
    payment: Payment, seen: PaymentResult, status: S, doubt: Operation | None, *, answered: bool
) -> Totals:
    """Fill in what a backend of five plain methods leaves unsaid, from what was asked."""
    authorized, captured, refunded = seen.authorized_q, seen.captured_q, seen.refunded_q
    if captured is None:
        if doubt is not None and doubt.kind == OperationKind.CAPTURE:
            # After a part was taken a bare status proves nothing of another: the rest of a hold
            # may have lapsed, and that looks like the rest captured.
            first = answered or payment.captured_q == 0
            if first and status in (S.CAPTURED, S.PARTIALLY_CAPTURED):
                captured = payment.captured_q + doubt.amount_q
        elif status in _WAS_PAID and payment.captured_q == 0:
            captured = payment.open_q or payment.amount_q
    if authorized is None and status == S.AUTHORIZED and payment.authorized_q == 0:
        authorized = payment.amount_q
    if refunded is None:
        if status == S.REFUNDED:
            refunded = captured if captured is not None else payment.captured_q
        elif (
            status == S.PARTIALLY_REFUNDED
            and payment.refunded_q == 0
            and doubt is not None
            and doubt.kind == OperationKind.REFUND
            # Had ours returned everything, nothing would be partial about it: it was another.
            and doubt.amount_q < payment.captured_q
        ):
            refunded = doubt.amount_q
    return Totals(authorized, captured, refunded)


_WAS_PAID = (S.CAPTURED, S.PARTIALLY_REFUNDED, S.REFUNDED, S.DISPUTED)


def _check_amount(draft: Draft, seen: PaymentResult) -> None:
    payment = draft.touched
    if seen.amount_q is not None and seen.amount_q != payment.amount_q:
        draft.flag(
            "amount_mismatch",
            f"the gateway has {format_amount(seen.amount_q, payment.currency)} for transaction "
            f"{payment.transaction_id}, asked were "
            f"{format_amount(payment.amount_q, payment.currency)}",
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
                f"asked to capture {format_amount(doubt.amount_q, payment.currency)}, the gateway "
                f"took {format_amount(ours, payment.currency)}",
            )
        delta -= ours
    if delta > 0:
        total = totals.captured_q
        draft.record(
            EventKind.CAPTURED, delta, f"{payment.id}:captured:{total}", reference=reference
        )


def _disputes(draft: Draft, seen: PaymentResult) -> None:
    payment = draft.touched
    if seen.disputed_q is None:
        return
    delta = seen.disputed_q - payment.disputed_q
    if delta > 0:
        _dispute(draft, EventKind.DISPUTE_OPENED, delta)
        amount = format_amount(delta, payment.currency)
        draft.flag("disputed", f"{amount} of order {payment.order_ref} disputed")
    elif delta < 0 and draft.fenced:
        _dispute(draft, EventKind.DISPUTE_CLOSED, -delta)


def _dispute(draft: Draft, kind: EventKind, amount_q: int) -> None:
    payment = draft.touched
    draft.record(kind, amount_q, f"{payment.id}:{kind}:{payment.version}")


def _ending(
    draft: Draft,
    terms: Terms,
    seen: PaymentResult,
    status: S,
    doubt: Operation | None,
) -> None:
    """The transaction ended, or released what it still held."""
    payment = draft.touched
    waiting = payment.status in (S.PENDING, S.REQUIRES_ACTION)
    reference = seen.transaction_id or ""
    released = payment.open_q
    if status in (S.CANCELLED, S.EXPIRED) and (waiting or released):
        lapsed = status == S.EXPIRED or (not released and _over(draft, payment.expires_at))
        kind = EventKind.EXPIRED if lapsed else EventKind.VOIDED
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
    elif released and (held := _still_held(payment, seen)) is not None:
        if held < released:
            over = _over(draft, payment.hold_expires_at)
            kind = EventKind.EXPIRED if over else EventKind.VOIDED
            draft.record(kind, released - held, _ending_key(payment, kind), reference=reference)
    elif released and draft.looked and _over(draft, payment.hold_expires_at):
        # What is left of a hold can lapse behind a status that speaks of something else. But a
        # capture in doubt may have taken it in time, and an answer that lags not know of it.
        if doubt is not None and doubt.kind == OperationKind.CAPTURE and not _took(draft, doubt):
            return
        draft.record(
            EventKind.EXPIRED, released, _ending_key(payment, EventKind.EXPIRED), computed=True
        )
    elif (
        waiting
        and status in (S.PENDING, S.REQUIRES_ACTION)
        and draft.looked
        and _over(draft, payment.expires_at)
        and not terms.withdraws_unpaid
    ):
        draft.record(EventKind.EXPIRED, 0, _ending_key(payment, EventKind.EXPIRED), computed=True)


def _still_held(payment: Payment, seen: PaymentResult) -> int | None:
    """What the gateway holds, if it says so; an answer from before it was held does not count."""
    known = seen.authorized_q is not None and seen.authorized_q >= payment.authorized_q
    return seen.held_q if known else None


def _took(draft: Draft, capture: Operation) -> bool:
    """An answer has shown the effect of a capture."""
    return f"{capture.key}:captured" in draft.recorded_keys()


def _let_go(draft: Draft, seen: PaymentResult, status: S, answers: Operation | None) -> None:
    """A void of what was left of a hold, taken behind a status that speaks of something else."""
    payment = draft.touched
    voids = answers is not None and answers.kind == OperationKind.CANCEL and seen.success
    if voids and payment.open_q and status in _WAS_PAID:
        key = _ending_key(payment, EventKind.VOIDED)
        draft.record(EventKind.VOIDED, payment.open_q, key, reference=seen.transaction_id or "")


def _over(draft: Draft, end: datetime | None) -> bool:
    """A date had passed when the gateway was read; an answer may be settled long after that."""
    return end is not None and (draft.looked_at or draft.now) >= end + draft.rules.expiry_slack


def _ending_key(payment: Payment, kind: EventKind) -> str:
    return f"{payment.id}:{kind}:{payment.authorized_q}:{payment.released_q}"


def _actions(draft: Draft, seen: PaymentResult, status: S) -> None:
    payment = draft.touched
    if payment.status not in (S.PENDING, S.REQUIRES_ACTION):
        return
    if seen.next_action is not None:
        draft.update(next_action=seen.next_action)
    number = payment.version
    if status == S.REQUIRES_ACTION and payment.actions_open == 0:
        draft.record(EventKind.ACTION_REQUIRED, 0, f"{payment.id}:action:{number}")
    elif status == S.PENDING and payment.actions_open > 0:
        draft.record(EventKind.ACTION_TAKEN, 0, f"{payment.id}:action-taken:{number}")
        if seen.next_action is None:
            # The shopper has done it; now it is the gateway's turn.
            draft.update(next_action=None)


def _finish_opening(draft: Draft, seen: PaymentResult) -> None:
    """An opening that was taken and left pending may have come to its end, well or not."""
    for operation in list(draft.operations()):
        if operation.kind in _OPENING and operation.state == OperationState.PENDING:
            _end_opening(draft, operation, seen)


def _resolve(
    draft: Draft, doubt: Operation, seen: PaymentResult, status: S, *, answered: bool
) -> None:
    """Say what the answer proves about the operation that was in doubt."""
    payment = draft.touched
    if doubt.kind in (OperationKind.REFUND, OperationKind.PREPARE):
        # These end with what they make: a refund among the others, a transaction's address.
        return
    if doubt.kind in _OPENING:
        _resolve_opening(draft, doubt, seen, status, answered=answered)
    elif doubt.kind == OperationKind.CAPTURE:
        if _took(draft, doubt):
            draft.settle_operation(doubt, OperationState.OK)
        elif status in (S.CANCELLED, S.EXPIRED):
            draft.settle_operation(
                doubt,
                OperationState.REFUSED,
                code=status.value,
                evidence=f"the hold is {status.value}: nothing can be captured",
            )
    elif payment.open_q == 0 and payment.status not in (S.PENDING, S.REQUIRES_ACTION):
        paid = not answered and payment.captured_q > 0 and payment.voids == payment.expiries == 0
        draft.settle_operation(
            doubt,
            OperationState.REFUSED if paid else OperationState.OK,
            evidence="it was paid before it could be cancelled" if paid else "",
        )


def _resolve_opening(
    draft: Draft, operation: Operation, seen: PaymentResult, status: S, *, answered: bool
) -> None:
    if _end_opening(draft, operation, seen):
        return
    if answered or status == S.REQUIRES_ACTION or _waits(seen) or not _prepared(draft):
        reference = seen.transaction_id or ""
        draft.settle_operation(operation, OperationState.PENDING, gateway_reference=reference)


def _end_opening(draft: Draft, operation: Operation, seen: PaymentResult) -> bool:
    """What the payment has come to is what its opening came to, if it came to anything."""
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
    else:
        return False
    return True


def _waits(seen: PaymentResult) -> bool:
    """Something is open for the payer. A date is not enough: what was only prepared has one."""
    return seen.next_action is not None


def _prepared(draft: Draft) -> bool:
    """A transaction made unconfirmed exists before anything was asked of it."""
    return any(
        op.kind == OperationKind.PREPARE and op.state == OperationState.OK
        for op in draft.operations()
    )
