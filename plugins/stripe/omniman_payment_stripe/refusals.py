"""Stripe's refusals as results: our word for the reason, and what the PaymentIntent shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omniman_payment_core.errors import OutcomeUnknownError
from omniman_payment_core.values import DeclineCode, PaymentResult, PaymentStatus

from .amounts import AmountError
from .declines import normalise
from .reading import Json, Page, read_intent

UNEXPECTED_STATE = "payment_intent_unexpected_state"
NOT_CAPTURED = "not_captured"
"""Our own word, where Stripe has no code: there is nothing yet to be refunded."""

_DONE = {
    "open": frozenset(PaymentStatus)
    - {PaymentStatus.FAILED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED},
    "cancel": frozenset({PaymentStatus.CANCELLED, PaymentStatus.EXPIRED}),
}
"""What an intent shows when the call that is refused was carried out before, or is under way."""


class RefusedError(Exception):
    """Stripe's final no, with what it says of the PaymentIntent; never leaves the plugin."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        decline_code: str = "",
        param: str = "",
        intent: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.decline_code = decline_code
        self.param = param
        self.intent = intent


def refusal(
    error: RefusedError | AmountError, doing: str, transaction_id: str | None, page: Page
) -> PaymentResult:
    """The result of a call refused in ``doing`` it: open, capture, refund or cancel.

    :raises OutcomeUnknownError: the PaymentIntent is in another state, and Stripe does not show it.
    """
    if isinstance(error, AmountError):
        return _refused(transaction_id, DeclineCode.AMOUNT_INVALID, str(error))
    unexpected = error.code == UNEXPECTED_STATE
    shown = _shown(error.intent, page) if unexpected else None
    if shown is not None and shown.status in _DONE.get(doing, ()):
        return shown
    if unexpected and shown is None and doing == "open":
        raise OutcomeUnknownError(error.message)
    found = str(error.intent["id"]) if error.intent and "id" in error.intent else None
    return _refused(
        transaction_id or found,
        _reason(error, doing, shown),
        error.message,
        **{
            name: value
            for name, value in (
                ("stripe_code", error.code),
                ("decline_code", error.decline_code),
                ("intent_status", (error.intent or {}).get("status")),
            )
            if value
        },
    )


def _reason(error: RefusedError, doing: str, shown: PaymentResult | None) -> str:
    if doing == "refund" and error.code in (UNEXPECTED_STATE, NOT_CAPTURED):
        return DeclineCode.NOT_CAPTURED
    if doing == "refund" and error.param == "amount":
        return DeclineCode.REFUND_EXCEEDS_CAPTURE
    if error.param in ("amount", "amount_to_capture"):
        return DeclineCode.AMOUNT_INVALID
    if error.param == "final_capture":
        return DeclineCode.METHOD_UNSUPPORTED
    if shown is not None:
        return _REASON_BY_STATUS.get(PaymentStatus(shown.status), DeclineCode.DECLINED)
    return normalise(error.code, error.decline_code)


_REASON_BY_STATUS = {
    PaymentStatus.CAPTURED: DeclineCode.ALREADY_CAPTURED,
    PaymentStatus.CANCELLED: DeclineCode.ALREADY_CANCELLED,
    PaymentStatus.EXPIRED: DeclineCode.EXPIRED,
}


def _shown(intent: Json | None, page: Page) -> PaymentResult | None:
    """The PaymentIntent that the refusal quotes; without its charge expanded."""
    if intent is None:
        return None
    try:
        return read_intent(intent, page)
    except (LookupError, TypeError, ValueError):
        return None


def _refused(
    transaction_id: str | None, code: str, message: str, **metadata: object
) -> PaymentResult:
    return PaymentResult(
        success=False,
        transaction_id=transaction_id,
        status=PaymentStatus.FAILED,
        error_code=str(code),
        error_message=message,
        metadata=metadata,
    )
