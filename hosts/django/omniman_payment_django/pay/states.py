"""The words of the page: what a shopper is told about a payment, and whether more will come.

Knows no tables; the texts are translated when they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class State:
    """One thing the page can say."""

    word: str
    """For machines: the status endpoint's ``status``."""
    tone: str
    """``wait``, ``good`` or ``bad``: how it looks."""
    done: bool
    """Nothing more is expected: the page stops asking."""
    title: Any
    message: Any


PREPARING = State(
    "preparing",
    "wait",
    False,
    _("We are preparing your payment"),
    _("This takes a moment. The page goes on by itself."),
)
WAITING = State(
    "waiting",
    "wait",
    False,
    _("Your payment is waiting for you"),
    _("Complete it below. Your order goes on as soon as the payment has arrived."),
)
ELSEWHERE = State(
    "elsewhere",
    "wait",
    False,
    _("Your payment needs one more step"),
    _("This page cannot show that step. Please contact the shop and give the order number above."),
)
PROCESSING = State(
    "processing",
    "wait",
    False,
    _("Your payment is being processed"),
    _("Please do not pay again. The page changes by itself when the payment has arrived."),
)
CLOSING = State(
    "closing",
    "wait",
    False,
    _("This payment is being closed"),
    _("Please do not pay now. If you have paid already, the page will show it in a moment."),
)
AUTHORIZED = State(
    "authorized",
    "good",
    True,
    _("Your payment is approved"),
    _(
        "The amount is reserved for the shop, which takes it when it confirms your order. "
        "There is nothing more to do."
    ),
)
PAID = State(
    "paid",
    "good",
    True,
    _("Your payment has arrived"),
    _("Thank you. There is nothing more to do."),
)
UNDERPAID = State(
    "underpaid",
    "bad",
    True,
    _("Only a part of the payment has arrived"),
    _("Please contact the shop and give the order number above. Nothing you have paid is lost."),
)
PARTLY_REFUNDED = State(
    "partly_refunded",
    "good",
    True,
    _("Your payment was returned in part"),
    _("The shop has returned a part of it. It can take some days until you see the money."),
)
REFUNDED = State(
    "refunded",
    "good",
    True,
    _("Your payment was returned"),
    _("The shop has returned it. It can take some days until you see the money."),
)
FAILED = State(
    "failed",
    "bad",
    True,
    _("The payment did not go through"),
    _("Go back to the shop to try again or to pay in another way. Your bank can tell you why."),
)
CANCELLED = State(
    "cancelled",
    "bad",
    True,
    _("This payment was cancelled"),
    _("It can no longer be paid. If you still want your order, go back to the shop."),
)
EXPIRED = State(
    "expired",
    "bad",
    True,
    _("The time to pay is over"),
    _("It can no longer be paid. If you still want your order, go back to the shop."),
)
