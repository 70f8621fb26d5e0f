"""What a call's outcome means: facts for the ledger, a state for its operation, perhaps a retry.

After this the decision for the directive's topic is taken again, on what is known now.
"""

from __future__ import annotations

from datetime import timedelta

from ..records import GatewayRequest, Operation, OperationKind, OperationState, Source, evolve
from ..values import PaymentResult, RefundStatus
from ..values import PaymentStatus as S
from .draft import Draft
from .observing import observe, tells_of
from .opening import fail_opening
from .operations import REFUSED_UNVERIFIED
from .refund_facts import accept_refund
from .refunding import release
from .terms import (
    Answered,
    Found,
    Invalid,
    Misconfigured,
    NotAttempted,
    NotFound,
    Outcome,
    Prepared,
    Refused,
    Terms,
    Unknown,
)

_OPENING = (OperationKind.AUTHORIZE, OperationKind.CHARGE)


def absorb(draft: Draft, terms: Terms, request: GatewayRequest, outcome: Outcome) -> None:
    """Write down what the outcome proves; end the run where it has to be tried again."""
    payment = draft.find_payment(request.payment_id)
    if payment is None:
        return
    draft.choose(payment)
    draft.source = Source.CALL if request.operation is not None else Source.SYNC
    if request.operation is None:
        _absorb_look(draft, terms, request, outcome)
        return
    operation = draft.operation(request.operation.key)
    if operation is not None:
        _absorb_call(draft, terms, request, operation, outcome)


def _absorb_look(draft: Draft, terms: Terms, request: GatewayRequest, outcome: Outcome) -> None:
    match outcome:
        case Answered(result):
            _seen(draft, terms, result)
        case Found(results):
            ours = [r for r in results if _fits(draft, r)]
            if len(ours) == 1:
                _seen(draft, terms, ours[0])
            elif ours:
                draft.flag(
                    "several_transactions",
                    f"the gateway has {len(ours)} transactions for order {request.order_ref}",
                )
            _looked(draft)
            draft.absent = not ours
        case NotFound():
            _looked(draft)
            draft.absent = True
        case NotAttempted(message, retry_after, counted):
            draft.retry(message, after=retry_after, counted=counted)
        case Misconfigured(message):
            _misconfigured(draft, message)
        case Unknown(message) | Invalid(message) | Refused(_, message, _):
            draft.retry(message)
        case Prepared():
            draft.retry("the plugin answered a read with something else")


def _looked(draft: Draft) -> None:
    """A look is as old as the moment it began, however late it is settled."""
    call = draft.call
    began = call.at - timedelta(microseconds=call.duration_us) if call else draft.now
    draft.looked_at = min(began, draft.now)


def _seen(draft: Draft, terms: Terms, result: PaymentResult) -> None:
    _looked(draft)
    if _about_another(draft, result) or not _border(draft, result):
        return
    before = draft.unsettled()
    observe(draft, terms, result, answers=None)
    after = draft.operation(before.key) if before is not None else None
    draft.absent = after is not None and after.unsettled and tells_of(draft, after, result)


def _fits(draft: Draft, result: PaymentResult) -> bool:
    """Whether a transaction of the order can be this payment's, rather than another attempt's.

    An attempt of which nothing ever left has none, however well one would fit. One that was
    found to have come to nothing stands back for another that is still in doubt.
    """
    payment, found = draft.touched, result.transaction_id
    sent, doubtful = any(op.first_sent_at for op in draft.operations()), draft.doubtful()
    if not sent or (doubtful and payment.id not in doubtful):
        return False
    taken = {p.transaction_id for p in draft.payments() if p.id != payment.id}
    return (
        bool(found)
        and found not in taken
        and result.amount_q in (None, payment.amount_q)
        and (result.currency is None or result.currency.upper() == payment.currency)
    )


def _absorb_call(
    draft: Draft,
    terms: Terms,
    request: GatewayRequest,
    operation: Operation,
    outcome: Outcome,
) -> None:
    match outcome:
        case Prepared(transaction_id):
            if draft.touched.transaction_id is None:
                draft.update(transaction_id=transaction_id)
            draft.settle_operation(operation, OperationState.OK, gateway_reference=transaction_id)
        case Answered(result):
            _answered(draft, terms, operation, result)
        case Refused(code, message, result):
            _refused(draft, terms, request, operation, code, message, result)
        case NotAttempted(message, retry_after, counted):
            _take_back(draft, request, operation)
            draft.retry(message, after=retry_after, counted=counted)
        case Misconfigured(message):
            _take_back(draft, request, operation)
            _misconfigured(draft, message)
        case Invalid(message) if not request.was_in_doubt and draft.fenced:
            _invalid(draft, operation, message)
        case Unknown() | Invalid() | NotFound() | Found():
            _unknown(draft, operation, outcome)


