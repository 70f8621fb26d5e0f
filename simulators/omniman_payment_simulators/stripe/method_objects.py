"""How what a shopper enters looks on the wire: payment methods, confirmation tokens, addresses."""

from __future__ import annotations

from typing import Any

from .cards import Card
from .records import Method, Token

Json = dict[str, Any]

_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
CHECKS = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}


def method_of(method: Method) -> Json:
    """A payment method."""
    card = method.card
    return {
        "id": method.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing_of(method.billing),
        "card": {
            "brand": card.brand,
            "checks": dict(CHECKS),
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": fingerprint_of(card),
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": method.created,
        "customer": method.customer,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def token_of(token: Token, method: Method) -> Json:
    """A confirmation token."""
    seen = method_of(method)
    preview = ("billing_details", "card", "customer", "customer_account", "type", "allow_redisplay")
    return {
        "id": token.id,
        "object": "confirmation_token",
        "created": token.created,
        "expires_at": token.created + 12 * 3600,
        "livemode": False,
        "mandate_data": None,
        "payment_intent": token.intent,
        "payment_method_options": None,
        "payment_method_preview": {name: seen[name] for name in preview},
        "return_url": token.return_url,
        "setup_future_usage": token.setup_future_usage,
        "setup_intent": None,
        "shipping": shipping_of(token.shipping),
        "use_stripe_sdk": True,
    }


def billing_of(given: Json) -> Json:
    """Who pays, as far as that was said."""
    rest = {name: given.get(name) for name in ("email", "name", "phone", "tax_id")}
    return {"address": {**_ADDRESS, **given.get("address", {})}, **rest}


def shipping_of(given: Json | None) -> Json | None:
    """Where the goods go."""
    if given is None:
        return None
    rest = {name: given.get(name) for name in ("carrier", "name", "phone", "tracking_number")}
    return {"address": {**_ADDRESS, **given.get("address", {})}, **rest}


def fingerprint_of(card: Card) -> str:
    """The same for every use of a card."""
    return f"simulated{card.last4}"
