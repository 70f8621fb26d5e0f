"""What the shop sells, over which channels, and the ways to pay: data only, amounts in integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CURRENCY = "BRL"
MOCK, STRIPE, PIX = "mock", "stripe", "efi"
"""The accounts, by the names that the settings give them."""


@dataclass(frozen=True, slots=True)
class Product:
    """Something to buy; ``price_q`` is in centavos."""

    sku: str
    name: str
    about: str
    price_q: int


PRODUCTS = (
    Product("COFFEE", "Coffee, 250 g", "Whole beans from Minas Gerais", 4290),
    Product("MUG", "Enamel mug", "Holds a third of a litre and every blow", 5900),
    Product("SWEETS", "Brigadeiros, box of six", "Chocolate, and nothing to regret", 3650),
    Product("BAG", "Cotton bag", "Carries the other three home", 2505),
)

_FLOW = {
    "transitions": {
        "new": ["confirmed", "cancelled"],
        "confirmed": ["completed", "returned", "cancelled"],
        "completed": ["returned"],
    },
    "auto_transitions": {"on_payment_confirm": "confirmed", "on_payment_refund": "returned"},
}


def _channel(account: str, flow: str) -> dict[str, Any]:
    return {
        "payment_backend": account,
        "payment_flow": flow,
        "currency": CURRENCY,
        # Money that comes for an order that is over goes back by itself.
        "late_money": "refund",
        "order_flow": _FLOW,
    }


CHANNELS: Mapping[str, Mapping[str, Any]] = {
    "stripe-hold": _channel(STRIPE, "authorize_capture"),
    "stripe-charge": _channel(STRIPE, "charge"),
    "pix": _channel(PIX, "charge"),
    "mock-hold": _channel(MOCK, "authorize_capture"),
    "mock-charge": _channel(MOCK, "charge"),
}


@dataclass(frozen=True, slots=True)
class WayToPay:
    """A choice at the checkout: a channel, and the payment method that a shopper would bring."""

    code: str
    group: str
    name: str
    about: str
    channel: str
    payment_method: Mapping[str, Any] = field(default_factory=lambda: {"type": "card"})
    pay_page: bool = False
    """Whether the shopper finishes on the pay page."""

    @property
    def account(self) -> str:
        """Whose money it is."""
        return str(CHANNELS[self.channel]["payment_backend"])


def _mock(code: str, name: str, about: str, channel: str, **behaviour: Any) -> WayToPay:
    method = {"type": "card", "behaviour": behaviour}
    return WayToPay(code, "Mock gateway", name, about, channel, method)


WAYS = (
    WayToPay(
        "stripe-hold",
        "Card at Stripe",
        "Hold",
        "Captured when the shop confirms",
        "stripe-hold",
        pay_page=True,
    ),
    WayToPay(
        "stripe-charge",
        "Card at Stripe",
        "Charge at once",
        "The money moves when the shopper pays",
        "stripe-charge",
        pay_page=True,
    ),
    WayToPay(
        "pix",
        "Pix at Efi",
        "Pix",
        "A QR code, paid in the bank's app",
        "pix",
        {"type": "pix"},
        pay_page=True,
    ),
    _mock("mock-hold", "Hold", "Captured when the shop confirms", "mock-hold"),
    _mock("mock-charge", "Charge at once", "The money moves immediately", "mock-charge"),
    _mock("mock-3ds", "The bank asks", "3-D Secure first", "mock-hold", authenticate=True),
    _mock("mock-later", "Paid later", "Pending until the shopper pays", "mock-charge", qr=True),
    _mock(
        "mock-declines",
        "Declined",
        "Not enough money on the card",
        "mock-charge",
        decline="insufficient_funds",
    ),
    _mock(
        "mock-lost",
        "Answer lost",
        "Charged, but the answer never arrives",
        "mock-charge",
        faults={"kind": "timeout", "when": "after"},
    ),
    _mock(
        "mock-refund-fails",
        "Refund that fails",
        "Accepted first, and then it fails",
        "mock-charge",
        refund="fails_later",
    ),
)
