"""What the far side keeps of a payment: mutable records, known to the gateway alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from omniman_payment_core.values import RefundStatus

from .script import NO_BEHAVIOUR, Behaviour


@dataclass(slots=True)
class GatewayRefund:
    """One refund; it counts against the capture until it has failed."""

    reference: str
    amount_q: int
    status: RefundStatus
    idempotency_key: str | None = None
    fails_at_next_read: bool = False


@dataclass(slots=True)
class Transaction:
    """One attempt to collect money. Amounts only grow; what is open follows from them."""

    id: str
    order_ref: str
    amount_q: int
    currency: str
    captures_at_once: bool
    created_at: datetime
    authorized_q: int = 0
    captured_q: int = 0
    released_q: int = 0
    disputed_q: int = 0
    refunds: tuple[GatewayRefund, ...] = ()
    waiting: str = ""
    """What the shopper still has to do: ``3ds``, ``qr`` or ``pending``; empty when nothing."""
    expires_at: datetime | None = None
    hold_expires_at: datetime | None = None
    cancelled: bool = False
    expired: bool = False
    declined: str = ""
    reads: int = 0
    behaviour: Behaviour = NO_BEHAVIOUR


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that really moved: positive towards the merchant, negative away from them."""

    kind: str
    """``capture``, ``refund``, ``refund_returned``, ``dispute`` or ``dispute_won``."""
    transaction_id: str
    order_ref: str
    amount_q: int
    currency: str
    key: str | None
    at: datetime
