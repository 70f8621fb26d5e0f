"""The mock gateway in this process, played by buttons; it notifies the shop over HTTP."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from omniman_payment_core.values import RefundStatus
from omniman_payment_django.models import Payment, Refund
from omniman_payment_django.pay.amounts import amount_text
from omniman_payment_mock import MockGateway
from omniman_payment_mock.transactions import Transaction

from .deeds import Deed, Truth, doing, doing_with_amount


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
        return list(self._deeds(known, found))

    def _deeds(self, known: str, found: Transaction) -> Iterator[Deed]:
        gateway = self._gateway
        do = partial(self._notifying, known, doing)
        with_amount = partial(self._notifying, known, doing_with_amount)
        if found.waiting == "3ds":
            yield Deed("pass", "The shopper passes 3-D Secure", do(gateway.confirm_3ds, known))
            fail = do(gateway.confirm_3ds, known, ok=False)
            yield Deed("fail", "The shopper fails 3-D Secure", fail, danger=True)
        elif found.waiting:
            yield Deed("pay", "The shopper pays", do(gateway.pay, known))
            yield Deed(
                "pay-amount",
                "The shopper pays another amount",
                with_amount(gateway.pay, known),
                takes_amount=True,
            )
            yield Deed("abandon", "The gateway gives up", do(gateway.abandon, known), danger=True)
        elif found.captured_q or found.cancelled or found.expired:
            late = do(gateway.pay, known, late=True)
            yield Deed("pay-late", "A payment that was under way lands late", late)
        if found.disputed_q:
            won = do(gateway.win_dispute, known)
            yield Deed("win", "The bank decides for the shop", won)
        elif found.captured_q:
            yield Deed(
                "refund",
                "Somebody refunds at the gateway",
                with_amount(gateway.refund_outside, known),
                takes_amount=True,
            )
            dispute = do(gateway.dispute, known)
            yield Deed("dispute", "The shopper disputes it", dispute, danger=True)
        for refund in found.refunds:
            if refund.status != RefundStatus.FAILED:
                yield Deed(
                    "refund-fails",
                    f"The refund of {amount_text(refund.amount_q, found.currency)} fails after all",
                    do(gateway.settle_refund, refund.reference, ok=False),
                    refund.reference,
                    danger=True,
                )

    def truths(self, order_refs: Sequence[str]) -> Mapping[str, Truth]:
        return {
            ref: Truth(self._gateway.moved_q(ref), self._gateway.held_q(ref)) for ref in order_refs
        }

    def _notifying(
        self,
        transaction_id: str,
        make: Callable[..., Callable[[int], object]],
        call: Callable[..., object],
        *given: object,
        **named: object,
    ) -> Callable[[int], object]:
        """What is done at the gateway is told to the shop afterwards."""
        run = make(ValueError, call, *given, **named)

        def run_and_notify(amount_q: int) -> None:
            run(amount_q)
            self._notify(transaction_id)

        return run_and_notify

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
