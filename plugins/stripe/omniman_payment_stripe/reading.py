"""PaymentIntents, charges and refunds as plain JSON, read as one honest :class:`PaymentResult`.

Pure. Source: docs.stripe.com/payments/paymentintents/lifecycle and the API reference of
PaymentIntent, Charge, Refund and Dispute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from omniman_payment_core.values import (
    ActionKind,
    NextAction,
    PaymentResult,
    PaymentStatus,
    RefundSnapshot,
    RefundStatus,
)

from .amounts import from_stripe
from .declines import normalise

ORDER_REF = "order_ref"
PAYMENT_ID = "payment_id"
PAID_ON = "paid_on"
"""Metadata of a PaymentIntent: ``page`` where the shopper gives the card to Stripe.js, so that
a declined card is not the end of the payment: the shopper may try another on the same page."""
PAGE = "page"
REFUND_KEY = "idempotency_key"
"""Metadata of a refund: our own key, so that it is recognised however it is found."""

ORDINARY_HOLD = timedelta(days=7)
"""How long a hold lasts where the charge does not tell (docs.stripe.com/payments/place-a-hold)."""

_LAPSED = ("automatic", "expired")
_DISPUTED = ("needs_response", "under_review", "lost")
"""Statuses of a dispute that has taken the money; a ``warning_*`` has not (yet)."""
_REFUND_STATUS = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
"""Every other status, ``pending``, ``requires_action`` and new ones, is not decided yet."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What the shopper's page needs of the account, and how long it waits for the shopper."""

    publishable_key: str = ""
    return_url: str | None = None
    pay_within: timedelta = timedelta(hours=24)


def read_intent(
    intent: Json,
    page: Page,
    *,
    refunds: Sequence[Json] | None = None,
    disputes: Sequence[Json] = (),
) -> PaymentResult:
    """A PaymentIntent, its charge expanded, with its refunds and disputes where they were read.

    :raises ValueError, KeyError, TypeError: it is not a PaymentIntent as Stripe documents it.
    """
    currency = _text(intent, "currency").upper()
    amount_q = from_stripe(_amount(intent, "amount"), currency)
    captured_q = from_stripe(_amount(intent, "amount_received"), currency)
    charge = _charge(intent)
    status = _status(intent, captured_q)
    refunded_q = disputed_q = 0
    snapshots: tuple[RefundSnapshot, ...] | None = None
    if charge is not None and captured_q:
        refunded_q = from_stripe(_amount(charge, "amount_refunded"), currency)
        if refunds is not None:
            snapshots = tuple(_snapshot(refund, currency) for refund in refunds)
            live = (s for s in snapshots if s.status != RefundStatus.FAILED)
            refunded_q = sum(snapshot.amount_q for snapshot in live)
        taken = (d for d in disputes if d["status"] in _DISPUTED)
        disputed_q = sum(from_stripe(_amount(d, "amount"), currency) for d in taken)
        status = _after_capture(status, captured_q, refunded_q, disputed_q)
    failed = status is PaymentStatus.FAILED
    error = intent.get("last_payment_error") or {}
    return PaymentResult(
        success=not failed,
        transaction_id=_text(intent, "id"),
        status=status,
        error_code=normalise(error.get("code"), error.get("decline_code")) if failed else None,
        error_message=(error.get("message") or "the payment failed") if failed else None,
        metadata=_metadata(intent, charge, error),
        amount_q=amount_q,
        currency=currency,
        authorized_q=_authorized(intent, charge, amount_q),
        captured_q=captured_q,
        refunded_q=refunded_q,
        # Without a read of disputes an open one cannot be told from none.
        disputed_q=disputed_q if disputes or not (charge or {}).get("disputed") else None,
        refunds=snapshots,
        next_action=_next_action(intent, page),
        expires_at=_pay_by(intent, page, status),
        hold_expires_at=_hold_end(intent, charge),
        held_q=_held(intent, currency),
    )


def read_refund(refund: Json, transaction_id: str) -> PaymentResult:
    """The answer to a refund; its charge, expanded, tells how much has gone back in all."""
    currency = _text(refund, "currency").upper()
    snapshot = _snapshot(refund, currency)
    charge = refund.get("charge")
    status = PaymentStatus.CAPTURED
    if snapshot.status == RefundStatus.SUCCEEDED:
        whole = isinstance(charge, Mapping) and charge["refunded"] is True
        status = PaymentStatus.REFUNDED if whole else PaymentStatus.PARTIALLY_REFUNDED
    failed = snapshot.status == RefundStatus.FAILED
    reason = refund.get("failure_reason") or "no reason given"
    return PaymentResult(
        success=not failed,
        transaction_id=transaction_id,
        status=status,
        error_code="refund_refused" if failed else None,
        error_message=f"the refund failed: {reason}" if failed else None,
        metadata={"refund": snapshot.reference, "refund_status": _text(refund, "status")},
        currency=currency,
        reference=snapshot.reference,
    )


def is_captured(intent: Json) -> bool:
    """Whether there can be refunds and disputes of it."""
    return bool(intent.get("amount_received"))


