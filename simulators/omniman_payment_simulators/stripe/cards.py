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
    off-session payment with a payment method that was set up), ``set_up`` (it was)."""
    dispute: str = ""
    """The reason of the dispute that its charge gets at once."""
    inquiry: bool = False
    refund: str = ""
    """``pending`` or ``fail``: what becomes of its refunds."""

    @property
    def last4(self) -> str:
        return self.number[-4:]

    def asks(self, *, off_session: bool, set_up: bool) -> bool:
        """Whether its bank wants to hear from the shopper."""
        ready = self.three_d == "set_up" or (self.three_d == "unless_set_up" and set_up)
        return bool(self.three_d) and not (off_session and ready)


def _declined(number: str, decline_code: str, code: str = "card_declined") -> Card:
    return Card(number, code=code, decline_code=decline_code)


CARDS: dict[str, Card] = {
    "visa": Card("4242424242424242"),
    "visa_debit": Card("4000056655665556", funding="debit"),
    "mastercard": Card("5555555555554444", brand="mastercard"),
    "mastercard_debit": Card("5200828282828210", brand="mastercard", funding="debit"),
    "amex": Card("378282246310005", brand="amex"),
    "discover": Card("6011111111111117", brand="discover"),
    "br": Card("4000000760000002", country="BR"),
    "chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": _declined("4000000000009995", "insufficient_funds"),
    "chargeDeclinedLostCard": _declined("4000000000009987", "lost_card"),
    "chargeDeclinedStolenCard": _declined("4000000000009979", "stolen_card"),
    "chargeDeclinedExpiredCard": _declined("4000000000000069", "", "expired_card"),
    "chargeDeclinedIncorrectCvc": _declined("4000000000000127", "", "incorrect_cvc"),
    "chargeDeclinedProcessingError": _declined("4000000000000119", "", "processing_error"),
    "chargeDeclinedFraudulent": _declined("4100000000000019", "fraudulent"),
    "chargeDeclinedVelocityLimitExceeded": _declined("4000000000006975", "card_velocity_exceeded"),
    "threeDSecure2Required": Card("4000000000003220", three_d="required"),
    "threeDSecureRequired": Card("4000000000003063", three_d="required"),
    "threeDSecureRequiredChargeDeclined": Card(
        "4000008400001629",
        three_d="required",
        code="card_declined",
        decline_code="generic_decline",
    ),
    "threeDSecureOptional": Card("4000000000003055"),
    "authenticationRequired": Card("4000002760003184", three_d="required"),
    "authenticationRequiredOnSetup": Card("4000002500003155", three_d="unless_set_up"),
    "authenticationRequiredSetupForOffSession": Card("4000003800000446", three_d="set_up"),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        "4000008260003178",
        three_d="required",
        code="card_declined",
        decline_code="insufficient_funds",
    ),
    "chargeCustomerFail": _declined("4000000000000341", "generic_decline"),
    "createDispute": Card("4000000000000259", dispute="fraudulent"),
    "createDisputeProductNotReceived": Card("4000000000002685", dispute="product_not_received"),
    "createDisputeInquiry": Card("4000000000001976", dispute="general", inquiry=True),
    "pendingRefund": Card("4000000000007726", refund="pending"),
    "refundFail": Card("4000000000005126", refund="fail"),
}
"""By the name that follows ``pm_card_`` and ``tok_``."""

_BY_NUMBER = {card.number: card for card in CARDS.values()}


def by_name(number: str) -> Card | None:
    """The card behind ``pm_card_...`` or ``tok_...``."""
    for prefix in ("pm_card_visa_", "tok_visa_", "pm_card_", "tok_"):
        if number.startswith(prefix):
            found = CARDS.get(number.removeprefix(prefix))
            if found is not None:
                return found
    return None


def by_number(number: str) -> Card | None:
    """The card with this number."""
    return _BY_NUMBER.get(number.replace(" ", ""))


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
