"""The Stripe simulator, played by buttons over its control API; it notifies the shop by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from omniman_payment_core.values import PaymentStatus, RefundStatus
from omniman_payment_django.models import Payment, Refund
from omniman_payment_django.pay.amounts import amount_text
from omniman_payment_simulators.stripe import StripeControl
from omniman_payment_simulators.stripe.control import ControlError

from .deeds import Deed, DeedRefusedError, Truth

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
                _asked(lambda amount_q: control.refund_outside(intent, amount_q)),
                takes_amount=True,
            )
            yield Deed(
                "dispute",
                "The shopper disputes it",
                _asked(lambda _: control.dispute(intent)),
                danger=True,
            )
        for refund in refunds:
            if refund.reference and refund.status != RefundStatus.FAILED:
                reference = refund.reference
                amount = amount_text(refund.amount_q, payment.currency)
                yield Deed(
                    "refund-fails",
                    f"The refund of {amount} fails after all",
                    _asked(
                        lambda _, reference=reference: control.settle_refund(reference, "failed")
                    ),
                    reference,
                    danger=True,
                )
        for dispute in self._open_disputes(intent) if payment.disputed_q else ():
            yield Deed(
                "dispute-won",
                "The bank decides for the shop",
                _asked(lambda _, dispute=dispute: control.close_dispute(dispute, "won")),
                dispute,
            )
            yield Deed(
                "dispute-lost",
                "The bank decides for the shopper",
                _asked(lambda _, dispute=dispute: control.close_dispute(dispute, "lost")),
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
                _asked(lambda _: control.authenticate(intent)),
            )
            yield Deed(
                "fail",
                "The shopper fails 3-D Secure",
                _asked(lambda _: control.authenticate(intent, success=False)),
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
                _asked(lambda _, card=card: control.pay(intent, card)),
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


def _asked(call: Callable[[int], object]) -> Callable[[int], None]:
    """A refusal of the simulator in the words of the port."""

    def run(amount_q: int) -> None:
        try:
            call(amount_q)
        except ControlError as error:
            raise DeedRefusedError(str(error)) from None

    return run
