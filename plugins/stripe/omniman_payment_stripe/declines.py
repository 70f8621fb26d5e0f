"""Stripe's reasons for a no in our one vocabulary; Stripe's own code is kept beside it.

Sources: docs.stripe.com/declines/codes (decline codes of the card's issuer) and
docs.stripe.com/error-codes (codes of the API).
"""

from __future__ import annotations

from collections.abc import Mapping

from omniman_payment_core.values import DeclineCode as D

BY_DECLINE_CODE: Mapping[str, D] = {
    "authentication_not_handled": D.AUTHENTICATION_FAILED,
    "authentication_required": D.AUTHENTICATION_FAILED,
    "mobile_device_authentication_required": D.AUTHENTICATION_FAILED,
    "offline_pin_required": D.AUTHENTICATION_FAILED,
    "online_or_offline_pin_required": D.AUTHENTICATION_FAILED,
    "card_decline_rate_limit_exceeded": D.LIMIT_EXCEEDED,
    "card_velocity_exceeded": D.LIMIT_EXCEEDED,
    "pin_try_exceeded": D.LIMIT_EXCEEDED,
    "withdrawal_count_limit_exceeded": D.LIMIT_EXCEEDED,
    "card_not_supported": D.METHOD_UNSUPPORTED,
    "currency_not_supported": D.CURRENCY_UNSUPPORTED,
    "expired_card": D.EXPIRED_CARD,
    "invalid_expiry_month": D.EXPIRED_CARD,
    "invalid_expiry_year": D.EXPIRED_CARD,
    "fraudulent": D.FRAUD_SUSPECTED,
    "merchant_blacklist": D.FRAUD_SUSPECTED,
    "security_violation": D.FRAUD_SUSPECTED,
    "incorrect_cvc": D.INCORRECT_CVC,
    "invalid_cvc": D.INCORRECT_CVC,
    "incorrect_number": D.INCORRECT_NUMBER,
    "invalid_account": D.INCORRECT_NUMBER,
    "invalid_number": D.INCORRECT_NUMBER,
    "insufficient_funds": D.INSUFFICIENT_FUNDS,
    "invalid_amount": D.AMOUNT_INVALID,
    "lost_card": D.LOST_OR_STOLEN,
    "pickup_card": D.LOST_OR_STOLEN,
    "stolen_card": D.LOST_OR_STOLEN,
}
"""Every other decline code, new ones too, is an ordinary ``card_declined``."""

BY_ERROR_CODE: Mapping[str, D] = {
    "amount_too_large": D.AMOUNT_INVALID,
    "amount_too_small": D.AMOUNT_INVALID,
    "authentication_required": D.AUTHENTICATION_FAILED,
    "card_declined": D.CARD_DECLINED,
    "charge_already_captured": D.ALREADY_CAPTURED,
    "charge_already_refunded": D.REFUND_EXCEEDS_CAPTURE,
    "charge_disputed": D.REFUND_REFUSED,
    "charge_exceeds_source_limit": D.LIMIT_EXCEEDED,
    "charge_exceeds_transaction_limit": D.LIMIT_EXCEEDED,
    "charge_expired_for_capture": D.EXPIRED,
    "charge_not_refundable": D.REFUND_REFUSED,
    "expired_card": D.EXPIRED_CARD,
    "incorrect_cvc": D.INCORRECT_CVC,
    "incorrect_number": D.INCORRECT_NUMBER,
    "insufficient_funds": D.INSUFFICIENT_FUNDS,
    "invalid_card_type": D.METHOD_UNSUPPORTED,
    "invalid_cvc": D.INCORRECT_CVC,
    "invalid_expiry_month": D.EXPIRED_CARD,
    "invalid_expiry_year": D.EXPIRED_CARD,
    "invalid_number": D.INCORRECT_NUMBER,
    "payment_intent_authentication_failure": D.AUTHENTICATION_FAILED,
    "payment_intent_payment_attempt_expired": D.EXPIRED,
    "payment_intent_payment_attempt_failed": D.DECLINED,
    "processing_error": D.CARD_DECLINED,
    "refund_disputed_payment": D.REFUND_REFUSED,
}


def normalise(code: str | None, decline_code: str | None) -> D:
    """Our word for the codes of a decline; ``declined`` where Stripe gives no reason at all."""
    if decline_code:
        known = BY_DECLINE_CODE.get(decline_code)
        if known is not None:
            return known
        return BY_ERROR_CODE.get(code or "", D.CARD_DECLINED)
    return BY_ERROR_CODE.get(code or "", D.DECLINED)
