"""Reasons in our vocabulary: known ones by name, new ones as an ordinary decline."""

from __future__ import annotations

import pytest

from omniman_payment_core.values import DeclineCode
from omniman_payment_stripe.declines import BY_DECLINE_CODE, BY_ERROR_CODE, normalise


@pytest.mark.parametrize(
    ("code", "decline_code", "reason"),
    [
        ("card_declined", "insufficient_funds", DeclineCode.INSUFFICIENT_FUNDS),
        ("card_declined", "generic_decline", DeclineCode.CARD_DECLINED),
        ("card_declined", "do_not_honor", DeclineCode.CARD_DECLINED),
        ("card_declined", "stolen_card", DeclineCode.LOST_OR_STOLEN),
        ("card_declined", "lost_card", DeclineCode.LOST_OR_STOLEN),
        ("card_declined", "fraudulent", DeclineCode.FRAUD_SUSPECTED),
        ("card_declined", "card_velocity_exceeded", DeclineCode.LIMIT_EXCEEDED),
        ("card_declined", "a_reason_of_next_year", DeclineCode.CARD_DECLINED),
        ("expired_card", None, DeclineCode.EXPIRED_CARD),
        ("incorrect_cvc", None, DeclineCode.INCORRECT_CVC),
        ("incorrect_number", None, DeclineCode.INCORRECT_NUMBER),
        ("processing_error", None, DeclineCode.CARD_DECLINED),
        ("payment_intent_authentication_failure", None, DeclineCode.AUTHENTICATION_FAILED),
        ("authentication_required", "authentication_required", DeclineCode.AUTHENTICATION_FAILED),
        ("charge_expired_for_capture", None, DeclineCode.EXPIRED),
        ("amount_too_small", None, DeclineCode.AMOUNT_INVALID),
        ("a_code_of_next_year", None, DeclineCode.DECLINED),
        (None, None, DeclineCode.DECLINED),
    ],
)
def test_a_reason_is_one_of_ours(
    code: str | None, decline_code: str | None, reason: DeclineCode
) -> None:
    assert normalise(code, decline_code) is reason


def test_a_more_exact_decline_code_wins_over_the_error_code() -> None:
    shared = BY_DECLINE_CODE.keys() & BY_ERROR_CODE.keys()
    assert all(BY_DECLINE_CODE[name] is BY_ERROR_CODE[name] for name in shared)
