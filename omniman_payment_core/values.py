"""The words of the payment domain: immutable values every layer shares.

Imports nothing of ours. Amounts are integers in the smallest unit of their
currency (``amount_q``); times are aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class PaymentStatus(StrEnum):
    """One vocabulary for all gateways. Derived from amounts and facts, never set by hand."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    AUTHORIZED = "authorized"
    PARTIALLY_CAPTURED = "partially_captured"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    DISPUTED = "disputed"


class RefundStatus(StrEnum):
    """Where one refund stands. A refund that succeeded can still fail later, never the reverse."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PaymentFlow(StrEnum):
    """What committing a session asks for: a hold that is captured later, or the money at once."""

    AUTHORIZE_CAPTURE = "authorize_capture"
    CHARGE = "charge"


class DeclineCode(StrEnum):
    """The normalised reasons of a gateway's final no; its own code stays in ``metadata``."""

    CARD_DECLINED = "card_declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    INCORRECT_CVC = "incorrect_cvc"
    INCORRECT_NUMBER = "incorrect_number"
    LOST_OR_STOLEN = "lost_or_stolen"
    FRAUD_SUSPECTED = "fraud_suspected"
    AUTHENTICATION_FAILED = "authentication_failed"
    LIMIT_EXCEEDED = "limit_exceeded"
    AMOUNT_INVALID = "amount_invalid"
    CURRENCY_UNSUPPORTED = "currency_unsupported"
    METHOD_UNSUPPORTED = "method_unsupported"
    EXPIRED = "expired"
    ALREADY_CAPTURED = "already_captured"
    ALREADY_CANCELLED = "already_cancelled"
    NOT_CAPTURED = "not_captured"
    REFUND_EXCEEDS_CAPTURE = "refund_exceeds_capture"
    REFUND_REFUSED = "refund_refused"
    DECLINED = "declined"


class ActionKind(StrEnum):
    """What the shopper has to do next."""

    SHOW_QR = "show_qr"
    REDIRECT = "redirect"
    CONFIRM_WITH_CLIENT_SECRET = "confirm_with_client_secret"


@dataclass(frozen=True, slots=True)
class NextAction:
    """What the shopper must do before money can move; ``data`` is JSON and safe to show them."""

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """One refund as the gateway reports it."""

    reference: str
    """The gateway's id of the refund."""
    amount_q: int
    status: str
    """A :class:`RefundStatus` value."""
    idempotency_key: str | None = None
    """Our key, where the gateway lets us read it back: attribution without guessing."""


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """What a backend answers. The first six fields are the contract; the rest is optional.

    ``metadata`` is JSON: no SDK object, no secret. An amount left ``None`` means
    "not reported", never zero.
    """

    success: bool
    transaction_id: str | None
    status: str
    """A :class:`PaymentStatus` value; anything unclear is read as ``pending``."""
    error_code: str | None = None
    """A :class:`DeclineCode` value where one fits."""
    error_message: str | None = None
    metadata: Mapping[str, Any] | None = None

    amount_q: int | None = None
    """What was asked of the shopper, as the gateway has it."""
    currency: str | None = None
    authorized_q: int | None = None
    """Total ever authorized, also after capture or release."""
    captured_q: int | None = None
    """Total captured so far; never goes down (refunds are counted apart)."""
    refunded_q: int | None = None
    """Total on its way back or returned: accepted refunds that have not failed."""
    disputed_q: int | None = None
    """Total now held or lost in disputes."""
    refunds: tuple[RefundSnapshot, ...] | None = None
    """Every refund of the transaction, where the gateway lists them."""
    next_action: NextAction | None = None
    expires_at: datetime | None = None
    """When an unpaid charge stops being payable."""
    hold_expires_at: datetime | None = None
    """When an authorization lapses if it is not captured."""
    reference: str | None = None
    """The gateway's id of what this call made, where it is not the transaction (a refund)."""
    held_q: int | None = None
    """What is still authorized and can be captured; tells what was let go behind a status that
    speaks of something else. Believed beside ``authorized_q`` only, which tells how old it is."""


@dataclass(frozen=True, slots=True)
class WebhookRegistration:
    """Where a gateway sends its notifications, as it shows it; ``url`` without any secret."""

    url: str
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One verified notification: which transaction to look at, never how much was paid.

    ``event_id`` is what makes a second delivery recognisable; a gateway that has
    none derives it from the content.
    """

    event_id: str
    kind: str
    transaction_id: str | None
    """``None`` where the event concerns no transaction: stored and ignored."""
    occurred_at: datetime | None = None
    livemode: bool | None = None
    """Test or live, where the gateway says so; ``None`` matches both."""
