"""What plugins are told: small immutable values without payment methods, payloads or secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .values import PaymentStatus


@dataclass(frozen=True, slots=True)
class GatewayCall:
    """One call that is about to be made, as wrappers see it."""

    account: str
    """The configured account, as named in the settings."""
    plugin: str
    """The backend's entry-point name, or the dotted path of its class."""
    method: str
    order_ref: str
    payment_id: str
    idempotency_key: str | None
    """The same for every attempt of one operation; ``None`` where the call only reads."""
    amount_q: int
    currency: str
    attempt: int
    """1 for the first try."""


@dataclass(frozen=True, slots=True)
class DirectiveNotice:
    """Something happened to a directive."""

    id: int | None
    """``None`` where the store gives the number only later."""
    topic: str
    order_ref: str
    payment_id: str | None
    attempts: int
    status: str
    reason: str
    """Why it failed, waits or is parked; empty where all is well."""
    at: datetime


@dataclass(frozen=True, slots=True)
class PaymentChange:
    """A payment's status moved. ``(payment_id, version)`` recognises a repeated notice."""

    payment_id: str
    order_ref: str
    account: str
    previous: PaymentStatus | None
    """``None`` for a payment that has just begun."""
    status: PaymentStatus
    amount_q: int
    currency: str
    authorized_q: int
    captured_q: int
    refunded_q: int
    disputed_q: int
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class WebhookNotice:
    """An authentic delivery was stored."""

    account: str
    event_id: str
    kind: str
    transaction_id: str | None
    duplicate: bool
    """It had been delivered before, and changes nothing."""
