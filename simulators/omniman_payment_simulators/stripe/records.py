"""What the simulator keeps of every object; how they look on the wire is another module's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .cards import Card


@dataclass(slots=True)
class Method:
    """A payment method that was made by the API, and the card behind it."""

    id: str
    card: Card
    created: int
    customer: str | None = None
    billing: dict[str, Any] = field(default_factory=dict)
    set_up: bool = False
    """Its shopper agreed to payments that nobody is asked about."""


@dataclass(slots=True)
class Token:
    """What a shopper entered on a page, for one confirmation by the shop's server."""

    id: str
    method: str
    created: int
    return_url: str | None = None
    setup_future_usage: str | None = None
    shipping: dict[str, Any] | None = None
    intent: str | None = None


@dataclass(slots=True)
class Listener:
    """A webhook endpoint that was made by the API; ``*`` stands for every event."""

    id: str
    url: str
    secret: str = field(repr=False)
    events: list[str]
    created: int
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    enabled: bool = True

    def wants(self, kind: str) -> bool:
        """Whether it is told about events of a kind."""
        return self.enabled and ("*" in self.events or kind in self.events)

    set_up: bool = False
    """Its shopper agreed to payments that nobody is asked about."""


@dataclass(slots=True)
class Refund:
    """Money on its way back."""

    id: str
    charge: str
    intent: str
    amount: int
    currency: str
    created: int
    status: str
    reason: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    failure_reason: str | None = None
    pending_reason: str | None = None
    will_fail: bool = False


@dataclass(slots=True)
class Dispute:
    """Money that the shopper's bank asks back."""

    id: str
    charge: str
    intent: str
    amount: int
    currency: str
    created: int
    reason: str
    status: str


@dataclass(slots=True)
class Charge:
    """One attempt to take the money."""

    id: str
    intent: str
    amount: int
    currency: str
    created: int
    card: Card
    method: str
    status: str
    metadata: dict[str, str]
    captured: bool = False
    amount_captured: int = 0
    capture_before: int | None = None
    multicapture: bool = False
    authenticated: bool = False
    code: str | None = None
    decline_code: str | None = None
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    @property
    def amount_refunded(self) -> int:
        """What went back or is on its way."""
        live = (r for r in self.refunds if r.status not in ("failed", "canceled"))
        return sum(refund.amount for refund in live)


@dataclass(slots=True)
class Intent:
    """A PaymentIntent."""

    id: str
    secret: str
    amount: int
    currency: str
    created: int
    capture_method: str
    metadata: dict[str, str]
    allow_redirects: str | None
    """Of ``automatic_payment_methods``; ``None`` where these are off."""
    status: str = "requires_payment_method"
    customer: str | None = None
    description: str | None = None
    receipt_email: str | None = None
    setup_future_usage: str | None = None
    statement_descriptor_suffix: str | None = None
    transfer_group: str | None = None
    shipping: dict[str, Any] | None = None
    allowed_types: list[str] | None = None
    multicapture: bool = False
    three_d: str = "automatic"
    card_capture: str | None = None
    """What the card's own options say of capturing, before what the intent says."""
    method: str | None = None
    card: Card | None = None
    return_url: str | None = None
    next_action: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    charge: str | None = None
    amount_received: int = 0
    amount_capturable: int = 0
    canceled_at: int | None = None
    cancellation_reason: str | None = None

    @property
    def captured_later(self) -> bool:
        """Whether a confirmation only holds the money."""
        return "manual" in (self.capture_method, self.card_capture)

    @property
    def order_ref(self) -> str:
        """Whose money it is, for the books."""
        return self.metadata.get("order_ref", "")
