"""Which parameters every endpoint takes, and of what kind; anything else is refused.

Only what a card payment needs is taken. What Stripe documents beyond that is refused here with a
message of its own, so that a test never passes on something that was ignored.
"""

from __future__ import annotations

import re
from typing import Any

from .errors import unvalidated

_INTEGER = re.compile(r"-?[0-9]{1,18}")

TEXT, INTEGER, BOOLEAN, METADATA, TEXTS, RANGE = (
    "text",
    "integer",
    "boolean",
    "metadata",
    "texts",
    "range",
)
Shape = str | dict[str, Any]

_CARD_DATA: dict[str, Any] = {
    "type": TEXT,
    "card": {"token": TEXT, "number": TEXT, "exp_month": INTEGER, "exp_year": INTEGER, "cvc": TEXT},
    "billing_details": METADATA,
}
_CONFIRM: dict[str, Shape] = {
    "confirmation_token": TEXT,
    "error_on_requires_action": BOOLEAN,
    "expand": TEXTS,
    "mandate_data": METADATA,
    "off_session": TEXT,
    "payment_method": TEXT,
    "payment_method_data": _CARD_DATA,
    "payment_method_options": {
        "card": {"request_multicapture": TEXT, "request_three_d_secure": TEXT}
    },
    "receipt_email": TEXT,
    "return_url": TEXT,
    "setup_future_usage": TEXT,
    "use_stripe_sdk": BOOLEAN,
}
_PUBLIC = {"key": TEXT, "client_secret": TEXT}
_LIST: dict[str, Shape] = {
    "limit": INTEGER,
    "starting_after": TEXT,
    "ending_before": TEXT,
    "expand": TEXTS,
    "created": RANGE,
}

CREATE_INTENT: dict[str, Shape] = {
    **_CONFIRM,
    "allowed_payment_method_types": TEXTS,
    "amount": INTEGER,
    "automatic_payment_methods": {"enabled": BOOLEAN, "allow_redirects": TEXT},
    "capture_method": TEXT,
    "confirm": BOOLEAN,
    "currency": TEXT,
    "customer": TEXT,
    "description": TEXT,
    "metadata": METADATA,
    "payment_method_types": TEXTS,
    "statement_descriptor_suffix": TEXT,
}
CONFIRM_INTENT: dict[str, Shape] = {**_CONFIRM, **_PUBLIC, "payment_method_types": TEXTS}
UPDATE_INTENT: dict[str, Shape] = {
    "amount": INTEGER,
    "description": TEXT,
    "metadata": METADATA,
    "expand": TEXTS,
    "receipt_email": TEXT,
    "payment_method_types": TEXTS,
}
CAPTURE_INTENT: dict[str, Shape] = {
    "amount_to_capture": INTEGER,
    "final_capture": BOOLEAN,
    "expand": TEXTS,
    "metadata": METADATA,
    "statement_descriptor_suffix": TEXT,
}
CANCEL_INTENT: dict[str, Shape] = {"cancellation_reason": TEXT, "expand": TEXTS}
RETRIEVE: dict[str, Shape] = {"expand": TEXTS}
RETRIEVE_INTENT: dict[str, Shape] = {"expand": TEXTS, **_PUBLIC}
LIST_INTENTS: dict[str, Shape] = {**_LIST, "customer": TEXT}
SEARCH: dict[str, Shape] = {"query": TEXT, "limit": INTEGER, "page": TEXT, "expand": TEXTS}
CREATE_REFUND: dict[str, Shape] = {
    "payment_intent": TEXT,
    "charge": TEXT,
    "amount": INTEGER,
    "reason": TEXT,
    "metadata": METADATA,
    "expand": TEXTS,
}
UPDATE_REFUND: dict[str, Shape] = {"metadata": METADATA, "expand": TEXTS}
LIST_REFUNDS: dict[str, Shape] = {**_LIST, "payment_intent": TEXT, "charge": TEXT}
LIST_DISPUTES: dict[str, Shape] = {**_LIST, "payment_intent": TEXT, "charge": TEXT}
CREATE_METHOD: dict[str, Shape] = {**_CARD_DATA, "metadata": METADATA, "expand": TEXTS, "key": TEXT}
CREATE_ENDPOINT: dict[str, Shape] = {
    "url": TEXT,
    "enabled_events": TEXTS,
    "api_version": TEXT,
    "description": TEXT,
    "metadata": METADATA,
    "expand": TEXTS,
}


def read(form: dict[str, Any], shape: dict[str, Shape], *required: str) -> dict[str, Any]:
    """The parameters with their kinds; raises for an unknown, missing or malformed one."""
    if "payment_method_types" in form and "payment_method_types" in shape:
        raise unvalidated(
            "The `payment_method_types` parameter is no longer supported on this API version. Use "
            "`automatic_payment_methods` or `allowed_payment_method_types` instead.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
    found = _object(form, shape, "")
    for name in required:
        if name not in found:
            raise unvalidated(
                f"Missing required param: {name}.", code="parameter_missing", param=name
            )
    return found


def _object(form: dict[str, Any], shape: dict[str, Shape], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in form.items():
        param = f"{prefix}[{name}]" if prefix else name
        if name not in shape:
            raise unvalidated(
                f"Received unknown parameter: {param}", code="parameter_unknown", param=param
            )
        found[name] = _value(value, shape[name], param)
    return found


def _value(value: Any, shape: Shape, param: str) -> Any:
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise unvalidated("Invalid object", code="parameter_invalid_object", param=param)
        return _object(value, shape, param)
    if shape == METADATA:
        return _metadata(value, param)
    if shape == TEXTS:
        items = value if isinstance(value, list) else [value] if isinstance(value, str) else None
        if items is None or not all(isinstance(item, str) for item in items):
            raise unvalidated("Invalid array", code="parameter_invalid_array", param=param)
        return items
    if shape == RANGE:
        if isinstance(value, dict):
            return _object(value, dict.fromkeys(("gt", "gte", "lt", "lte"), INTEGER), param)
        return {"gte": (number := _value(value, INTEGER, param)), "lte": number}
    if not isinstance(value, str):
        raise unvalidated(
            "Invalid string: must be a string", code="parameter_invalid_string", param=param
        )
    if shape == INTEGER:
        if not _INTEGER.fullmatch(value):
            raise unvalidated(
                f"Invalid integer: {value}", code="parameter_invalid_integer", param=param
            )
        return int(value)
    if shape == BOOLEAN:
        if value not in ("true", "false"):
            raise unvalidated(
                f"Invalid boolean: {value}", code="parameter_invalid_boolean", param=param
            )
        return value == "true"
    return value


def _metadata(value: Any, param: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise unvalidated(
            "Metadata values must be strings", code="parameter_invalid_object", param=param
        )
    if len(value) > 50 or any(len(k) > 40 or len(v) > 500 for k, v in value.items()):
        raise unvalidated(
            "Metadata can have up to 50 keys, with names up to 40 characters and values up to 500",
            code="parameter_invalid_string",
            param=param,
        )
    return value
