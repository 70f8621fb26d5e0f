"""What differs between a payment's ledger and the gateway's truth; for reconciliation. Pure.

An amount that the gateway does not report is not compared: "not said" is never zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..currencies import format_amount
from ..values import PaymentResult, PaymentStatus


@dataclass(frozen=True, slots=True)
class Books:
    """A payment as the ledger has it. Refunds that are under way count as returned."""

    currency: str
    amount_q: int
    authorized_q: int
    captured_q: int
    returned_q: int
    disputed_q: int
    open_q: int
    waiting: bool
    """Nobody has paid, and the payment has not ended."""


_GONE = (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED, PaymentStatus.FAILED)


def differences(ours: Books, theirs: PaymentResult) -> tuple[str, ...]:
    """Each difference as a sentence; none where the two agree."""
    if theirs.currency is not None and theirs.currency.upper() != ours.currency:
        return (f"the gateway has it in {theirs.currency.upper()[:8]}, we in {ours.currency}",)
    return tuple(_amounts(ours, theirs)) + tuple(_endings(ours, theirs))


def moved_money(theirs: PaymentResult) -> bool:
    """Whether a transaction that nobody here knows has taken or holds anything."""
    if theirs.captured_q or theirs.disputed_q:
        return True
    return theirs.status in (
        PaymentStatus.AUTHORIZED,
        PaymentStatus.CAPTURED,
        PaymentStatus.PARTIALLY_CAPTURED,
        PaymentStatus.PARTIALLY_REFUNDED,
        PaymentStatus.DISPUTED,
    )


def _amounts(ours: Books, theirs: PaymentResult) -> Iterator[str]:
    for what, here, there in (
        ("asked for", ours.amount_q, theirs.amount_q),
        ("authorized", ours.authorized_q or None, theirs.authorized_q),
        ("held", ours.open_q, theirs.held_q),
        ("captured", ours.captured_q, theirs.captured_q),
        ("returned", ours.returned_q, theirs.refunded_q),
        ("disputed", ours.disputed_q, theirs.disputed_q),
    ):
        if here is not None and there is not None and here != there:
            yield (
                f"{what}: the gateway says {format_amount(there, ours.currency)}, "
                f"the ledger {format_amount(here, ours.currency)}"
            )


def _endings(ours: Books, theirs: PaymentResult) -> Iterator[str]:
    status = str(theirs.status)
    if status in _GONE and (ours.waiting or ours.open_q):
        yield f"at the gateway it is {status}, here it is open"
    elif status == PaymentStatus.AUTHORIZED and not ours.authorized_q:
        yield "at the gateway it is held, here nothing is"
    elif ours.waiting and theirs.captured_q is None and status == PaymentStatus.CAPTURED:
        yield "at the gateway it is paid, here it is open"