def _answered(draft: Draft, terms: Terms, operation: Operation, result: PaymentResult) -> None:
    # The specification page's sample answers a refund with the refund's own id.
    if operation.kind != OperationKind.REFUND and _about_another(draft, result):
        if operation.unsettled:
            draft.put(evolve(operation, evidence="the answer was about another transaction"))
        draft.retry("the gateway answered about another transaction")
        return
    if not _border(draft, result):
        if operation.unsettled:
            draft.settle_operation(operation, OperationState.PARKED, evidence="currency mismatch")
        return
    if operation.kind == OperationKind.REFUND:
        _answered_refund(draft, operation, result)
        return
    observe(draft, terms, result, answers=operation)
    still = draft.again(operation)
    if still.unsettled and still.state != OperationState.PARKED:
        # A yes that shows no effect is not a yes yet: the next look decides.
        draft.put(evolve(still, evidence="answered without the effect that was asked for"))
        draft.retry("the gateway's answer does not show the effect that was asked for")


def _answered_refund(draft: Draft, operation: Operation, result: PaymentResult) -> None:
    reference = result.reference or ""
    if not reference and result.transaction_id != draft.touched.transaction_id:
        # The specification page's sample returns the refund's own id as transaction_id.
        reference = result.transaction_id or ""
    done = result.status in (S.REFUNDED, S.PARTIALLY_REFUNDED, RefundStatus.SUCCEEDED)
    accept_refund(
        draft, operation, RefundStatus.SUCCEEDED if done else RefundStatus.PENDING, reference
    )
    if operation.attempts > 1:
        # While it was in doubt, a refund made elsewhere could not be told from it.
        draft.check_soon()


def _refused(
    draft: Draft,
    terms: Terms,
    request: GatewayRequest,
    operation: Operation,
    code: str,
    message: str,
    result: PaymentResult,
) -> None:
    if not operation.unsettled:
        return
    if not code and "get_status" in terms.abilities and draft.touched.transaction_id:
        draft.put(
            evolve(operation, code=REFUSED_UNVERIFIED, evidence=message or "refused, no reason")
        )
        return
    if result.transaction_id and draft.touched.transaction_id is None:
        draft.update(transaction_id=result.transaction_id)
    refused = draft.settle_operation(
        operation, OperationState.REFUSED, code=code or "declined", evidence=message
    )
    if operation.kind in _OPENING or operation.kind == OperationKind.PREPARE:
        fail_opening(draft, refused.code, message)
    else:
        if operation.kind == OperationKind.REFUND:
            release(draft, refused)
        # The refusal may tell of something we have not seen: expired, voided, paid elsewhere.
        draft.check_soon()


def _invalid(draft: Draft, operation: Operation, message: str) -> None:
    if not operation.unsettled:
        return
    refused = draft.settle_operation(
        operation, OperationState.REFUSED, code="invalid_request", evidence=message
    )
    draft.flag("invalid_request", f"the {operation.kind} was refused as invalid: {message}")
    if operation.kind in _OPENING or operation.kind == OperationKind.PREPARE:
        fail_opening(draft, refused.code, message)
    else:
        if operation.kind == OperationKind.REFUND:
            release(draft, refused)
        draft.check_soon()


def _unknown(draft: Draft, operation: Operation, outcome: Outcome) -> None:
    if not operation.unsettled:
        return
    message = getattr(outcome, "message", "the plugin answered with something else")
    draft.put(evolve(operation, evidence=message))
    if isinstance(outcome, Unknown) and outcome.plugin_fault:
        draft.flag("plugin_fault", f"the backend misbehaved in {operation.kind}: {message}")
    draft.retry(message)


def _take_back(draft: Draft, request: GatewayRequest, operation: Operation) -> None:
    """Certainly not carried out this time; another attempt, before or since, may have been."""
    latest = operation.attempts == request.attempt
    if operation.in_doubt and latest and not request.was_in_doubt:
        # The gateway has not seen its key yet: the key's window begins with the next attempt.
        draft.put(
            evolve(
                operation,
                state=OperationState.PLANNED,
                first_sent_at=None,
                last_sent_at=None,
                window_until=None,
            )
        )


def _misconfigured(draft: Draft, message: str) -> None:
    payment = draft.touched
    draft.flag("account_unusable", message, subject=payment.account)
    draft.wait(message, until=draft.now + draft.rules.config_retry, waiting=False)


def _about_another(draft: Draft, result: PaymentResult) -> bool:
    """An answer that names a transaction has to name ours, or nothing of it is believed."""
    known = draft.touched.transaction_id
    if known is None or result.transaction_id in (None, known):
        return False
    draft.flag(
        "transaction_mismatch",
        f"asked about transaction {known}, the gateway answered about another: "
        f"{str(result.transaction_id)[:64]!r}",
    )
    return True


def _border(draft: Draft, result: PaymentResult) -> bool:
    """The currency has to be ours, or nothing of the answer is believed."""
    payment = draft.touched
    if result.currency is not None and result.currency.upper() != payment.currency:
        draft.flag(
            "currency_mismatch",
            f"the gateway answered in {result.currency[:8]!r} for a payment in {payment.currency}",
        )
        return False
    return True
