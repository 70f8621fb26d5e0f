"""A backend by somebody who read the specification page and nothing else.

Imports nothing of ours: its result class is the page's, copied and mutable, and its metadata
holds an object of its SDK, as the page's own sample does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class PaymentResult:
    """The page's six fields."""

    success: bool
    transaction_id: str | None
    status: str
    error_code: str | None = None
    error_message: str | None = None
    metadata: dict[str, Any] | None = None


class Intent:
    """What an SDK hands out: no JSON."""

    def __init__(self, number: int, amount_q: int, order_ref: str) -> None:
        self.id = f"till-{number}"
        self.amount_q = amount_q
        self.order_ref = order_ref
        self.status = "authorized"
        self.refunded_q = 0


class TillBackend:
    """Five methods over a till of its own. ``lose`` names a method whose next answer is lost."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.drawer = config["drawer"]
        self.intents: dict[str, Intent] = {}
        self.lose = ""
        self.answers: list[PaymentResult] = []

    def authorize(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> PaymentResult:
        if payment_method.get("type") == "stolen":
            return PaymentResult(False, None, "failed", "card_declined", "Your card was declined.")
        return self._answer("authorize", self._open(amount_q, order_ref, "authorized"))

    def capture(self, transaction_id: str, amount_q: int | None = None) -> PaymentResult:
        intent = self.intents[transaction_id]
        if intent.status != "authorized":
            return PaymentResult(False, transaction_id, "failed", error_message="already captured")
        intent.status = "captured"
        return self._answer("capture", intent)

    def charge(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> PaymentResult:
        status = "pending" if payment_method.get("type") == "qr" else "captured"
        return self._answer("charge", self._open(amount_q, order_ref, status))

    def refund(
        self, transaction_id: str, amount_q: int | None = None, reason: str | None = None
    ) -> PaymentResult:
        intent = self.intents[transaction_id]
        intent.refunded_q += intent.amount_q if amount_q is None else amount_q
        whole = intent.refunded_q >= intent.amount_q
        intent.status = "refunded" if whole else "partially_refunded"
        self._answer("refund", intent)
        return PaymentResult(True, f"refund-of-{transaction_id}", "refunded")

    def get_status(self, transaction_id: str) -> PaymentResult:
        return self._answer("get_status", self.intents[transaction_id])

    def _open(self, amount_q: int, order_ref: str, status: str) -> Intent:
        intent = Intent(len(self.intents) + 1, amount_q, order_ref)
        intent.status = status
        self.intents[intent.id] = intent
        return intent

    def _answer(self, method: str, intent: Intent) -> PaymentResult:
        if self.lose == method:
            self.lose = ""
            raise ConnectionError("the line went dead")
        for old in self.answers:
            # The class is mutable, so somebody will: an old answer must not be ours any more.
            old.status = "captured"
        answer = PaymentResult(True, intent.id, intent.status, metadata={"intent": intent})
        self.answers.append(answer)
        return answer
