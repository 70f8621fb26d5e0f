"""An order's payments as a person reads them: facts in order, operations, what comes next.

Shared by ``manage.py payments show`` and the admin. Shows no payload, no payment method and
no result of a gateway: only columns that cannot hold one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from omniman_payment_core.currencies import KNOWN, format_amount
from omniman_payment_core.records import DirectiveStatus, OperationState
from omniman_payment_core.values import PaymentStatus

from . import conf
from .models import (
    Directive,
    Flag,
    Order,
    OrderEvent,
    Payment,
    PaymentEvent,
    PaymentOperation,
    Refund,
)


@dataclass(frozen=True, slots=True)
class EventLine:
    """One fact of the ledger."""

    at: str
    kind: str
    amount: str
    source: str
    actor: str
    reference: str


@dataclass(frozen=True, slots=True)
class OperationLine:
    """One mutation at the gateway and where it stands."""

    kind: str
    amount: str
    state: str
    key: str
    evidence: str


@dataclass(frozen=True, slots=True)
class PaymentBlock:
    """One attempt to collect the order's money."""

    title: str
    amounts: tuple[str, ...]
    events: tuple[EventLine, ...]
    operations: tuple[OperationLine, ...]
    refunds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlagLine:
    """Something a person must look at."""

    id: int
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything known about the payments of one order."""

    title: str
    payments: tuple[PaymentBlock, ...]
    history: tuple[str, ...]
    directives: tuple[str, ...]
    flags: tuple[FlagLine, ...]


def timeline_of(order: Order) -> Timeline:
    """Read it all; a handful of queries whatever the number of payments."""
    using = order._state.db or conf.database()
    payments = list(Payment.objects.using(using).filter(order_ref=order.ref).order_by("attempt"))
    ids = [payment.id for payment in payments]
    events = list(PaymentEvent.objects.using(using).filter(payment_id__in=ids).order_by("seq"))
    operations = list(
        PaymentOperation.objects.using(using).filter(payment_id__in=ids).order_by("created_at")
    )
    refunds = list(Refund.objects.using(using).filter(payment_id__in=ids).order_by("created_at"))
    return Timeline(
        title=f"Order {order.ref} · {order.channel.code} · {order.status} · "
        f"{shown(order.total_q, order.currency)}",
        payments=tuple(_block(p, events, operations, refunds) for p in payments),
        history=tuple(
            f"{stamp(e.at)}  {e.kind}  by {e.actor}  {_details(e.data)}".rstrip()
            for e in OrderEvent.objects.using(using).filter(order_ref=order.ref).order_by("id")
        ),
        directives=tuple(_directives(order)),
        flags=tuple(
            FlagLine(flag.id, flag.kind, flag.message)
            for flag in Flag.objects.using(using)
            .filter(order_ref=order.ref, settled_at=None)
            .order_by("id")
        ),
    )


def _block(
    payment: Payment,
    events: Sequence[PaymentEvent],
    operations: Sequence[PaymentOperation],
    refunds: Sequence[Refund],
) -> PaymentBlock:
    currency = payment.currency
    return PaymentBlock(
        title=f"Payment {payment.attempt} · {payment.status} · "
        f"{shown(payment.amount_q, currency)} · account {payment.account} "
        f"({'live' if payment.livemode else 'test'}) · transaction {payment.transaction_id or '-'}",
        amounts=tuple(_amounts(payment)),
        events=tuple(
            EventLine(
                stamp(event.at),
                event.kind,
                shown(event.amount_q, currency) if event.amount_q else "",
                event.source,
                event.actor,
                event.gateway_reference,
            )
            for event in events
            if event.payment_id == payment.id
        ),
        operations=tuple(
            OperationLine(
                f"{operation.kind} {operation.ordinal}",
                shown(operation.amount_q, operation.currency),
                _state(operation),
                operation.key,
                " ".join(filter(None, (operation.code, operation.evidence))),
            )
            for operation in operations
            if operation.payment_id == payment.id
        ),
        refunds=tuple(
            f"refund {refund.reference or '-'}: {shown(refund.amount_q, currency)} {refund.status}"
            + (" (made at the gateway)" if refund.external else "")
            + (f": {refund.reason}" if refund.reason else "")
            for refund in refunds
            if refund.payment_id == payment.id
        ),
    )


_HELD = (PaymentStatus.AUTHORIZED, PaymentStatus.PARTIALLY_CAPTURED)
_PAYABLE = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)


def _amounts(payment: Payment) -> Iterator[str]:
    for name in ("authorized", "captured", "released", "refund_pending", "refunded", "disputed"):
        amount = getattr(payment, f"{name}_q")
        if amount:
            yield f"{name.replace('_', ' ')} {shown(amount, payment.currency)}"
    if payment.next_check_at is not None:
        yield f"asked again {stamp(payment.next_check_at)}"
    if payment.hold_expires_at is not None and payment.status in _HELD:
        yield f"hold ends {stamp(payment.hold_expires_at)}"
    if payment.expires_at is not None and payment.status in _PAYABLE:
        yield f"payable until {stamp(payment.expires_at)}"


_STATES = {
    OperationState.SENT: "sent, outcome not known yet",
    OperationState.PARKED: "parked: outcome unknown, waits for a person",
}


def _state(operation: PaymentOperation) -> str:
    return _STATES.get(OperationState(operation.state), operation.state)


def _directives(order: Order) -> Iterator[str]:
    """What is still to happen, and when."""
    unfinished = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING, DirectiveStatus.PARKED)
    using = order._state.db or conf.database()
    found = (
        Directive.objects.using(using)
        .filter(order_ref=order.ref, status__in=unfinished)
        .order_by("id")
    )
    for directive in found:
        match directive.status:
            case DirectiveStatus.PARKED:
                comes = (
                    "parked: nothing happens until a person looks at it, then: "
                    f"manage.py payments retry {directive.id} --actor NAME --reason TEXT"
                )
            case DirectiveStatus.RUNNING:
                comes = f"running, leased to {directive.lease_owner}"
                if directive.lease_until is not None:
                    comes += f" until {stamp(directive.lease_until)}"
            case _ if directive.waiting:
                comes = f"waits for its payment, looks again {stamp(directive.available_at)}"
            case _:
                comes = f"runs {stamp(directive.available_at)}"
        tried = f" ({directive.attempts} attempts)" if directive.attempts else ""
        why = f": {directive.last_error}" if directive.last_error else ""
        yield f"directive {directive.id} {directive.topic}{tried} {comes}{why}"


def _details(data: object) -> str:
    """What an order's event says of itself, in one line."""
    if not isinstance(data, dict):
        return ""
    return " ".join(
        f"{name}={value}" for name, value in sorted(data.items()) if value not in (None, "")
    )


def shown(amount_q: int, currency: str) -> str:
    """An amount for people; one in an unknown currency as the bare integer."""
    code = currency.upper()
    return format_amount(amount_q, code) if code in KNOWN else f"{amount_q} {currency}"


def stamp(at: datetime) -> str:
    """A time for people, always UTC and said so."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
