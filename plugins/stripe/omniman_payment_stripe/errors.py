"""What the SDK raises, sorted by what to do next: a refusal, our own errors, or "unknown".

Source: docs.stripe.com/error-handling and docs.stripe.com/error-low-level.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import stripe

from omniman_payment_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    PaymentError,
    RateLimitedError,
    TransactionNotFoundError,
)

from .refusals import NOT_CAPTURED, RefusedError
from .transport import NeverSentError

_REFUSED = frozenset(
    {
        "amount_too_large",
        "amount_too_small",
        "charge_already_captured",
        "charge_already_refunded",
        "charge_disputed",
        "charge_exceeds_source_limit",
        "charge_exceeds_transaction_limit",
        "charge_expired_for_capture",
        "charge_not_refundable",
        "insufficient_funds",
        "invalid_card_type",
        "payment_intent_authentication_failure",
        "payment_intent_payment_attempt_expired",
        "payment_intent_payment_attempt_failed",
        "payment_intent_unexpected_state",
        "refund_disputed_payment",
    }
)
"""Codes of ordinary errors that are an answer about the payment rather than about our request."""

_ADDRESSES = ("intent", "payment_intent", "id")
"""Parameters whose missing resource is the transaction itself."""

_ANSWERED_BY_PARAMETER = ("amount", "amount_to_capture", "final_capture")
"""Stripe gives no code where a refund or capture asks for more than is there, or for a part of a
hold that can only be captured once."""

_NOTHING_TO_REFUND = "does not have a successful charge"
"""The one refusal that can be told by its words only."""


def sorted_error(error: stripe.StripeError) -> PaymentError | RefusedError:
    """The SDK's exception as one that says what to do next. Keeps nothing of the SDK's."""
    message = _text(error)
    details = _details(error)
    code = str(details.get("code") or getattr(error, "code", None) or "")
    match error:
        case NeverSentError():
            return NotAttemptedError(message)
        case stripe.APIConnectionError():
            return OutcomeUnknownError(f"no answer from Stripe: {_cause(error)}")
        case stripe.RateLimitError():
            return RateLimitedError(message, retry_after=_retry_after(error))
        case stripe.AuthenticationError() | stripe.PermissionError():
            return ConfigurationError(f"Stripe does not accept the account's key: {message}")
        case stripe.IdempotencyError():
            return InvalidRequestError(message)
        case stripe.CardError():
            return _refused(message, code, details)
        case stripe.InvalidRequestError():
            return _invalid(error, message, code, details)
    if error.http_status == 409 and code == "lock_timeout":
        return RateLimitedError(message)
    return OutcomeUnknownError(message)


def _invalid(
    error: stripe.InvalidRequestError, message: str, code: str, details: Mapping[str, Any]
) -> PaymentError | RefusedError:
    param = str(details.get("param") or "")
    if details.get("type") == "card_error" or code in _REFUSED:
        return _refused(message, code, details)
    missing = error.http_status == 404 and not param
    if code == "resource_missing" and (missing or param in _ADDRESSES):
        return TransactionNotFoundError(message)
    if _NOTHING_TO_REFUND in message and not code:
        return _refused(message, NOT_CAPTURED, details)
    if param in _ANSWERED_BY_PARAMETER and not code.startswith("parameter_"):
        return _refused(message, code, details)
    return InvalidRequestError(message)


def _refused(message: str, code: str, details: Mapping[str, Any]) -> RefusedError:
    intent = details.get("payment_intent")
    return RefusedError(
        message,
        code=code,
        decline_code=str(details.get("decline_code") or ""),
        param=str(details.get("param") or ""),
        intent=intent if isinstance(intent, dict) else None,
    )


def _details(error: stripe.StripeError) -> Mapping[str, Any]:
    """The ``error`` object of the answer as plain JSON."""
    body = error.json_body
    details = body.get("error") if isinstance(body, dict) else None
    return details if isinstance(details, dict) else {}


def _text(error: stripe.StripeError) -> str:
    message = error.user_message or type(error).__name__
    number = error.request_id
    return f"{message} (request {number})" if number else message


def _cause(error: stripe.APIConnectionError) -> str:
    """What happened on the way; the SDK's own text is a paragraph of advice."""
    cause = error.__cause__
    return type(cause).__name__ if cause is not None else "the connection failed"


def _retry_after(error: stripe.StripeError) -> int | None:
    """The header in seconds, whichever of its two forms it has."""
    headers = error.headers or {}
    value = str(headers.get("Retry-After") or headers.get("retry-after") or "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return int(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(1, round(moment.timestamp() - time.time()))
