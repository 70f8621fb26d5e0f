"""The far side of the counter: the gateways' own books, and the shoppers who pay there.

Knows the mock gateway and the simulators; of the shop it knows what its pages show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from omniman_payment_django.models import Payment
from omniman_payment_mock import MockGateway
from omniman_payment_simulators.pix import PixControl
from omniman_payment_simulators.stripe import StripeControl

Deliver = Callable[[str, Mapping[str, str], bytes], int]
"""Takes the transaction, the headers and the body of a notification; answers the HTTP status."""


class FarSide(Protocol):
    """A gateway, as seen by its shoppers and by whoever checks another ledger."""

    name: str

    def pay_what_waits(self) -> None:
        """Every shopper who was asked for something does it, and the shop is notified."""
        ...

    def let_time_pass(self) -> None:
        """What banks had begun comes to its end, and the shop is notified."""
        ...

    def moved_q(self, order_ref: str) -> int:
        """What was really taken for an order, less what went back."""
        ...

    def held_q(self, order_ref: str) -> int:
        """What is really held for an order."""
        ...


class MockSide:
    """The mock gateway, in this process."""

    name = "the mock gateway"

    def __init__(self, gateway: MockGateway, deliver: Deliver) -> None:
        self.gateway = gateway
        self._deliver = deliver
        self.moved_q = gateway.moved_q
        self.held_q = gateway.held_q

    def pay_what_waits(self) -> None:
        """The gateway notifies the shop twice, as gateways do."""
        for transaction_id in self.gateway.transactions():
            transaction = self.gateway.transaction(transaction_id)
            if transaction is None or not transaction.waiting:
                continue
            if transaction.waiting == "3ds":
                self.gateway.confirm_3ds(transaction_id)
            else:
                self.gateway.pay(transaction_id)
            headers, body = self.gateway.webhook(transaction_id)
            for _ in range(2):
                status = self._deliver(transaction_id, headers, body)
                if status != 200:
                    raise RuntimeError(f"the shop answered a notification with {status}")

    def let_time_pass(self) -> None:
        """Nothing: its money has moved when it answers."""


class StripeSide:
    """The Stripe simulator, over HTTP; it notifies the shop by itself."""

    name = "the Stripe simulator"

    def __init__(self, control: StripeControl, account: str) -> None:
        self.control = control
        self._account = account
        self.moved_q = control.moved
        self.held_q = control.held

    def pay_what_waits(self) -> None:
        """Shoppers do what the shop's page asks of them: give a card, or pass 3-D Secure."""
        waiting = Payment.objects.filter(account=self._account, status="requires_action")
        for payment in waiting.order_by("pk"):
            intent, asked = payment.transaction_id, payment.next_action
            if intent is None or asked is None:
                continue
            if asked["data"]["mode"] == "authenticate":
                self.control.authenticate(intent)
            else:
                self.control.pay(intent, "pm_card_visa")
        self._notify()

    def let_time_pass(self) -> None:
        """An hour: refunds that were pending arrive, others fail after all."""
        self.control.advance(3600)
        self._notify()

    def _notify(self) -> None:
        if not self.control.flush():
            raise RuntimeError("the shop does not take the notifications of the Stripe simulator")


class PixSide:
    """The Pix simulator, over HTTP; it notifies the shop by itself."""

    name = "the Pix simulator"

    def __init__(self, control: PixControl, account: str) -> None:
        self.control = control
        self._account = account
        self.moved_q = control.moved

    def held_q(self, order_ref: str) -> int:
        """Pix holds nothing."""
        return 0

    def pay_what_waits(self) -> None:
        """Shoppers scan the code that the shop's page shows, and pay."""
        waiting = Payment.objects.filter(account=self._account, status="pending")
        for txid in waiting.order_by("pk").values_list("transaction_id", flat=True):
            if txid is not None:
                self.control.pay(txid)
        self._notify()

    def let_time_pass(self) -> None:
        """The last notifications of refunds arrive."""
        self._notify()

    def _notify(self) -> None:
        if not self.control.flush(10):
            raise RuntimeError("the shop does not take the notifications of the Pix simulator")
