"""Test cards and what Stripe documents of them: docs.stripe.com/testing.

A card is known by its number, by its payment method ``pm_card_...`` and by its token ``tok_...``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """How a card behaves. Without anything said it is accepted."""

    number: str
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    code: str = ""
    """The error code of its decline, if it is declined."""
    decline_code: str = ""
    three_d: str = ""
    """When the shopper is asked: ``required`` (always), ``unless_set_up`` (always but for an
    off-session payment with a payment method that was set up), ``set_up`` (it was),
    ``on_request`` (only when the shop wants it)."""
    risk: str = "normal"
    """Radar's level; ``blocked`` cards are turned away before the bank is asked."""
    dispute: str = ""
    """The reason of the dispute that its charge gets at once."""
    inquiry: bool = False
    refund: str = ""
    """``pending`` or ``fail``: what becomes of its refunds."""

    @property
    def last4(self) -> str:
        return self.number[-4:]

    def asks(self, *, off_session: bool, set_up: bool, wanted: bool) -> bool:
        """Whether its bank wants to hear from the shopper."""
        if self.three_d == "on_request":
            return wanted and not off_session
        ready = self.three_d == "set_up" or (self.three_d == "unless_set_up" and set_up)
        return bool(self.three_d) and not (off_session and ready)


def _declined(
    number: str, decline_code: str, code: str = "card_declined", *, three_d: str = ""
) -> Card:
    return Card(number, code=code, decline_code=decline_code, three_d=three_d)


def _blocked(number: str) -> Card:
    return Card(number, code="card_declined", decline_code="fraudulent", risk="blocked")


CARDS: dict[str, Card] = {
    "visa": Card("4242424242424242"),
    "visa_debit": Card("4000056655665556", funding="debit"),
    "mastercard": Card("5555555555554444", brand="mastercard"),
    "mastercard_debit": Card("5200828282828210", brand="mastercard", funding="debit"),
    "mastercard_prepaid": Card("5105105105105100", brand="mastercard", funding="prepaid"),
    "amex": Card("378282246310005", brand="amex"),
    "discover": Card("6011111111111117", brand="discover"),
    "diners": Card("3056930009020004", brand="diners"),
    "jcb": Card("3566002020360505", brand="jcb", country="JP"),
    "unionpay": Card("6200000000000005", brand="unionpay", country="CN"),
    "br": Card("4000000760000002", country="BR"),
    "ca": Card("4000001240000000", country="CA"),
    "mx": Card("4000004840008001", country="MX"),
    "gb": Card("4000008260000000", country="GB"),
    "de": Card("4000002760000016", country="DE"),
    "pt": Card("4000006200000007", country="PT"),
    "bypassPending": Card("4000000000000077"),
    # declined
    "chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": _declined("4000000000009995", "insufficient_funds"),
    "chargeDeclinedLostCard": _declined("4000000000009987", "lost_card"),
    "chargeDeclinedStolenCard": _declined("4000000000009979", "stolen_card"),
    "chargeDeclinedExpiredCard": _declined("4000000000000069", "", "expired_card"),
    "chargeDeclinedIncorrectCvc": _declined("4000000000000127", "", "incorrect_cvc"),
    "chargeDeclinedProcessingError": _declined("4000000000000119", "", "processing_error"),
    "chargeDeclinedVelocityLimitExceeded": _declined("4000000000006975", "card_velocity_exceeded"),
    "chargeCustomerFail": _declined("4000000000000341", "generic_decline"),
    # blocked or watched by Radar
    "radarBlock": _blocked("4100000000000019"),
    "riskLevelHighest": Card("4000000000004954", risk="highest"),
    "riskLevelElevated": Card("4000000000009235", risk="elevated"),
    # 3-D Secure
    "threeDSecure2Required": Card("4000000000003220", three_d="required"),
    "threeDSecureRequired": Card("4000000000003063", three_d="required"),
    "threeDSecureRequiredChargeDeclined": _declined(
        "4000008400001629", "generic_decline", three_d="required"
    ),
    "threeDSecureOptional": Card("4000000000003055", three_d="on_request"),
    "authenticationRequired": Card("4000002760003184", three_d="required"),
    "authenticationRequiredOnSetup": Card("4000002500003155", three_d="unless_set_up"),
    "authenticationRequiredSetupForOffSession": Card("4000003800000446", three_d="set_up"),
    "authenticationRequiredChargeDeclinedInsufficientFunds": _declined(
        "4000008260003178", "insufficient_funds", three_d="required"
    ),
    # disputed, and refunds with a story
    "createDispute": Card("4000000000000259", dispute="fraudulent"),
    "createDisputeProductNotReceived": Card("4000000000002685", dispute="product_not_received"),
    "createDisputeInquiry": Card("4000000000001976", dispute="general", inquiry=True),
    "pendingRefund": Card("4000000000007726", refund="pending"),
    "refundFail": Card("4000000000005126", refund="fail"),
}
"""By the name that follows ``pm_card_`` and ``tok_``."""

_OTHER_NAMES = {"us": "visa", "chargeDeclinedFraudulent": "radarBlock"}
_BY_NUMBER = {card.number: card for card in CARDS.values()}


def by_name(number: str) -> Card | None:
    """The card behind ``pm_card_...`` or ``tok_...``."""
    for prefix in ("pm_card_visa_", "tok_visa_", "pm_card_", "tok_"):
        if number.startswith(prefix):
            name = number.removeprefix(prefix)
            found = CARDS.get(_OTHER_NAMES.get(name, name))
            if found is not None:
                return found
    return None


def by_number(number: str) -> Card | None:
    """The card with this number; spaces and dashes are for people."""
    return _BY_NUMBER.get(number.replace(" ", "").replace("-", ""))


MESSAGES = {
    "card_declined": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": (
        "An error occurred while processing your card. Try again in a little bit."
    ),
    "card_velocity_exceeded": (
        "Your card was declined for making repeated attempts too frequently or exceeding its "
        "amount limit."
    ),
    "authentication_required": (
        "Your card was declined. This transaction requires authentication."
    ),
}


def message_of(code: str, decline_code: str) -> str:
    """What Stripe tells the shopper; never more than the bank wants told."""
    return MESSAGES.get(decline_code) or MESSAGES.get(code) or MESSAGES["card_declined"]
