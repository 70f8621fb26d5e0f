"""Template filters: amounts for people, and words for what the ledger says."""

from __future__ import annotations

from django import template

from omniman_payment_core.values import PaymentStatus
from omniman_payment_django.pay.amounts import amount_text

from .catalogue import CURRENCY

register = template.Library()

_GOOD = (PaymentStatus.CAPTURED, PaymentStatus.AUTHORIZED, PaymentStatus.PARTIALLY_CAPTURED)
_BAD = (PaymentStatus.FAILED, PaymentStatus.DISPUTED)
_OVER = (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED, PaymentStatus.REFUNDED)
_TONES: dict[str, str] = {
    **dict.fromkeys(map(str, _GOOD), "good"),
    **dict.fromkeys(map(str, _BAD), "bad"),
    **dict.fromkeys(map(str, _OVER), "over"),
    **dict.fromkeys(("ok", "completed", "confirmed", "matched", "succeeded"), "good"),
    **dict.fromkeys(("refused", "parked", "abandoned"), "bad"),
    **dict.fromkeys(("returned", "ignored"), "over"),
}


@register.filter
def money(amount_q: int, currency: str = CURRENCY) -> str:
    """``4290`` as ``R$ 42.90``."""
    return amount_text(amount_q, currency)


@register.filter
def words(text: object) -> str:
    """``partially_refunded`` as ``partially refunded``."""
    return str(text).replace("_", " ")


@register.filter
def tone(status: object) -> str:
    """Whether a status is good news, bad news, over, or still open."""
    return _TONES.get(str(status), "open")
