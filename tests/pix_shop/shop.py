"""A shop whose one account is Efi, the simulator at the other end of mutual TLS, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import connections
from django.test import override_settings
from django.utils import timezone

from omniman_payment_django.models import (
    Order,
    Payment,
)
from omniman_payment_django.runtime import get_engine, get_registry
from omniman_payment_django.webhooks.polling import EventPolling
from omniman_payment_efi import EfiBackend
from omniman_payment_efi.plugin import register_backend
from omniman_payment_simulators.pix import PixSimulator
from tests.django_web.server import running_server
from tests.selling import Selling

SECRET = "webhook-secret-of-the-pix-shop-of-tests"


class Clock:
    """The account's own clock: the machine's, moved on as far as a test wants."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Shop(Selling):
    """Sells, works, and compares its ledger with the simulator's."""

    def __init__(self, simulator: PixSimulator, url: str, clock: Clock) -> None:
        self.clock = clock
        self.simulator = simulator
        self.control = simulator.control
        self.url = url
        """Where the gateway reaches it."""
        host, port = url.removeprefix("http://").split(":")
        self.direct = (host, int(port))

    # Selling

    def sell(
        self,
        payment_method: dict[str, Any] | None = None,
        *,
        flow: str = "charge",
        total_q: int = 1000,
        **config: Any,
    ) -> Order:
        """Commit a session for one thing at this price."""
        return self.commit(
            payment_method or {"type": "pix"},
            total_q,
            payment_backend="efi",
            payment_flow=flow,
            currency="BRL",
            **config,
        )

    def sold(self, **options: Any) -> tuple[Order, str]:
        """A sale whose charge is open; the order and the charge's txid."""
        order = self.sell(**options)
        self.work()
        return order, self.txid(order)

    def paid(self, **options: Any) -> tuple[Order, str]:
        """A sale that was paid, as the shop knows."""
        order, txid = self.sold(**options)
        self.control.pay(txid)
        self.settle()
        return order, txid

    # Working

    def settle(self) -> None:
        """Let every notification arrive, and work until nothing more comes of it."""
        self.control.flush(10)
        self.work()

    def poll(self) -> int:
        """Ask the account for news, and work on what came; says how much that was."""
        polling = EventPolling()
        polling.step()
        came = polling.finish()
        self.work()
        return came

    def let_pass(self, period: timedelta) -> None:
        """Time goes by at the gateway, and for the account's backend."""
        self.control.advance(round(period.total_seconds()))
        self.clock.ahead += period

    def look(self) -> None:
        """Every payment's own next look is due."""
        Payment.objects.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())
        get_engine().maintain()
        self.work()

    def register_webhook(self) -> str:
        """Tell the gateway where notifications go, with the command."""
        out = StringIO()
        call_command("payments", "webhook", "register", "efi", self.url, stdout=out)
        return out.getvalue()

    # Looking

    def txid(self, order: Order) -> str:
        """The charge's name at the gateway."""
        txid = self.payment(order).transaction_id
        assert txid is not None
        return txid

    def agrees(self, order: Order) -> None:
        """The ledger says what the simulator's own books say, to the centavo."""
        payment = self.payment(order)
        assert self.control.moved(order.ref) == payment.captured_q - payment.refunded_q
        order.refresh_from_db()
        assert order.data["payment"]["status"] == payment.status

    def asked(self, method: str, path: str) -> list[dict[str, Any]]:
        """The requests that the gateway had, by method and the beginning of their path."""
        return [
            request
            for request in self.control.requests()
            if request["method"] == method and request["path"].startswith(path)
        ]


def efi_settings(simulator: PixSimulator, **config: Any) -> dict[str, Any]:
    """``settings.OMNIMAN`` with one account at the simulator."""
    return {
        "PAYMENT_BACKENDS": {
            "efi": {
                "plugin": "efi",
                "config": {
                    "client_id": simulator.client_id,
                    "client_secret": simulator.client_secret,
                    "certificate": str(simulator.certificate),
                    "sandbox": True,
                    "pix_key": simulator.pix_key,
                    "base_url": simulator.url,
                    "ca_certificate": str(simulator.ca_certificate),
                    "timeout_seconds": 5,
                    "webhook_mode": "hmac",
                    "webhook_secret": SECRET,
                    "webhook_sources": ["127.0.0.1"],
                    **config,
                },
            }
        },
        "DEFAULT_PAYMENT_BACKEND": "efi",
    }


@contextmanager
def pix_shop(simulator: PixSimulator, *, register: bool = True, **config: Any) -> Iterator[Shop]:
    """The shop on the default database, its address registered at the simulator."""
    settings = efi_settings(simulator, **config)
    with (
        override_settings(OMNIMAN=settings, ROOT_URLCONF="tests.django_web.urls"),
        running_server() as server,
    ):
        host, port = server.address
        shop = Shop(simulator, f"http://{host}:{port}", Clock())
        backend = EfiBackend(settings["PAYMENT_BACKENDS"]["efi"]["config"], now=shop.clock)
        get_registry().use("efi", backend, register_backend())
        if register:
            shop.register_webhook()
        try:
            yield shop
        finally:
            simulator.control.pause()
            get_registry().close()
            connections.close_all()
