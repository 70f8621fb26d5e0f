"""How objects look on the wire, in the API version that the simulator speaks."""

from __future__ import annotations

from typing import Any

from .cards import Card, message_of
from .method_objects import CHECKS, billing_of, fingerprint_of, shipping_of
from .records import Charge, Dispute, Intent, Refund
from .state import State

Json = dict[str, Any]


def intent_of(state: State, intent: Intent) -> Json:
    """A PaymentIntent; its charge as an id."""
    automatic = None
    if intent.allow_redirects is not None:
        automatic = {"allow_redirects": intent.allow_redirects, "enabled": True}
    return {
        "id": intent.id,
        "object": "payment_intent",
        "allowed_payment_method_types": intent.allowed_types,
        "amount": intent.amount,
        "amount_capturable": intent.amount_capturable,
        "amount_details": {"tip": {}},
        "amount_received": intent.amount_received,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": automatic,
        "canceled_at": intent.canceled_at,
        "cancellation_reason": intent.cancellation_reason,
        "capture_method": intent.capture_method,
        "client_secret": intent.secret,
        "confirmation_method": "automatic",
        "created": intent.created,
        "currency": intent.currency,
        "customer": intent.customer,
        "customer_account": None,
        "description": intent.description,
        "excluded_payment_method_types": None,
        "last_payment_error": intent.error,
        "latest_charge": intent.charge,
        "livemode": False,
        "managed_payments": None,
        "metadata": dict(intent.metadata),
        "next_action": intent.next_action,
        "on_behalf_of": None,
        "payment_method": intent.method,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": intent.three_d,
                **({"request_multicapture": "if_available"} if intent.multicapture else {}),
                **({"capture_method": intent.card_capture} if intent.card_capture else {}),
            }
        },
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": intent.receipt_email,
        "review": None,
        "setup_future_usage": intent.setup_future_usage,
        "shipping": shipping_of(intent.shipping),
        "statement_descriptor": None,
        "statement_descriptor_suffix": intent.statement_descriptor_suffix,
        "status": intent.status,
        "transfer_data": None,
        "transfer_group": intent.transfer_group,
    }


def charge_of(charge: Charge, *, refunds: bool = False) -> Json:
    """A charge; with ``refunds`` the list that has to be asked for."""
    failed = charge.status == "failed"
    whole = charge.captured and charge.amount_refunded >= charge.amount_captured > 0
    rendered: Json = {
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.amount_captured,
        "amount_refunded": charge.amount_refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None
        if failed or not charge.amount_captured
        else f"txn_{charge.id[3:]}",
        "billing_details": billing_of({}),
        "calculated_statement_descriptor": "SIMULATED SHOP",
        "captured": charge.captured,
        "created": charge.created,
        "currency": charge.currency,
        "customer": None,
        "description": None,
        "disputed": bool(charge.disputes),
        "failure_balance_transaction": None,
        "failure_code": charge.code,
        "failure_message": message_of(charge.code or "", charge.decline_code or "")
        if failed
        else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(charge.metadata),
        "on_behalf_of": None,
        "outcome": _outcome(charge),
        "paid": not failed,
        "payment_intent": charge.intent,
        "payment_method": charge.method,
        "payment_method_details": {"card": _card_details(charge), "type": "card"},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": whole,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": charge.status,
        "transfer_data": None,
        "transfer_group": None,
    }
    if refunds:
        newest = [refund_of(refund) for refund in reversed(charge.refunds)]
        rendered["refunds"] = list_of(
            f"/v1/charges/{charge.id}/refunds", newest[:10], len(newest) > 10
        )
    return rendered


def refund_of(refund: Refund) -> Json:
    """A refund; its charge as an id."""
    rendered: Json = {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": f"txn_{refund.id[3:]}",
        "charge": refund.charge,
        "created": refund.created,
        "currency": refund.currency,
        "customer": None,
        "customer_account": None,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": dict(refund.metadata),
        "payment_intent": refund.intent,
        "payment_method": None,
        "reason": refund.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": refund.status,
        "transfer_reversal": None,
    }
    if refund.failure_reason:
        rendered["failure_reason"] = refund.failure_reason
    if refund.pending_reason and refund.status == "pending":
        rendered["pending_reason"] = refund.pending_reason
    return rendered


def dispute_of(dispute: Dispute, card: Card) -> Json:
    """A dispute."""
    inquiry = dispute.status.startswith("warning")
    return {
        "id": dispute.id,
        "object": "dispute",
        "amount": dispute.amount,
        "balance_transactions": [],
        "charge": dispute.charge,
        "created": dispute.created,
        "currency": dispute.currency,
        "enhanced_eligibility_types": [],
        "evidence": {
            **dict.fromkeys(_EVIDENCE),
            "enhanced_evidence": {},
        },
        "evidence_details": {
            "due_by": dispute.created + 7 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "manual",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": dispute.intent,
        "payment_method_details": {
            "card": {
                "brand": card.brand,
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": card.brand,
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": dispute.reason,
        "status": dispute.status,
    }


def list_of(url: str, data: list[Json], has_more: bool) -> Json:
    """A page of a list."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _outcome(charge: Charge) -> Json:
    failed, blocked = charge.status == "failed", charge.card.risk == "blocked"
    network, kind, message = "approved_by_network", "authorized", "Payment complete."
    if blocked:
        network, kind = "not_sent_to_network", "blocked"
        message = "Stripe blocked this payment as too risky."
    elif failed:
        network, kind = "declined_by_network", "issuer_declined"
        message = "The bank declined the payment."
    reason = (charge.decline_code or charge.code) if failed else None
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": "05" if network == "declined_by_network" else None,
        "network_status": network,
        "reason": "highest_risk_level" if blocked else reason,
        "risk_level": "highest" if blocked else charge.card.risk,
        "risk_score": {"normal": 12, "elevated": 70}.get(charge.card.risk, 92),
        "seller_message": message,
        "type": kind,
    }


def _card_details(charge: Charge) -> Json:
    card = charge.card
    details: Json = {
        "amount_authorized": None if charge.status == "failed" else charge.amount,
        "authorization_code": None,
        "brand": card.brand,
        "checks": dict(CHECKS),
        "country": card.country,
        "exp_month": 12,
        "exp_year": 2034,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": fingerprint_of(card),
        "funding": card.funding,
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "multicapture": {"status": "available" if charge.multicapture else "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": charge.id[3:18],
        "overcapture": {"maximum_amount_capturable": charge.amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": _authentication() if charge.authenticated else None,
        "transaction_link_id": None,
        "wallet": None,
    }
    if charge.capture_before is not None:
        details["capture_before"] = charge.capture_before
    return details


def _authentication() -> Json:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": "00000000-0000-4000-8000-000000000000",
        "version": "2.2.0",
    }


_EVIDENCE = frozenset(
    """
    access_activity_log billing_address cancellation_policy cancellation_policy_disclosure
    cancellation_rebuttal customer_communication customer_email_address customer_name
    customer_purchase_ip customer_signature duplicate_charge_documentation
    duplicate_charge_explanation duplicate_charge_id product_description receipt refund_policy
    refund_policy_disclosure refund_refusal_explanation service_date service_documentation
    shipping_address shipping_carrier shipping_date shipping_documentation
    shipping_tracking_number uncategorized_file uncategorized_text
    """.split()  # noqa: SIM905 (a list of 29 lines would say no more)
)
