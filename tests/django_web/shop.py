"""A shop whose account "shop" runs on a mock gateway of its own, and a gateway's way to it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from types import SimpleNamespace
from typing import Any

from django.test import Client
from django.utils import timezone

from omniman_payment_core.contracts import abilities_of
from omniman_payment_core.plugins import Account
from omniman_payment_django.models import Channel, Order, Payment
from omniman_payment_django.runtime import get_registry
from omniman_payment_mock import MockGateway, MockPaymentBackend

_numbers = count(1)


class Shop:
    """Makes orders and payments, and delivers notifications."""

    def __init__(self) -> None:
        self.gateway = MockGateway("web")
        self.client = Client()
        self.backend: Any = None
        self.account = self.use("shop")

    def use(self, name: str) -> Account:
        """Serve an account with a fresh backend on the same gateway."""
        backend = MockPaymentBackend(gateway=self.gateway)
        account = get_registry().use(name, backend)
        if name == "shop":
            self.backend, self.account = backend, account
        return account

    def without_webhooks(self) -> Any:
        """A backend that has the five methods of the contract and no more."""
        names = ("authorize", "capture", "charge", "refund", "get_status")
        return SimpleNamespace(**{name: getattr(self.backend, name) for name in names})

    def parses(self, answer: Any) -> None:
        """Let the account's backend answer every notification like this."""

        def parse(headers: Mapping[str, str], body: bytes) -> Any:
            if isinstance(answer, BaseException):
                raise answer
            return answer

        self.backend.parse_webhook = parse
        assert "parse_webhook" in abilities_of(self.backend)

    def order(self, total_q: int = 1000, **config: Any) -> Order:
        """An order of its own channel."""
        number = next(_numbers)
        channel = Channel.objects.create(
            code=f"channel-{number}", config={"payment_backend": "shop", **config}
        )
        return Order.objects.create(
            ref=f"WEB-{number}", channel=channel, currency="BRL", total_q=total_q
        )

    def payment(self, **changes: Any) -> Payment:
        """A pending payment of a new order, known at the gateway."""
        order = self.order()
        opened = self.gateway.open("charge", order.total_q, "BRL", order.ref, {})
        fields: dict[str, Any] = {
            "id": f"pay-{order.ref}",
            "order_ref": order.ref,
            "attempt": 1,
            "flow": "charge",
            "account": self.account.name,
            "fingerprint": self.account.fingerprint,
            "livemode": self.account.livemode,
            "plugin": self.account.plugin,
            "currency": order.currency,
            "amount_q": order.total_q,
            "created_at": timezone.now(),
            "transaction_id": opened.transaction_id,
            "status": "pending",
        }
        return Payment.objects.create(**{**fields, **changes})

    def post(
        self,
        body: bytes,
        *,
        path: str = "/payments/webhooks/shop/",
        query: str = "",
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        client: Client | None = None,
    ) -> Any:
        """Send a request as a gateway would."""
        return (client or self.client).generic(
            "POST", path + query, body, content_type=content_type, headers=dict(headers or {})
        )

    def deliver(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        path: str = "/payments/webhooks/shop/",
        client: Client | None = None,
    ) -> Any:
        """Send a signed notification."""
        return self.post(body, path=path, headers=headers, client=client)
