"""Which of the SDK's types describes a request's parameters, and which an answer."""

from __future__ import annotations

import re
from typing import Any

import stripe
from stripe import params

from .forms import Form
from .pages import PAGES, page_violations
from .sdk_types import object_violations, parameter_violations

_ID = "[^/]+"
_PARAMETERS: dict[tuple[str, str], type] = {
    ("POST", "/v1/payment_intents"): params.PaymentIntentCreateParams,
    ("GET", "/v1/payment_intents"): params.PaymentIntentListParams,
    ("GET", "/v1/payment_intents/search"): params.PaymentIntentSearchParams,
    ("GET", f"/v1/payment_intents/{_ID}"): params.PaymentIntentRetrieveParams,
    ("POST", f"/v1/payment_intents/{_ID}"): params.PaymentIntentUpdateParams,
    ("POST", f"/v1/payment_intents/{_ID}/capture"): params.PaymentIntentCaptureParams,
    ("POST", f"/v1/payment_intents/{_ID}/cancel"): params.PaymentIntentCancelParams,
    ("POST", f"/v1/payment_intents/{_ID}/confirm"): params.PaymentIntentConfirmParams,
    ("POST", "/v1/refunds"): params.RefundCreateParams,
    ("GET", "/v1/refunds"): params.RefundListParams,
    ("GET", f"/v1/refunds/{_ID}"): params.RefundRetrieveParams,
    ("POST", f"/v1/refunds/{_ID}"): params.RefundUpdateParams,
    ("POST", f"/v1/refunds/{_ID}/cancel"): params.RefundCancelParams,
    ("GET", "/v1/charges"): params.ChargeListParams,
    ("GET", f"/v1/charges/{_ID}"): params.ChargeRetrieveParams,
    ("GET", "/v1/disputes"): params.DisputeListParams,
    ("GET", f"/v1/disputes/{_ID}"): params.DisputeRetrieveParams,
    ("GET", "/v1/events"): params.EventListParams,
    ("GET", f"/v1/events/{_ID}"): params.EventRetrieveParams,
    ("GET", "/v1/balance"): params.BalanceRetrieveParams,
    ("GET", "/v1/account"): params.AccountRetrieveParams,
}
_OBJECTS: dict[str, type[Any]] = {
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "payment_method": stripe.PaymentMethod,
    "balance": stripe.Balance,
}


def request_violations(method: str, path: str, form: Form) -> list[str]:
    """What the SDK's types do not allow in this request; a path without a type is one of them."""
    for (known_method, pattern), type_ in _PARAMETERS.items():
        if method == known_method and re.fullmatch(pattern, path):
            return [f"{method} {path}{found}" for found in parameter_violations(type_, form)]
    return [f"{method} {path}: the SDK's types for it are not known here"]


def answer_violations(answer: Any) -> list[str]:
    """What the SDK's types do not expect in this answer, nor in the objects inside it."""
    if not isinstance(answer, dict):
        return [f"{answer!r} is no object"]
    if "error" in answer:
        return [f"error{found}" for found in object_violations(stripe.ErrorObject, answer["error"])]
    kind = str(answer.get("object"))
    if kind in PAGES:
        return page_violations(answer, answer_violations)
    if kind not in _OBJECTS:
        return [f"object: no type of the SDK is known here for {kind!r}"]
    found = [f"{kind}{line}" for line in object_violations(_OBJECTS[kind], answer)]
    data = answer.get("data")
    if kind == "event" and isinstance(data, dict):
        found += answer_violations(data.get("object"))
    return found
