"""Everything that one simulated account knows: objects, events, books, and the time."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from typing import Any

from ..common.books import Books
from ..common.clock import Clock
from .errors import missing_resource
from .records import Charge, Dispute, Intent, Listener, Method, Refund, Token

API_VERSION = "2026-10-28.endive"
_ALPHABET = string.ascii_letters + string.digits


class State:
    """Used from one thread only: that of the application's event loop."""

    def __init__(self, clock: Clock, tell: Callable[[dict[str, Any]], None]) -> None:
        self.clock = clock
        self._tell = tell
        self.clear()

    def clear(self) -> None:
        """Begin anew, with empty books."""
        self.books = Books()
        self.intents: dict[str, Intent] = {}
        self.charges: dict[str, Charge] = {}
        self.refunds: dict[str, Refund] = {}
        self.disputes: dict[str, Dispute] = {}
        self.methods: dict[str, Method] = {}
        self.tokens: dict[str, Token] = {}
        self.listeners: dict[str, Listener] = {}
        self.events: list[dict[str, Any]] = []
        self.declines: list[str] = []
        """Decline codes that the next confirmations meet."""
        self.key: str | None = None
        """The idempotency key of the request that is being carried out."""
        self.request_id: str | None = None

    def now(self) -> int:
        return self.clock.now()

    def new_id(self, prefix: str) -> str:
        """An id of Stripe's form."""
        return f"{prefix}_3" + "".join(secrets.choice(_ALPHABET) for _ in range(23))

    # Finding

    def intent(self, number: str, param: str = "intent") -> Intent:
        found = self.intents.get(number)
        if found is None:
            raise missing_resource("payment_intent", number, param)
        return found

    def charge_of(self, intent: Intent) -> Charge | None:
        return self.charges.get(intent.charge or "")

    # Telling

    def emit(self, kind: str, about: dict[str, Any], **previous: Any) -> None:
        """An event about an object as it is now."""
        data: dict[str, Any] = {"object": about}
        if previous:
            data["previous_attributes"] = previous
        event = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": sum(each.wants(kind) for each in self.listeners.values()),
            "request": {"id": self.request_id, "idempotency_key": self.key},
            "type": kind,
        }
        self.events.append(event)
        self._tell(event)

    def move(self, kind: str, amount: int, intent: Intent, reference: str = "") -> None:
        """Write a movement of money into the books."""
        if amount:
            self.books.write(
                at=self.now(),
                kind=kind,
                amount=amount,
                currency=intent.currency,
                transaction=intent.id,
                reference=reference or intent.charge or "",
                order_ref=intent.order_ref,
                idempotency_key=self.key or "",
            )
