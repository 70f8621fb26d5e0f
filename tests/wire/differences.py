"""Where the contract documents are older than the API version we pin: every difference, by name.

The answers' document is a snapshot from before 2025-03-31.basil, and in the requests' document
what lies inside another parameter dates from 2023-08-16. A name is allowed here only when the SDK,
whose types are written from the API of its own version, knows it; a test holds us to that.
"""

from __future__ import annotations

from typing import Any

import stripe
from stripe import params

NEWER_FIELDS: dict[str, tuple[type, frozenset[str]]] = {
    "payment_intent": (
        stripe.PaymentIntent,
        frozenset(
            {
                "allowed_payment_method_types",
                "customer_account",
                "excluded_payment_method_types",
                "managed_payments",
                "payment_method_configuration_details",
                "source",
            }
        ),
    ),
    "payment_flows_automatic_payment_methods_payment_intent": (
        stripe.PaymentIntent.AutomaticPaymentMethods,
        frozenset({"allow_redirects"}),
    ),
    "payment_intent_payment_method_options_card": (
        stripe.PaymentIntent.PaymentMethodOptions.Card,
        frozenset({"request_multicapture"}),
    ),
    "charge": (stripe.Charge, frozenset({"source"})),
    "charge_outcome": (
        stripe.Charge.Outcome,
        frozenset({"advice_code", "network_advice_code", "network_decline_code"}),
    ),
    "billing_details": (stripe.Charge.BillingDetails, frozenset({"tax_id"})),
    # How long a hold lasts and how often it may be captured: what our plugin reads most.
    "payment_method_details_card": (
        stripe.Charge.PaymentMethodDetails.Card,
        frozenset(
            {
                "amount_authorized",
                "authorization_code",
                "capture_before",
                "extended_authorization",
                "incremental_authorization",
                "multicapture",
                "network_token",
                "network_transaction_id",
                "overcapture",
                "regulated_status",
                "transaction_link_id",
            }
        ),
    ),
    "three_d_secure_details": (
        stripe.Charge.PaymentMethodDetails.Card.ThreeDSecure,
        frozenset({"electronic_commerce_indicator", "exemption_indicator", "transaction_id"}),
    ),
    # Inside the intent of an error, and expanded.
    "payment_method": (
        stripe.PaymentMethod,
        frozenset({"allow_redisplay", "customer_account"}),
    ),
    "payment_method_card": (
        stripe.PaymentMethod.Card,
        frozenset({"display_brand", "regulated_status"}),
    ),
    "refund": (
        stripe.Refund,
        frozenset({"customer", "customer_account", "destination_details", "payment_method"}),
    ),
    "dispute": (
        stripe.Dispute,
        frozenset({"enhanced_eligibility_types", "payment_method_details"}),
    ),
    "dispute_evidence": (stripe.Dispute.Evidence, frozenset({"enhanced_evidence"})),
    "dispute_evidence_details": (
        stripe.Dispute.EvidenceDetails,
        frozenset({"enhanced_eligibility", "submission_method"}),
    ),
    "api_errors": (
        stripe.ErrorObject,
        frozenset({"advice_code", "network_advice_code", "network_decline_code"}),
    ),
}
"""Fields that an answer may have although the snapshot does not know them, by component."""

GONE_FIELDS: dict[str, tuple[type, frozenset[str]]] = {
    # Changelog of 2025-03-31.basil, support for several payments on an invoice.
    "payment_intent": (stripe.PaymentIntent, frozenset({"invoice"})),
    "charge": (stripe.Charge, frozenset({"invoice"})),
}
"""Fields that the snapshot knows and that Stripe no longer sends."""

NEWER_CARD_OPTIONS = frozenset({"request_multicapture"})
"""Options of ``payment_method_options[card]`` from after 2023-08-16; see the multicapture guide."""

CARD_OPTIONS_TYPE = params.PaymentIntentCreateParamsPaymentMethodOptionsCard

FIXTURE_ONLY = {
    "charge.refunds": "since 2022-11-15 a charge carries its refunds only when they are expanded",
    "charge.source": "the Sources API; a charge of a PaymentMethod has none",
    "payment_intent.source": "the Sources API; an intent of a PaymentMethod has none",
}
"""Keys of Stripe's example objects that an object of today need not have, each with its reason."""


def bring_up_to_date(components: dict[str, Any]) -> None:
    """Change the snapshot's components by exactly the fields named above."""
    for component, (_, names) in NEWER_FIELDS.items():
        # What is inside them is judged by the SDK's types, which are as new as they are.
        components[component]["properties"].update(dict.fromkeys(names, True))
    for component, (_, names) in GONE_FIELDS.items():
        for name in names:
            del components[component]["properties"][name]


def add_newer_parameters(schema: dict[str, Any]) -> None:
    """Let an operation's parameters have the card options named above, where it has any."""
    options = schema["properties"].get("payment_method_options")
    if options is None:
        return
    for branch in options["properties"]["card"]["anyOf"]:
        if "properties" in branch:
            branch["properties"].update({name: {"type": "string"} for name in NEWER_CARD_OPTIONS})
