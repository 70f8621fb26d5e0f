"""What it costs to believe a Stripe notification: verified and read, beside the SDK's own way."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from statistics import median

from .figures import Figure

TARGET_US = 25
ROUNDS, TIMES = 15, 300
SECRET = "whsec_only_for_measuring"

_CARD = {
    "amount_authorized": 12990,
    "brand": "visa",
    "capture_before": 1790604805,
    "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
    "country": "BR",
    "exp_month": 12,
    "exp_year": 2034,
    "extended_authorization": {"status": "disabled"},
    "fingerprint": "mToisGZ01V71BCos",
    "funding": "credit",
    "incremental_authorization": {"status": "unavailable"},
    "last4": "4242",
    "multicapture": {"status": "unavailable"},
    "network": "visa",
    "overcapture": {"maximum_amount_capturable": 12990, "status": "unavailable"},
    "three_d_secure": None,
}
EVENT = {
    "id": "evt_3QabcdEfGhIjKlMn1OpQrStU",
    "object": "event",
    "account": None,
    "api_version": "2026-10-28.endive",
    "created": 1790000005,
    "data": {
        "object": {
            "id": "ch_3QabcdEfGhIjKlMn1AbCdEfG",
            "object": "charge",
            "amount": 12990,
            "amount_captured": 12990,
            "amount_refunded": 3000,
            "balance_transaction": "txn_3QabcdEfGhIjKlMn1HiJkLmN",
            "billing_details": {
                "address": {
                    "city": None,
                    "country": "BR",
                    "line1": None,
                    "line2": None,
                    "postal_code": None,
                    "state": None,
                },
                "email": None,
                "name": None,
                "phone": None,
                "tax_id": None,
            },
            "calculated_statement_descriptor": "OMNIMAN SHOP",
            "captured": True,
            "created": 1790000001,
            "currency": "brl",
            "customer": None,
            "description": None,
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "livemode": False,
            "metadata": {"order_ref": "WEB-123", "payment_id": "01933b1e7c5d7f2a"},
            "outcome": {
                "network_status": "approved_by_network",
                "reason": None,
                "risk_level": "normal",
                "risk_score": 12,
                "seller_message": "Payment complete.",
                "type": "authorized",
            },
            "paid": True,
            "payment_intent": "pi_3QabcdEfGhIjKlMn1VwXyZaB",
            "payment_method": "pm_1QabcdEfGhIjKlMnCdEfGhIj",
            "payment_method_details": {"card": _CARD, "type": "card"},
            "receipt_email": None,
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "shipping": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "succeeded",
        },
        "previous_attributes": {"amount_refunded": 0, "receipt_url": None},
    },
    "livemode": False,
    "pending_webhooks": 1,
    "request": {"id": "req_AbCdEfGhIjKlMn", "idempotency_key": "omp_01933b1e7c5d7f2a_refund_1"},
    "type": "charge.refunded",
}  # fmt: skip


def measure() -> list[Figure]:
    """Three ways to the same event, in turns."""
    import stripe

    from omniman_payment_stripe import StripeBackend

    body = json.dumps(EVENT, indent=1).encode()
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET)
    headers = {"content-type": "application/json", "stripe-signature": header}
    backend = StripeBackend({"api_key": "sk_test_measuring", "webhook_secret": [SECRET]})
    signed = header.partition(",")[0].removeprefix("t=").encode() + b"." + body
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: backend.parse_webhook(headers, body),
        "sdk": lambda: stripe.Webhook.construct_event(body, header, SECRET),
        "least": lambda: (hmac.digest(SECRET.encode(), signed, "sha256"), json.loads(body)),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            for _ in range(TIMES):
                way()
            spent[name].append((time.perf_counter() - began) / TIMES * 1e6)
    ours, sdk, least = (median(spent[name]) for name in ways)
    return [
        Figure(
            "a Stripe notification, verified and read",
            ours,
            "µs",
            TARGET_US,
            more_is_better=False,
            note=f"{len(body)} bytes; the SDK's construct_event {sdk:.0f} µs, "
            f"hash and json.loads alone {least:.0f} µs",
        )
    ]
