"""``payment.refund``: returning captured money, reserved before it is asked for."""

from __future__ import annotations

from ..currencies import format_amount
from ..records import Operation, OperationKind, OperationState, Payment, Refund, Topic, evolve
from ..values import RefundStatus
from .capture import blocked, chosen_payment
from .draft import Draft
from .opening import TermsOf
from .operations import Parameters, next_key, park_behind, plan, resolve_doubt, send
from .payloads import digest, read_amount, read_text
from .terms import Terms


def decide_refund(draft: Draft, terms_of: TermsOf) -> None:
    """Settle the directive, or reserve the amount and ask for its refund."""
    amount_q = read_amount(draft.directive.payload)
    reason = read_text(draft.directive.payload, "reason")
    payment = chosen_payment(draft)
    if payment is None and draft.other_open(Topic.HOLD, Topic.CHARGE):
        draft.wait("the payment has not been opened yet")
        return
    if payment is None:
        draft.fail("nothing_to_refund", "nothing was ever captured for this order")
        return
    draft.choose(payment)
    terms = terms_of(payment)
    mine = draft.mine()
    if mine is not None and mine.state != OperationState.ABANDONED:
        _continue(draft, terms, mine, reason)
        return
    if blocked(draft):
        return
    if payment.captured_q == 0 and draft.other_open(Topic.HOLD, Topic.CHARGE, Topic.CONFIRM):
        draft.wait("the capture that this refund follows has not been made yet")
        return
    if payment.captured_q == 0:
        draft.fail(
            "nothing_to_refund",
            f"nothing was captured: the payment of order {payment.order_ref} is "
            f"{payment.status.value}",
        )
        return
    left = draft.refundable_q()
    if amount_q is None and left <= 0 and payment.disputed_q == 0:
        draft.complete(transaction_id=payment.transaction_id, status=payment.status.value)
        return
    amount = left if amount_q is None else amount_q
    if amount > left or amount <= 0:
        draft.fail("refund_exceeds_capture", _too_much(payment, amount, left))
        return
    why_not = _why_not(draft, terms, payment, amount)
    if why_not is not None:
        draft.fail("not_supported", why_not)
        return
    parameters = _parameters(payment, amount, reason)
    # Known before it is asked for: whoever sees it at the gateway knows whose it is. And before
    # anything is planned: should the backend have no name, there is no half of a plan.
    _, key = next_key(draft, OperationKind.REFUND)
    reference = terms.choose_refund_id(key) if terms.choose_refund_id else ""
    operation = plan(draft, terms, OperationKind.REFUND, amount, parameters)
    draft.put_refund(
        Refund(
            id=operation.key,
            payment_id=payment.id,
            amount_q=amount,
            status=RefundStatus.PENDING,
            created_at=draft.now,
            reason=reason or "",
            reference=reference,
        )
    )
    send(draft, terms, operation, parameters)


def _too_much(payment: Payment, amount: int, left: int) -> str:
    currency = payment.currency
    text = (
        f"asked to refund {format_amount(amount, currency)}; of "
        f"{format_amount(payment.captured_q, currency)} captured, "
        f"{format_amount(max(left, 0), currency)} is left"
    )
    if payment.disputed_q:
        text += f" ({format_amount(payment.disputed_q, currency)} is disputed)"
    return text


def _why_not(draft: Draft, terms: Terms, payment: Payment, amount: int) -> str | None:
    partial = amount < payment.captured_q
    missing = terms.missing("refund", "partial_refund" if partial else None)
    if missing is None and any(r.status != RefundStatus.FAILED for r in draft.refunds()):
        missing = terms.missing("refund", "multiple_refunds")
    return missing


def _continue(draft: Draft, terms: Terms, operation: Operation, reason: str | None) -> None:
    parameters = _parameters(draft.touched, operation.amount_q, reason)
    if operation.state == OperationState.PLANNED:
        send(draft, terms, operation, parameters)
        return
    if operation.in_doubt:
        resolve_doubt(draft, terms, operation, parameters)
        operation = draft.again(operation)
        if draft.ended or operation.in_doubt:
            return
    if operation.state in (OperationState.REFUSED, OperationState.ABANDONED):
        release(draft, operation)
    if operation.state == OperationState.ABANDONED:
        draft.retry(operation.evidence)
    elif operation.state == OperationState.REFUSED:
        draft.fail(operation.code or "refund_refused", operation.evidence or "the gateway refused")
    elif operation.state == OperationState.PARKED:
        park_behind(draft, operation)
    else:
        refund = next((r for r in draft.refunds() if r.id == operation.key), None)
        draft.complete(
            transaction_id=draft.touched.transaction_id,
            reference=refund.reference if refund else operation.gateway_reference,
            status=refund.status.value if refund else draft.touched.status.value,
            refunded_q=operation.amount_q,
        )


def release(draft: Draft, operation: Operation) -> None:
    """A refund that certainly never happened no longer reserves its amount."""
    for refund in draft.refunds():
        if refund.id == operation.key and refund.status == RefundStatus.PENDING:
            draft.put_refund(evolve(refund, status=RefundStatus.FAILED))


def _parameters(payment: Payment, amount_q: int, reason: str | None) -> Parameters:
    return Parameters(
        digest=digest(
            kind=OperationKind.REFUND,
            amount_q=amount_q,
            transaction_id=payment.transaction_id,
            reason=reason,
        ),
        reason=reason,
    )
