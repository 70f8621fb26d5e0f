"""The Stripe simulator, played by buttons over its control API; it notifies the shop by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from omniman_payment_core.values import PaymentStatus, RefundStatus
from omniman_payment_django.models import Payment, Refund
from omniman_payment_django.pay.amounts import amount_text
from omniman_payment_simulators.stripe import StripeControl
from omniman_payment_simulators.stripe.control import ControlError

from .deeds import Deed, Truth, doing, doing_with_amount

_do = partial(doing, ControlError)
_with_amount = partial(doing_with_amount, ControlError)

_TAKEN = (
    PaymentStatus.CAPTURED,
    PaymentStatus.PARTIALLY_CAPTURED,
    PaymentStatus.PARTIALLY_REFUNDED,
)


class StripeSide:
    """Shoppers with their cards, banks, and Stripe's dashboard."""

    name = "Stripe simulator"
    keeps_its_books = False

    def __init__(self, control: StripeControl) -> None:
        self._control = control

    def deeds(self, payment: Payment, refunds: Sequence[Refund]) -> Sequence[Deed]:
        intent = payment.transaction_id
        return [] if intent is None else list(self._deeds(intent, payment, refunds))

    def _deeds(self, intent: str, payment: Payment, refunds: Sequence[Refund]) -> Iterator[Deed]:
        control = self._control
        if payment.status == PaymentStatus.REQUIRES_ACTION:
            yield from self._for_the_shopper(intent, payment)
        if payment.status in _TAKEN:
            yield Deed(
                "refund",
                "Somebody refunds in Stripe's dashboard",
                _with_amount(control.refund_outside, intent),
                takes_amount=True,
            )
            yield Deed(
                "dispute",
                "The shopper disputes it",
                _do(control.dispute, intent),
                danger=True,
            )
        for refund in refunds:
            if refund.reference and refund.status != RefundStatus.FAILED:
                amount = amount_text(refund.amount_q, payment.currency)
                yield Deed(
                    "refund-fails",
                    f"The refund of {amount} fails after all",
                    _do(control.settle_refund, refund.reference, "failed"),
                    refund.reference,
                    danger=True,
                )
        for dispute in self._open_disputes(intent) if payment.disputed_q else ():
            yield Deed(
                "dispute-won",
                "The bank decides for the shop",
                _do(control.close_dispute, dispute, "won"),
                dispute,
            )
            yield Deed(
                "dispute-lost",
                "The bank decides for the shopper",
                _do(control.close_dispute, dispute, "lost"),
                dispute,
                danger=True,
            )

    def _for_the_shopper(self, intent: str, payment: Payment) -> Iterator[Deed]:
        control = self._control
        action = payment.next_action if isinstance(payment.next_action, dict) else {}
        data = action.get("data", {})
        if data.get("mode") == "authenticate":
            yield Deed(
                "pass",
                "The shopper passes 3-D Secure",
                _do(control.authenticate, intent),
            )
            yield Deed(
                "fail",
                "The shopper fails 3-D Secure",
                _do(control.authenticate, intent, success=False),
                danger=True,
            )
            return
        for name, label, card in (
            ("pay", "The shopper pays with a good card", "pm_card_visa"),
            ("pay-3ds", "… with one that asks for 3-D Secure", "pm_card_threeDSecure2Required"),
            ("pay-declined", "… with one that is declined", "pm_card_chargeDeclined"),
        ):
            yield Deed(
                name,
                label,
                _do(control.pay, intent, card),
                danger=name == "pay-declined",
            )

    def _open_disputes(self, intent: str) -> Iterator[str]:
        disputes: dict[str, bool] = {}
        for event in self._control.events():
            it = event["data"]["object"]
            if it.get("object") == "dispute" and it.get("payment_intent") == intent:
                disputes[it["id"]] = it["status"] in ("needs_response", "under_review")
        return (dispute for dispute, is_open in disputes.items() if is_open)

    def truths(self, order_refs: Sequence[str]) -> Mapping[str, Truth]:
        orders = self._control.ledger()["orders"]
        none: dict[str, Any] = {"moved": 0, "held": 0}
        return {
            ref: Truth(int(entry["moved"]), int(entry["held"]))
            for ref, entry in ((ref, orders.get(ref, none)) for ref in order_refs)
        }
