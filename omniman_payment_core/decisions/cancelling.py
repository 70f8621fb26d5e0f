"""``payment.cancel``: voiding a hold, withdrawing an open charge, facing money that came anyway."""

from __future__ import annotations

from ..channels import LateMoney, read_channel
from ..currencies import format_amount
from ..records import EventKind, Operation, OperationKind, OperationState, Topic
from ..values import PaymentStatus as S
from .capture import blocked, chosen_payment
from .draft import Draft
from .late import return_the_rest
from .opening import TermsOf
from .operations import Parameters, look, park_behind, plan, resolve_doubt, send
from .payloads import digest, read_flag
from .terms import Terms

_TAKING = (
    OperationKind.PREPARE,
    OperationKind.AUTHORIZE,
    OperationKind.CHARGE,
    OperationKind.CAPTURE,
)


def decide_cancel(draft: Draft, terms_of: TermsOf) -> None:
    """Settle the directive, or ask for the void; what is in doubt is resolved first."""
    payment = chosen_payment(draft)
    if payment is None:
        if draft.other_open(Topic.HOLD, Topic.CHARGE):
            draft.wait("the payment has not been opened yet")
        else:
            draft.complete(status="nothing_to_cancel")
        return
    draft.choose(payment)
    terms = terms_of(payment)
    if read_flag(draft.directive.payload, "unpaid"):
        # The shopper's time is over; the order is not cancelled, and takes what came in time.
        if payment.status not in (S.PENDING, S.REQUIRES_ACTION):
            _abandon_planned(draft, OperationKind.CANCEL)
            draft.complete(transaction_id=payment.transaction_id, status=payment.status.value)
            return
    else:
        draft.update(cancel_requested=True)
        _abandon_planned(draft, *_TAKING)
    mine = draft.mine()
    if mine is not None and mine.unsettled:
        _continue(draft, terms, mine)
    elif not blocked(draft):
        _void(draft, terms, mine)


def _abandon_planned(draft: Draft, *kinds: OperationKind) -> None:
    """What certainly never left is given up at once."""
    for operation in list(draft.operations()):
        if operation.kind in kinds and operation.state == OperationState.PLANNED:
            draft.settle_operation(
                operation, OperationState.ABANDONED, evidence="not wanted any more, and never sent"
            )


def _void(draft: Draft, terms: Terms, refused: Operation | None) -> None:
    payment = draft.touched
    under_way = payment.status in (S.PENDING, S.REQUIRES_ACTION)
    if refused is not None and refused.state == OperationState.REFUSED:
        # The gateway would not void: perhaps it was paid meanwhile. Only a look can tell.
        if (under_way or payment.open_q) and not draft.looked and look(draft, terms):
            return
        if under_way or payment.open_q:
            draft.flag("cannot_void", f"the gateway refused to void: {refused.evidence}")
            draft.fail(refused.code or "cancel_refused", refused.evidence)
            return
    if under_way and not _ever_sent(draft):
        draft.record(EventKind.VOIDED, 0, f"{payment.id}:withdrawn")
    elif under_way or payment.open_q:
        why_not = terms.missing("cancel")
        if why_not is not None or payment.transaction_id is None:
            draft.flag("cannot_void", why_not or "the transaction has no address to void it at")
            draft.complete(status=payment.status.value, note=why_not)
            return
        parameters = _parameters(payment.transaction_id)
        amount = payment.open_q or payment.amount_q
        operation = plan(draft, terms, OperationKind.CANCEL, amount, parameters)
        send(draft, terms, operation, parameters)
        return
    _finish(draft)


def _finish(draft: Draft) -> None:
    """Nothing is held any more; captured money is the channel's late-money policy's business."""
    payment = draft.touched
    left = draft.refundable_q()
    if left > 0:
        assert draft.order is not None
        if read_channel(draft.order.channel).late_money is LateMoney.REFUND:
            return_the_rest(draft, "the order was cancelled")
        else:
            draft.flag(
                "cancelled_but_paid",
                f"order {payment.order_ref} was cancelled and keeps "
                f"{format_amount(left, payment.currency)}; refund it or settle this flag",
            )
    draft.complete(transaction_id=payment.transaction_id, status=payment.status.value)


def _continue(draft: Draft, terms: Terms, operation: Operation) -> None:
    payment = draft.touched
    parameters = _parameters(payment.transaction_id)
    if operation.state == OperationState.PLANNED:
        send(draft, terms, operation, parameters)
        return
    if operation.state == OperationState.PARKED:
        park_behind(draft, operation)
        return
    resolve_doubt(draft, terms, operation, parameters)
    resolved = draft.again(operation)
    if draft.ended or resolved.in_doubt:
        return
    if resolved.state == OperationState.ABANDONED:
        draft.retry(resolved.evidence)
    else:
        _void(draft, terms, resolved)


def _ever_sent(draft: Draft) -> bool:
    """Whether the gateway may know of this payment at all."""
    opened = (OperationKind.PREPARE, OperationKind.AUTHORIZE, OperationKind.CHARGE)
    return any(
        op.kind in opened and op.attempts > 0 and op.state != OperationState.ABANDONED
        for op in draft.operations()
    )


def _parameters(transaction_id: str | None) -> Parameters:
    return Parameters(digest=digest(kind=OperationKind.CANCEL, transaction_id=transaction_id))
