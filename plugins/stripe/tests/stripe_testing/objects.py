"""Stripe's objects as its API writes them, with only what matters to the test."""

from __future__ import annotations

from typing import Any

CREATED = 1_790_000_000


def intent(**changes: Any) -> dict[str, Any]:
    """A PaymentIntent that waits for a payment method."""
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 1000,
        "amount_capturable": 0,
        "amount_received": 0,
        "cancellation_reason": None,
        "capture_method": "manual",
        "client_secret": "pi_1_secret_2",
        "created": CREATED,
        "currency": "brl",
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {"order_ref": "O1", "payment_id": "pay-1", "paid_on": "server"},
        "status": "requires_payment_method",
        **changes,
    }


def charge(**changes: Any) -> dict[str, Any]:
    """A charge that the card's bank accepted."""
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 1000,
        "amount_captured": 0,
        "amount_refunded": 0,
        "captured": False,
        "created": CREATED + 5,
        "disputed": False,
        "payment_method_details": {
            "type": "card",
            "card": {"brand": "visa", "last4": "4242", "capture_before": CREATED + 600_000},
        },
        "refunded": False,
        "status": "succeeded",
        **changes,
    }


def refund(**changes: Any) -> dict[str, Any]:
    """A refund that went through."""
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 300,
        "charge": "ch_1",
        "currency": "brl",
        "metadata": {"idempotency_key": "omp_key"},
        "payment_intent": "pi_1",
        "status": "succeeded",
        **changes,
    }


def held() -> dict[str, Any]:
    """A hold of the whole amount."""
    return intent(status="requires_capture", amount_capturable=1000, latest_charge=charge())


def captured(received: int = 1000, **of_charge: Any) -> dict[str, Any]:
    """A hold that was captured, in whole or in part."""
    return intent(
        status="succeeded",
        amount_received=received,
        latest_charge=charge(captured=True, amount_captured=received, **of_charge),
    )
