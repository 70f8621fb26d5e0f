"""``payment.confirm``: taking money that is held, or waiting for a payer who pays elsewhere."""

from __future__ import annotations

from ..currencies import format_amount
from ..records import Operation, OperationKind, OperationState, Payment, Topic
from ..values import PaymentStatus as S
from .draft import Draft
from .opening import TermsOf
from .operations import Parameters, park_behind, plan, resolve_doubt, send
from .payloads import PayloadError, digest, read_amount, read_flag
from .terms import Terms


def decide_capture(draft: Draft, terms_of: TermsOf) -> None:
    """Settle the directive, or ask for the capture it stands for."""
    amount_q = read_amount(draft.directive.payload)
    final = read_flag(draft.directive.payload, "final")
    payment = chosen_payment(draft)
    if payment is None:
        if draft.other_open(Topic.HOLD, Topic.CHARGE):
            draft.wait("the payment has not been opened yet")
        else:
            draft.fail("nothing_to_capture", "no transaction to capture: nothing was held")
        return
    draft.choose(payment)
    terms = terms_of(payment)
    mine = draft.mine()
    if mine is not None and mine.state != OperationState.ABANDONED:
        _continue(draft, terms, mine, final)
        return
    if blocked(draft):
        return
    if _answer_without_call(draft, payment, amount_q):
        return
    amount = payment.open_q if amount_q is None else amount_q
    if amount > payment.open_q:
        draft.fail(
            "capture_exceeds_hold",
            f"asked to capture {format_amount(amount, payment.currency)}, "
            f"{format_amount(payment.open_q, payment.currency)} is held",
        )
        return
    why_not = terms.missing("capture", "partial_capture" if amount < payment.open_q else None)
    if why_not is None and payment.captured_q:
        why_not = terms.missing("capture", "multiple_captures")
    if why_not is None and final is not None and amount < payment.open_q:
        why_not = _cannot_choose(terms, final)
    if why_not is not None:
        draft.fail("not_supported", why_not)
        return
    parameters = _parameters(terms, payment, amount, final)
    send(draft, terms, plan(draft, terms, OperationKind.CAPTURE, amount, parameters), parameters)


def chosen_payment(draft: Draft) -> Payment | None:
    """The payment a payload names, else the one it has begun with, else the newest attempt."""
    named = draft.directive.payload.get("payment_id")
    if named is None:
        return draft.begun_with() or draft.latest()
    payment = draft.find_payment(named)
    if payment is None:
        raise PayloadError(
            f'"payment_id" names no payment of order {draft.directive.order_ref}',
            "unknown_payment",
        )
    return payment


def blocked(draft: Draft) -> bool:
    """One operation in doubt at a time for a payment; behind a parked one nobody waits for ever.

    Asked once a directive has nothing of its own under way.
    """
    operation = draft.unsettled()
    if operation is None:
        return False
    if operation.state == OperationState.PARKED:
        draft.park(
            "blocked_by_unknown",
            f"operation {operation.key} ({operation.kind}) waits for a person; "
            "a verdict on it lets this directive run again",
        )
    else:
        draft.wait(f"waiting for the {operation.kind} that is under way")
    return True


def _answer_without_call(draft: Draft, payment: Payment, amount_q: int | None) -> bool:
    """What the ledger already answers: done, not yet, or never."""
    ref = payment.order_ref
    if payment.open_q > 0:
        if draft.cancelled:
            draft.fail("order_cancelled", f"order {ref} was cancelled; its hold is not captured")
            return True
        return False
    if payment.status in (S.PENDING, S.REQUIRES_ACTION):
        draft.wait("the payer has not finished yet")
    elif payment.captured_q > 0 and amount_q is None:
        draft.complete(transaction_id=payment.transaction_id, status=payment.status.value)
    elif payment.captured_q > 0:
        draft.fail("nothing_to_capture", f"nothing is left of the hold of order {ref}")
    else:
        draft.fail(
            "nothing_to_capture",
            f"no transaction to capture: the payment of order {ref} is {payment.status.value}",
        )
    return True


def _cannot_choose(terms: Terms, final: bool) -> str | None:
    """Why a part of a hold cannot be captured so that the rest is let go, or stays held."""
    parts = terms.missing("capture", "multiple_captures")
    if not final:
        return parts
    if terms.abilities.finalizes or parts is not None:
        return None
    return (
        f'account "{terms.account}" ({terms.plugin}) keeps the rest of a hold: capture without '
        '"final", then cancel what is left'
    )


def _continue(draft: Draft, terms: Terms, operation: Operation, final: bool | None) -> None:
    payment = draft.touched
    parameters = _parameters(terms, payment, operation.amount_q, final)
    if operation.state == OperationState.PLANNED:
        if draft.cancelled:
            draft.settle_operation(
                operation, OperationState.ABANDONED, evidence="cancelled before it was sent"
            )
            draft.fail("order_cancelled", f"order {payment.order_ref} was cancelled")
            return
        send(draft, terms, operation, parameters)
        return
    if operation.in_doubt:
        resolve_doubt(draft, terms, operation, parameters)
        operation = draft.again(operation)
        if draft.ended or operation.in_doubt:
            return
    if operation.state == OperationState.ABANDONED:
        draft.retry(operation.evidence)
    elif operation.state == OperationState.REFUSED:
        draft.fail(operation.code or "declined", operation.evidence or "the gateway refused")
    elif operation.state == OperationState.PARKED:
        park_behind(draft, operation)
    else:
        draft.complete(
            transaction_id=payment.transaction_id,
            status=payment.status.value,
            captured_q=operation.amount_q,
        )


def _parameters(terms: Terms, payment: Payment, amount_q: int, final: bool | None) -> Parameters:
    chosen = {} if final is None else {"final": final}
    return Parameters(
        digest=digest(
            kind=OperationKind.CAPTURE,
            amount_q=amount_q,
            transaction_id=payment.transaction_id,
            **chosen,
        ),
        final=final if terms.abilities.finalizes else None,
    )
