"""Which parameters every endpoint takes, and of what kind.

What Stripe documents beyond what is simulated is named as such, so that it is refused in words of
its own: not as a mistake, and not in silence.
"""

from __future__ import annotations

from .params import BOOLEAN, INTEGER, METADATA, NO_LONGER, NOT_SIMULATED, RANGE, TEXT, TEXTS, Shape

Shapes = dict[str, Shape]


def _not_simulated(names: str) -> Shapes:
    return dict.fromkeys(names.split(), NOT_SIMULATED)


_ADDRESS: Shapes = dict.fromkeys(
    ("city", "country", "line1", "line2", "postal_code", "state"), TEXT
)
_BILLING: Shapes = {"address": _ADDRESS, "email": TEXT, "name": TEXT, "phone": TEXT, "tax_id": TEXT}
_SHIPPING: Shapes = {
    "address": _ADDRESS,
    "carrier": TEXT,
    "name": TEXT,
    "phone": TEXT,
    "tracking_number": TEXT,
}
_CARD_DATA: Shapes = {
    "type": TEXT,
    "allow_redisplay": TEXT,
    "billing_details": _BILLING,
    "card": {"token": TEXT, "number": TEXT, "exp_month": INTEGER, "exp_year": INTEGER, "cvc": TEXT},
    "metadata": METADATA,
}
_MANDATE: Shapes = {
    "customer_acceptance": {
        "type": TEXT,
        "accepted_at": INTEGER,
        "offline": {},
        "online": {"ip_address": TEXT, "user_agent": TEXT, "infer_from_client": BOOLEAN},
    }
}
_CARD_OPTIONS: Shapes = {
    "capture_method": TEXT,
    "request_multicapture": TEXT,
    "request_three_d_secure": TEXT,
    **_not_simulated(
        "cvc_token installments mandate_options moto network request_extended_authorization "
        "request_incremental_authorization request_overcapture require_cvc_recollection "
        "setup_future_usage statement_descriptor_suffix_kana statement_descriptor_suffix_kanji "
        "three_d_secure"
    ),
}
_EXPAND: Shapes = {"expand": TEXTS}
_ATTACH: Shapes = {
    "payment_method": TEXT,
    "payment_method_data": _CARD_DATA,
    "payment_method_options": {"card": _CARD_OPTIONS},
    "payment_method_types": NO_LONGER,
    "receipt_email": TEXT,
    "setup_future_usage": TEXT,
    "shipping": _SHIPPING,
}
_CONFIRM: Shapes = {
    **_ATTACH,
    **_EXPAND,
    "confirmation_token": TEXT,
    "error_on_requires_action": BOOLEAN,
    "mandate_data": _MANDATE,
    "off_session": TEXT,
    "return_url": TEXT,
    "use_stripe_sdk": BOOLEAN,
    **_not_simulated(
        "amount_details customer_account excluded_payment_method_types hooks mandate "
        "payment_details radar_options"
    ),
}
_PUBLIC: Shapes = {"key": TEXT, "client_secret": TEXT}
_PAGES: Shapes = {
    **_EXPAND,
    "limit": INTEGER,
    "starting_after": TEXT,
    "ending_before": TEXT,
    "created": RANGE,
}
_ABOUT: Shapes = {**_PAGES, "payment_intent": TEXT, "charge": TEXT}

_DESCRIBED: Shapes = {
    "amount": INTEGER,
    "currency": TEXT,
    "customer": TEXT,
    "description": TEXT,
    "metadata": METADATA,
    "statement_descriptor_suffix": TEXT,
    "transfer_group": TEXT,
    **_not_simulated(
        "amount_details application_fee_amount customer_account excluded_payment_method_types "
        "hooks payment_details payment_method_configuration statement_descriptor transfer_data"
    ),
}
CREATE_INTENT: Shapes = {
    **_CONFIRM,
    **_DESCRIBED,
    "allowed_payment_method_types": TEXTS,
    "automatic_payment_methods": {"enabled": BOOLEAN, "allow_redirects": TEXT},
    "capture_method": TEXT,
    "confirm": BOOLEAN,
    **_not_simulated("confirmation_method on_behalf_of"),
}
CONFIRM_INTENT: Shapes = {
    **_CONFIRM,
    **_PUBLIC,
    "capture_method": TEXT,
    **_not_simulated("allowed_payment_method_types amount_to_confirm"),
}
UPDATE_INTENT: Shapes = {
    **_EXPAND,
    **_ATTACH,
    **_DESCRIBED,
    "capture_method": TEXT,
    **_not_simulated("allowed_payment_method_types"),
}
CAPTURE_INTENT: Shapes = {
    **_EXPAND,
    "amount_to_capture": INTEGER,
    "final_capture": BOOLEAN,
    "metadata": METADATA,
    "statement_descriptor_suffix": TEXT,
    **_not_simulated(
        "amount_details application_fee_amount hooks payment_details statement_descriptor "
        "transfer_data"
    ),
}
CANCEL_INTENT: Shapes = {**_EXPAND, "cancellation_reason": TEXT}
RETRIEVE: Shapes = _EXPAND
RETRIEVE_INTENT: Shapes = {**_EXPAND, **_PUBLIC}
LIST_INTENTS: Shapes = {**_PAGES, "customer": TEXT, **_not_simulated("customer_account")}
SEARCH: Shapes = {**_EXPAND, "query": TEXT, "limit": INTEGER, "page": TEXT}

CREATE_REFUND: Shapes = {
    **_EXPAND,
    "payment_intent": TEXT,
    "charge": TEXT,
    "amount": INTEGER,
    "reason": TEXT,
    "metadata": METADATA,
    **_not_simulated(
        "currency customer instructions_email origin refund_application_fee reverse_transfer"
    ),
}
UPDATE_REFUND: Shapes = {**_EXPAND, "metadata": METADATA}
LIST_REFUNDS: Shapes = _ABOUT
LIST_DISPUTES: Shapes = _ABOUT
LIST_CHARGES: Shapes = {**_PAGES, "payment_intent": TEXT, "customer": TEXT}
LIST_EVENTS: Shapes = {**_PAGES, "type": TEXT, "types": TEXTS}

CREATE_METHOD: Shapes = {**_CARD_DATA, **_EXPAND, "key": TEXT}
CREATE_TOKEN: Shapes = {
    **_EXPAND,
    "key": TEXT,
    "payment_method": TEXT,
    "payment_method_data": _CARD_DATA,
    "return_url": TEXT,
    "setup_future_usage": TEXT,
    "shipping": _SHIPPING,
}
CREATE_ENDPOINT: Shapes = {
    **_EXPAND,
    "url": TEXT,
    "enabled_events": TEXTS,
    "description": TEXT,
    "metadata": METADATA,
    **_not_simulated("api_version connect"),
}
UPDATE_ENDPOINT: Shapes = {
    **_EXPAND,
    "url": TEXT,
    "enabled_events": TEXTS,
    "description": TEXT,
    "disabled": BOOLEAN,
    "metadata": METADATA,
}
LIST_ENDPOINTS: Shapes = _PAGES
