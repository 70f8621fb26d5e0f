"""The mock gateway in this process, played by buttons; it notifies the shop over HTTP."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Mapping, Sequence

from omniman_payment_django.models import Payment, Refund
from omniman_payment_django.pay.amounts import amount_text
from omniman_payment_mock import MockGateway

from .deeds import Deed, DeedRefusedError, Truth


class MockSide:
    """Shoppers, their banks, and the gateway's dashboard."""

    name = "Mock gateway"
    keeps_its_books = True

    def __init__(self, gateway: MockGateway, webhook_url: str) -> None:
        self._gateway = gateway
        self._webhook_url = webhook_url

    def deeds(self, payment: Payment, refunds: Sequence[Refund]) -> Sequence[Deed]:
        known = payment.transaction_id
        found = self._gateway.transaction(known) if known else None
        if known is None or found is None:
            return ()
        gateway, deeds = self._gateway, []

        def add(
            name: str,
            label: str,
            run: Callable[[int], object],
            subject: str = "",
            *,
            takes_amount: bool = False,
            danger: bool = False,
        ) -> None:
            def play(amount_q: int) -> None:
                try:
                    run(amount_q)
                except ValueError as error:
                    raise DeedRefusedError(str(error)) from None
                self._notify(known)

            deeds.append(Deed(name, label, play, subject, takes_amount, danger))

        if found.waiting == "3ds":
            add("pass", "The shopper passes 3-D Secure", lambda _: gateway.confirm_3ds(known))
            add(
                "fail",
                "The shopper fails 3-D Secure",
                lambda _: gateway.confirm_3ds(known, ok=False),
                danger=True,
            )
        elif found.waiting:
            add("pay", "The shopper pays", lambda _: gateway.pay(known))
            add(
                "pay-amount",
                "The shopper pays another amount",
                lambda amount_q: gateway.pay(known, amount_q),
                takes_amount=True,
            )
            add("abandon", "The gateway gives up", lambda _: gateway.abandon(known), danger=True)
        elif found.captured_q or found.cancelled or found.expired:
            add(
                "pay-late",
                "A payment that was under way lands late",
                lambda _: gateway.pay(known, late=True),
            )
        if found.disputed_q:
            add("win", "The bank decides for the shop", lambda _: gateway.win_dispute(known))
        elif found.captured_q:
            add(
                "refund",
                "Somebody refunds at the gateway",
                lambda amount_q: gateway.refund_outside(known, amount_q),
                takes_amount=True,
            )
            add(
                "dispute",
                "The shopper disputes it",
                lambda _: gateway.dispute(known),
                danger=True,
            )
        for refund in found.refunds:
            if refund.status != "failed":
                reference = refund.reference
                add(
                    "refund-fails",
                    f"The refund of {amount_text(refund.amount_q, found.currency)} fails after all",
                    lambda _, reference=reference: gateway.settle_refund(reference, ok=False),
                    reference,
                    danger=True,
                )
        return deeds

    def truths(self, order_refs: Sequence[str]) -> Mapping[str, Truth]:
        return {
            ref: Truth(self._gateway.moved_q(ref), self._gateway.held_q(ref)) for ref in order_refs
        }

    def _notify(self, transaction_id: str) -> None:
        """Post what the gateway has to say, as it would over the network."""
        headers, body = self._gateway.webhook(transaction_id)
        request = urllib.request.Request(
            self._webhook_url,
            body,
            {**headers, "Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=20):
            pass
