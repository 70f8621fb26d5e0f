"""What must hold of a payment by our own books alone, whatever has happened. Pure.

Reconciliation compares with the gateway; this needs nobody else, and therefore can run at any
time. A rule that a person was shown to be broken (a flag) is not reported again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from ..currencies import format_amount
from ..ledger import fold, trigger_of
from ..records import Event, Operation, OperationState, Payment, Refund
from ..values import RefundStatus

_ENDED_WITHOUT_EFFECT = frozenset({OperationState.REFUSED, OperationState.ABANDONED})
_ON_ITS_WAY = frozenset({OperationState.SENT, OperationState.PENDING, OperationState.OK})


@dataclass(frozen=True, slots=True)
class PaymentBooks:
    """Everything that is written down about one payment."""

    payment: Payment
    events: Sequence[Event]
    operations: Sequence[Operation]
    refunds: Sequence[Refund]
    flagged: bool = False
    """A person was shown, or has settled, something about this payment."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold: its name, where, and what was found."""

    rule: str
    where: str
    what: str


def breaches(books: PaymentBooks) -> tuple[Breach, ...]:
    """Every rule that does not hold for a payment."""
    where = f"payment {books.payment.id} of order {books.payment.order_ref}"
    found = (*_amounts(books), *_operations(books), *_telling(books))
    return tuple(Breach(rule, where, what) for rule, what in found)


def _amounts(books: PaymentBooks) -> Iterator[tuple[str, str]]:
    payment = books.payment
    folded = fold(payment, books.events)
    pairs = ((f.name, getattr(payment, f.name), getattr(folded, f.name)) for f in fields(payment))
    changed = [f"{name} is {is_}, by its facts {was}" for name, is_, was in pairs if is_ != was]
    if changed:
        yield "the payment is the sum of its facts", "; ".join(changed)

    def amount(amount_q: int) -> str:
        return format_amount(amount_q, payment.currency)

    if payment.authorized_q and payment.captured_q > payment.authorized_q and not books.flagged:
        yield (
            "no capture beyond the hold",
            f"{amount(payment.captured_q)} captured of {amount(payment.authorized_q)} held",
        )
    going_back = sum(
        refund.amount_q
        for refund in books.refunds
        if refund.status != RefundStatus.FAILED and not refund.external
    )
    if going_back > payment.captured_q:
        yield (
            "no refund beyond the capture",
            f"{amount(going_back)} refunded or under way, {amount(payment.captured_q)} captured",
        )
    # What came twice or late and is returned by itself needs no person, and so has no flag.
    kept_q = payment.captured_q - max(going_back, payment.refunded_q)
    if kept_q > payment.amount_q and not books.flagged:
        yield (
            "no payment above what was asked",
            f"{amount(kept_q)} kept, {amount(payment.amount_q)} asked",
        )


def _operations(books: PaymentBooks) -> Iterator[tuple[str, str]]:
    unsettled = [operation.key for operation in books.operations if operation.unsettled]
    if len(unsettled) > 1:
        yield "one operation in doubt at most", ", ".join(sorted(unsettled))
    for operation in books.operations:
        if operation.state in _ON_ITS_WAY and operation.first_sent_at is None:
            yield "written down before it is sent", f"{operation.key} is {operation.state}"
        sent = operation.first_sent_at is not None
        silent = not operation.evidence and not operation.code
        if sent and silent and operation.state in _ENDED_WITHOUT_EFFECT:
            yield "never failed without evidence", f"{operation.key} is {operation.state}"
        if not operation.cause:
            yield "every operation has a cause", operation.key


def _telling(books: PaymentBooks) -> Iterator[tuple[str, str]]:
    missed = trigger_of(books.payment)
    if missed is not None:
        yield (
            "every change is told to the order once",
            f"{missed.value} has not been for status {books.payment.status.value}",
        )
