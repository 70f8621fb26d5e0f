"""``payment.hold`` and ``payment.charge``: opening a payment and getting it to the gateway."""

from __future__ import annotations

from collections.abc import Callable

from ..channels import read_channel
from ..records import (
    EventKind,
    Operation,
    OperationKind,
    OperationState,
    OrderView,
    Payment,
    Topic,
)
from ..values import PaymentFlow, PaymentStatus
from .draft import Draft
from .operations import Parameters, park_behind, plan, resolve_doubt, send
from .payloads import Opening, PayloadError, digest, read_opening
from .terms import Terms

_OPENING = (OperationKind.AUTHORIZE, OperationKind.CHARGE)

TermsOf = Callable[[Payment], Terms]
"""The terms of the account a payment is bound to; raises ``ConfigurationError``."""


def decide_opening(draft: Draft, channel_terms: Callable[[], Terms], terms_of: TermsOf) -> None:
    """Settle the directive, or ask for the next call that opens its payment."""
    order = draft.order
    assert order is not None
    if _has_answer(draft):
        return
    opening = read_opening(draft.directive.payload, order)
    payment = next((p for p in draft.payments() if p.attempt == opening.attempt), None)
    if payment is None:
        if not _may_open(draft, order, opening):
            return
        terms = channel_terms()
        _open(draft, terms, order, opening)
    else:
        terms = terms_of(payment)
        draft.choose(payment)
        if (payment.amount_q, payment.currency) != (opening.amount_q, opening.currency):
            draft.fail(
                "parameters_changed",
                f"payment {payment.attempt} of order {order.ref} was begun with another amount; "
                "a new attempt needs its own number",
            )
            return
    _advance(draft, terms, opening)


def _has_answer(draft: Draft) -> bool:
    """This directive's own opening is answered, so that nothing else has to be looked at."""
    payment = draft.begun_with()
    if payment is None:
        return False
    draft.choose(payment)
    newest = None
    for operation in draft.operations():
        if operation.kind in _OPENING:
            newest = operation
    if newest is None or newest.unsettled or newest.state == OperationState.ABANDONED:
        return False
    _report(draft, newest)
    return True


def _may_open(draft: Draft, order: OrderView, opening: Opening) -> bool:
    if order.cancelled:
        draft.fail("order_cancelled", f"order {order.ref} was cancelled before it was paid")
        return False
    unfinished = next((p for p in draft.payments() if not p.closed), None)
    if unfinished is not None:
        draft.fail(
            "payment_already_open",
            f"order {order.ref} already has payment {unfinished.attempt} ({unfinished.status})",
        )
        return False
    if opening.attempt != len(draft.payments()) + 1:
        draft.fail(
            "invalid_payload",
            f'"attempt" is {opening.attempt}; the next one of order {order.ref} is '
            f"{len(draft.payments()) + 1}",
        )
        return False
    return True


def _open(draft: Draft, terms: Terms, order: OrderView, opening: Opening) -> None:
    policy = read_channel(order.channel)
    accepted = terms.registration.currencies
    if accepted is not None and opening.currency not in accepted:
        raise PayloadError(
            f'account "{terms.account}" does not take {opening.currency}; '
            f"it takes {', '.join(sorted(accepted))}",
            "currency_unsupported",
        )
    if not terms.holds and "charge" not in terms.abilities:
        raise PayloadError(
            f'account "{terms.account}" ({terms.plugin}) can neither hold nor charge',
            "method_unsupported",
        )
    asked_to_hold = draft.directive.topic == Topic.HOLD
    why_not = None if asked_to_hold else terms.missing("charge")
    if why_not is not None:
        raise PayloadError(why_not, "not_supported")
    payment = draft.open_payment(
        Payment(
            id=draft.moment.new_id(),
            order_ref=order.ref,
            attempt=opening.attempt,
            flow=PaymentFlow.AUTHORIZE_CAPTURE if asked_to_hold else PaymentFlow.CHARGE,
            account=terms.account,
            fingerprint=terms.fingerprint,
            livemode=terms.livemode,
            plugin=terms.plugin,
            plugin_version=terms.version,
            currency=opening.currency,
            amount_q=opening.amount_q,
            created_at=draft.now,
        )
    )
    draft.record(
        EventKind.OPENED,
        opening.amount_q,
        f"{payment.id}:opened",
        account=terms.account,
        flow=payment.flow,
        late_money=policy.late_money.value,
    )


