"""Notifications over mutual TLS: Efi's certificate is verified where TLS ends, before the shop."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from django.core.management import CommandError

from omniman_payment_simulators.pix import PixSimulator

from .proxy import HEADER, tls_proxy
from .shop import Shop, pix_shop

MTLS = {
    "webhook_mode": "mtls",
    "webhook_proxies": ["127.0.0.1"],
    "webhook_mtls_headers": {HEADER: "SUCCESS"},
}
NOTHING = b'{"pix": []}'


@dataclass(frozen=True, slots=True)
class Front:
    """The shop as the world sees it."""

    shop: Shop
    port: int
    ca: Path

    def post(self, client_certificate: Path | None, **headers: str) -> int:
        """Whatever status a notification without payments gets."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if client_certificate is not None:
            context.load_cert_chain(client_certificate)
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=20, context=context
        )
        try:
            sent = {"Content-Type": "application/json", **headers}
            connection.request("POST", "/payments/webhooks/efi/pix", NOTHING, sent)
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture
def front(database: object, tmp_path: Path) -> Iterator[Front]:
    authority = trustme.CA()
    ca, server = tmp_path / "shop-ca.pem", tmp_path / "shop.pem"
    authority.cert_pem.write_to_path(str(ca))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(server))
    with (
        PixSimulator(shops_ca=str(ca)) as simulator,
        pix_shop(simulator, register=False, **MTLS) as shop,
        tls_proxy(shop.direct, server, simulator.webhook_ca_certificate) as public,
    ):
        shop.url = f"https://127.0.0.1:{public}"
        yield Front(shop, public, ca)


def test_the_address_passes_both_trials_and_payments_are_told(front: Front) -> None:
    said = front.shop.register_webhook()
    assert said.startswith(f"notifications are sent to {front.shop.url}/payments/webhooks/efi/")
    assert "?" not in said
    order, txid = front.shop.sold()
    front.shop.control.pay(txid)
    front.shop.settle()
    assert front.shop.facts(order) == [("opened", 1000), ("captured", 1000)]
    assert front.shop.deliveries("matched") == 1


def test_who_shows_no_certificate_is_refused(front: Front) -> None:
    assert front.post(None) == 403
    assert front.post(None, **{HEADER: "SUCCESS"}) == 403


def test_who_shows_a_strangers_certificate_is_refused(front: Front, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    made = trustme.CA().issue_cert("pix.simulator.invalid")
    made.private_key_and_cert_chain_pem.write_to_path(str(stranger))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        front.post(stranger)


def test_the_institutions_own_certificate_is_taken(front: Front) -> None:
    assert front.post(front.shop.simulator.certificates.webhook) == 200


def test_an_address_that_the_shop_does_not_have_is_not_registered(front: Front) -> None:
    front.shop.url += "/elsewhere"
    with pytest.raises(CommandError, match="não respondeu"):
        front.shop.register_webhook()


def test_a_shop_behind_a_proxy_that_asks_nobody_still_refuses_who_has_no_certificate(
    front: Front,
) -> None:
    host, port = front.shop.direct
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        headers = {"Content-Type": "application/json", HEADER: "NONE"}
        connection.request("POST", "/payments/webhooks/efi/pix", NOTHING, headers)
        assert connection.getresponse().status == 400
    finally:
        connection.close()
