"""A project with an account of every plugin, and what its database holds, to be compared."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.test import Client, override_settings
from django.utils import timezone

from omniman_payment_core.contracts import BackendRegistration
from omniman_payment_django import runtime
from omniman_payment_django.models import Channel, Order, Payment
from omniman_payment_django.runtime import get_registry
from omniman_payment_efi import plugin as efi
from omniman_payment_mock import plugin as mock
from omniman_payment_stripe import plugin as stripe

from .senders import Delivery, Sender, all_senders

Rows = Mapping[str, Sequence[tuple[Any, ...]]]
INBOX = ("WebhookDelivery", "Directive")
_TRANSACTIONS = {
    "stripe": "pi_1Campaign",
    "mock": "txn_1",
    "efi": "a" * 32,
    "efi-mtls": "a" * 32,
}


def registration_of(sender: Sender) -> BackendRegistration:
    """The plugin's own registration."""
    known = {"stripe": stripe.register_backend, "mock": mock.register_backend}
    return known.get(sender.name, efi.register_backend)()


@dataclass(slots=True)
class Storefront:
    """Receives deliveries through the real view; remembers how long refusals took."""

    senders: Sequence[Sender]
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))
    refusals: deque[float] = field(default_factory=lambda: deque(maxlen=100_000))
    """CPU seconds of each answer from 400 up."""

    def post(self, sender: Sender, delivery: Delivery, **more: Any) -> Any:
        """One request as the server would hand it over."""
        meta = {
            "QUERY_STRING": delivery.headers.get(":query", ""),
            "REMOTE_ADDR": delivery.headers.get(":peer", "127.0.0.1"),
            **{
                f"HTTP_{name.upper().replace('-', '_')}": value
                for name, value in delivery.headers.items()
                if not name.startswith(":")
            },
        }
        path = more.pop("path", f"/payments/webhooks/{sender.name}/")
        content_type = more.pop("content_type", "application/json")
        began = time.thread_time()
        answer = self.client.generic(
            more.pop("method", "POST"), path, delivery.body, content_type, **{**meta, **more}
        )
        took = time.thread_time() - began
        if answer.status_code >= 400:
            self.refusals.append(took)
        return answer

    def slowest(self, share: float = 0.99) -> float:
        """The time within which this share of the refusals was answered."""
        return sorted(self.refusals)[int(len(self.refusals) * share) - 1]


def rows(*, without: Sequence[str] = ()) -> Rows:
    """Every row of every table of ours, but for those left out."""
    models = apps.get_app_config("omniman_payment").get_models()
    return {
        model.__name__: list(model._default_manager.order_by("pk").values_list())
        for model in models
        if model.__name__ not in without
    }


@contextmanager
def storefront() -> Iterator[Storefront]:
    """On the default database, with one payment of each account waiting for its news."""
    with override_settings(ROOT_URLCONF="tests.django_web.urls"):
        runtime.reset()
        senders = all_senders()
        for sender in senders:
            account = get_registry().use(sender.name, sender.backend, registration_of(sender))
            channel = Channel.objects.create(
                code=sender.name, config={"payment_backend": sender.name}
            )
            order = Order.objects.create(
                ref=f"CAMPAIGN-{sender.name}", channel=channel, currency="BRL", total_q=1000
            )
            Payment.objects.create(
                id=f"pay-{sender.name}",
                order_ref=order.ref,
                attempt=1,
                flow="charge",
                account=account.name,
                fingerprint=account.fingerprint,
                livemode=account.livemode,
                plugin=account.plugin,
                currency="BRL",
                amount_q=1000,
                created_at=timezone.now(),
                transaction_id=_TRANSACTIONS[sender.name],
                status="pending",
            )
        try:
            yield Storefront(senders)
        finally:
            runtime.reset()