def _advance(draft: Draft, terms: Terms, opening: Opening) -> None:
    """The next step of a payment that is being opened, from where its operations stand."""
    payment = draft.touched
    begun = draft.unsettled()
    if begun is not None and begun.kind in _OPENING:
        # Whatever the account can do by now: what may have happened is not asked for otherwise.
        charging = begun.kind == OperationKind.CHARGE
    else:
        charging = payment.flow == PaymentFlow.CHARGE or not terms.holds
    kind = OperationKind.CHARGE if charging else OperationKind.AUTHORIZE
    operation = _newest(draft, kind)
    if operation is None and "prepare" in terms.abilities and payment.transaction_id is None:
        _prepare(draft, terms, opening, charging)
        return
    if operation is not None and not operation.unsettled:
        if operation.state != OperationState.ABANDONED:
            _report(draft, operation)
            return
        operation = None
    if operation is None or operation.state == OperationState.PLANNED:
        if _withdrawn(draft, operation):
            return
        parameters = _parameters(draft, opening, kind)
        if operation is None:
            operation = plan(draft, terms, kind, opening.amount_q, parameters, opens=True)
        send(draft, terms, operation, parameters)
        return
    _doubt(draft, terms, opening, operation)


def _doubt(draft: Draft, terms: Terms, opening: Opening, operation: Operation) -> None:
    if operation.state == OperationState.PARKED:
        park_behind(draft, operation)
        return
    parameters = _parameters(draft, opening, OperationKind(operation.kind))
    resolve_doubt(draft, terms, operation, parameters)
    resolved = draft.again(operation)
    if not resolved.unsettled:
        if resolved.state == OperationState.REFUSED:
            fail_opening(draft, resolved.code, resolved.evidence)
        _advance(draft, terms, opening)


def _prepare(draft: Draft, terms: Terms, opening: Opening, charging: bool) -> None:
    """Get the transaction's address before money can move."""
    operation = _newest(draft, OperationKind.PREPARE)
    if operation is not None and operation.state == OperationState.REFUSED:
        _report(draft, operation)
        return
    if operation is not None and operation.state == OperationState.PARKED:
        park_behind(draft, operation)
        return
    if _withdrawn(draft, operation):
        return
    parameters = _parameters(draft, opening, OperationKind.PREPARE, capture=charging)
    if operation is None or operation.state == OperationState.ABANDONED:
        operation = plan(draft, terms, OperationKind.PREPARE, opening.amount_q, parameters)
    # Preparing moves no money and its key is remembered: when in doubt it is simply sent again.
    send(draft, terms, operation, parameters)


def _withdrawn(draft: Draft, operation: Operation | None) -> bool:
    """After a cancellation nothing new leaves; what never left is given up."""
    payment = draft.touched
    if not draft.cancelled:
        return False
    if operation is not None and operation.in_doubt:
        return False
    if operation is not None and operation.state == OperationState.PLANNED:
        draft.settle_operation(
            operation, OperationState.ABANDONED, evidence="cancelled before it was sent"
        )
    if payment.status in (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION):
        draft.record(EventKind.VOIDED, 0, f"{payment.id}:withdrawn")
    draft.fail("order_cancelled", f"order {payment.order_ref} was cancelled before it was paid")
    return True


def _report(draft: Draft, operation: Operation) -> None:
    """The operation has its answer: so has the directive."""
    payment = draft.touched
    if operation.state == OperationState.REFUSED:
        draft.fail(operation.code or "declined", operation.evidence or "the gateway declined")
        return
    draft.complete(transaction_id=payment.transaction_id, status=payment.status.value)


def fail_opening(draft: Draft, code: str, message: str) -> None:
    """The gateway's final no to a payment that holds no money."""
    payment = draft.touched
    if payment.closed or payment.captured_q or payment.open_q:
        return
    draft.record(
        EventKind.FAILED,
        0,
        f"{payment.id}:failed:{payment.failures + 1}",
        code=code,
        message=message,
    )


def _newest(draft: Draft, kind: OperationKind) -> Operation | None:
    found = None
    for operation in draft.operations():
        if operation.kind == kind:
            found = operation
    return found


def _parameters(
    draft: Draft, opening: Opening, kind: OperationKind, *, capture: bool = False
) -> Parameters:
    payment = draft.touched
    return Parameters(
        digest=digest(
            kind=kind,
            amount_q=opening.amount_q,
            currency=opening.currency,
            order_ref=payment.order_ref,
            payment_method=opening.payment_method,
            metadata=opening.metadata,
        ),
        payment_method=opening.payment_method,
        metadata=opening.metadata,
        capture=capture,
    )