def is_disputed(intent: Json) -> bool:
    """Whether its charge was ever disputed."""
    return bool((_charge(intent) or {}).get("disputed"))


def _status(intent: Json, captured_q: int) -> PaymentStatus:
    on_page = _own(intent).get(PAID_ON) == PAGE
    match intent["status"]:
        case "requires_payment_method" if on_page:
            return PaymentStatus.REQUIRES_ACTION
        case "requires_payment_method" if intent.get("last_payment_error"):
            return PaymentStatus.FAILED
        case "requires_action":
            return PaymentStatus.REQUIRES_ACTION
        case "requires_capture":
            return PaymentStatus.PARTIALLY_CAPTURED if captured_q else PaymentStatus.AUTHORIZED
        case "succeeded":
            return PaymentStatus.CAPTURED
        case "canceled" if intent.get("cancellation_reason") in _LAPSED:
            return PaymentStatus.EXPIRED
        case "canceled":
            return PaymentStatus.CANCELLED
    # requires_confirmation, processing, and whatever Stripe adds: neither paid nor failed.
    return PaymentStatus.PENDING


def _after_capture(
    status: PaymentStatus, captured_q: int, refunded_q: int, disputed_q: int
) -> PaymentStatus:
    if status in (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED):
        # The rest of a hold was let go after a part of it was taken.
        status = PaymentStatus.CAPTURED
    if disputed_q:
        return PaymentStatus.DISPUTED
    if refunded_q >= captured_q:
        return PaymentStatus.REFUNDED
    return PaymentStatus.PARTIALLY_REFUNDED if refunded_q else status


def _authorized(intent: Json, charge: Json | None, amount_q: int) -> int | None:
    """A charge in one step has no hold of its own; nothing is said of one then."""
    if intent["capture_method"] == "automatic":
        return None
    held = charge is not None and charge["status"] == "succeeded"
    return amount_q if held else 0


def _held(intent: Json, currency: str) -> int | None:
    """``amount_capturable``: what is left of a hold, also behind refunds and disputes."""
    if intent["capture_method"] == "automatic":
        return None
    return from_stripe(_amount(intent, "amount_capturable"), currency)


def _next_action(intent: Json, page: Page) -> NextAction | None:
    status, secret = intent["status"], intent.get("client_secret")
    on_page = _own(intent).get(PAID_ON) == PAGE
    waiting = status == "requires_action" or (status == "requires_payment_method" and on_page)
    if not waiting or not secret:
        return None
    data: dict[str, Any] = {
        "provider": "stripe",
        "client_secret": secret,
        "publishable_key": page.publishable_key,
        "mode": "authenticate" if status == "requires_action" else "pay",
    }
    if page.return_url:
        data["return_url"] = page.return_url
    return NextAction(ActionKind.CONFIRM_WITH_CLIENT_SECRET, data)


def _pay_by(intent: Json, page: Page, status: PaymentStatus) -> datetime | None:
    """Stripe lets an unpaid PaymentIntent wait for ever; a shop does not."""
    if status not in (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION):
        return None
    if intent["status"] == "processing":
        return None
    return _moment(intent["created"]) + page.pay_within


def _hold_end(intent: Json, charge: Json | None) -> datetime | None:
    if intent["status"] != "requires_capture" or charge is None:
        return None
    details = charge.get("payment_method_details") or {}
    before = (details.get("card") or {}).get("capture_before")
    if type(before) is int:
        return _moment(before)
    return _moment(charge["created"]) + ORDINARY_HOLD


def _snapshot(refund: Json, currency: str) -> RefundSnapshot:
    return RefundSnapshot(
        reference=_text(refund, "id"),
        amount_q=from_stripe(_amount(refund, "amount"), currency),
        status=_REFUND_STATUS.get(refund.get("status") or "", RefundStatus.PENDING),
        idempotency_key=(refund.get("metadata") or {}).get(REFUND_KEY),
    )


def _metadata(intent: Json, charge: Json | None, error: Json) -> dict[str, Any]:
    own = _own(intent)
    data = {
        "intent_status": intent["status"],
        "order_ref": own.get(ORDER_REF),
        "payment_id": own.get(PAYMENT_ID),
        "stripe_code": error.get("code"),
        "decline_code": error.get("decline_code"),
    }
    if charge is not None:
        card = (charge.get("payment_method_details") or {}).get("card") or {}
        data |= {"charge": charge["id"], "card_brand": card.get("brand")}
        data["card_last4"] = card.get("last4")
    return {name: value for name, value in data.items() if value is not None}


def _own(intent: Json) -> Json:
    return intent.get("metadata") or {}


def _charge(intent: Json) -> Json | None:
    charge = intent.get("latest_charge")
    return charge if isinstance(charge, Mapping) else None


def _text(source: Json, name: str) -> str:
    value = source[name]
    if type(value) is not str or not value:
        raise TypeError(f"{name} is not a text")
    return value


def _amount(source: Json, name: str) -> int:
    value = source[name]
    if type(value) is not int or value < 0:
        raise TypeError(f"{name} is not a whole number")
    return value


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
