"""The life of an account at the simulator, lived by the real plugin and by a bare client."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from omniman_payment_core.errors import PaymentError
from omniman_payment_efi import EfiBackend
from omniman_payment_simulators.pix import PixSimulator

SECRET = "webhook-secret-of-the-wire"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def backend_at(simulator: PixSimulator, **options: Any) -> EfiBackend:
    """The plugin at the simulator."""
    return EfiBackend(
        {
            "client_id": simulator.client_id,
            "client_secret": simulator.client_secret,
            "certificate": str(simulator.certificate),
            "pix_key": simulator.pix_key,
            "base_url": simulator.url,
            "ca_certificate": str(simulator.ca_certificate),
            "webhook_mode": "hmac",
            "webhook_secret": [SECRET],
            **options,
        }
    )


def live_by_plugin(simulator: PixSimulator, listening: str) -> None:
    """Everything that the plugin can do, and what it hears when it cannot be."""
    backend, control = backend_at(simulator), simulator.control
    try:
        _open(backend)
        _refunds(backend, simulator)
        _ends(backend, simulator)
        backend.list_transactions(LONG_AGO)
        backend.poll_events(LONG_AGO)
        backend.registered_webhook()
        backend.register_webhook(listening)
        backend.registered_webhook()
        backend.remove_webhook()
        backend.remove_webhook()
        for fault in (
            {"kind": "rate_limit"},
            {"kind": "error", "status": 500},
            {"kind": "error", "status": 503},
        ):
            control.fault(**fault, path="/v2/cob/*")
            with suppress(PaymentError):
                backend.get_status("0" * 32)
    finally:
        backend.close()


def _open(backend: EfiBackend) -> None:
    """Charges of every shape, twice the same, and one that is refused."""
    for number, method in enumerate(
        (
            {"type": "pix"},
            {"type": "pix", "expires_in_seconds": 60, "shown_to_payer": "Mesa 12: açaí"},
            {"type": "pix", "debtor": {"name": "Ana Lima", "cpf": "12345678909"}},
            {"type": "pix", "debtor": {"name": "Loja", "cnpj": "12ABC34501DE35"}},
            {"type": "pix", "extra_info": {"Mesa": "12", "Garçom": "João"}},
        )
    ):
        for amount_q in (1, 1990, 999_999_999_999):
            key = f"charge-{number}-{amount_q}"
            for _ in range(2):
                backend.charge(amount_q, "BRL", "A-1", dict(method), idempotency_key=key)


def _refunds(backend: EfiBackend, simulator: PixSimulator) -> None:
    """In parts, again, too much, waiting, failing."""
    control = simulator.control
    txid = _charged(backend, "refunds")
    control.pay(txid)
    backend.refund(txid, 300, "Devolvido: não serviu", idempotency_key="r1")
    backend.refund(txid, 300, "Devolvido: não serviu", idempotency_key="r1")
    control.returns("wait")
    backend.refund(txid, 200, idempotency_key="r2")
    backend.get_status(txid)
    control.returns("refuse")
    backend.refund(txid, 100, idempotency_key="r3")
    control.returns("at_once")
    backend.refund(txid, 400, idempotency_key="r4")
    backend.get_status(txid)


def _ends(backend: EfiBackend, simulator: PixSimulator) -> None:
    """Withdrawn, withdrawn again, paid before it could be, unknown, refused, another amount."""
    control = simulator.control
    withdrawn = _charged(backend, "withdrawn")
    backend.cancel(withdrawn)
    backend.cancel(withdrawn)
    control.pay(withdrawn, 400, in_flight=True)
    backend.get_status(withdrawn)
    paid = _charged(backend, "paid")
    control.pay(paid)
    control.pay(paid, 1, in_flight=True)
    backend.cancel(paid)
    with suppress(PaymentError):
        backend.get_status("f" * 32)
    for word in ("documento_bloqueado", "valor_invalido", "chave_invalida"):
        control.decline_next(word)
        with suppress(PaymentError):
            backend.charge(1000, "BRL", "A-1", {}, idempotency_key=f"refused-{word}")


def _charged(backend: EfiBackend, key: str) -> str:
    result = backend.charge(1000, "BRL", "A-1", {}, idempotency_key=key)
    assert result.transaction_id is not None
    return result.transaction_id


def live_by_hand(simulator: PixSimulator) -> None:
    """What no client of ours would send, and calls that the plugin does not need."""
    client = Client(simulator)
    charge = {
        "calendario": {"expiracao": 60},
        "valor": {"original": "1.00"},
        "chave": simulator.pix_key,
    }
    made = client.call("POST", "/v2/cob", charge)
    client.call("GET", f"/v2/loc/{made['loc']['id']}")
    client.call("GET", f"/v2/loc/{made['loc']['id']}/qrcode")
    client.call("GET", "/v2/loc/999999")
    client.call("GET", "/v2/pix/" + "E" * 32)
    client.call("GET", f"/v2/pix/{'E' * 32}/devolucao/1")
    client.call("PUT", f"/v2/pix/{'E' * 32}/devolucao/1", {"valor": "1.00"})
    paid = simulator.control.pay(made["txid"])["endToEndId"]
    client.call("GET", f"/v2/pix/{paid}")
    client.call("PUT", f"/v2/pix/{paid}/devolucao/a", {"valor": "2.00"})
    client.call("PUT", f"/v2/pix/{paid}/devolucao/a", {"valor": "0.40"})
    client.call("GET", f"/v2/pix/{paid}/devolucao/a")
    span = "inicio=2026-01-01T00:00:00Z&fim=2099-01-01T00:00:00Z"
    for query in (
        span,
        f"{span}&status=ATIVA",
        f"{span}&paginacao.paginaAtual=1&paginacao.itensPorPagina=1",
    ):
        client.call("GET", f"/v2/cob?{query}")
    client.call("GET", f"/v2/pix?{span}&txid={made['txid']}")
    client.call("GET", f"/v2/webhook?{span}")


class Client:
    """Sends anything, and takes whatever comes."""

    def __init__(self, simulator: PixSimulator) -> None:
        self._url = simulator.url
        self._tls = ssl.create_default_context(cafile=str(simulator.ca_certificate))
        self._tls.load_cert_chain(simulator.certificate)
        pair = f"{simulator.client_id}:{simulator.client_secret}"
        basic = base64.b64encode(pair.encode()).decode()
        given = self.call(
            "POST", "/oauth/token", {"grant_type": "client_credentials"}, f"Basic {basic}"
        )
        self._token = f"Bearer {given['access_token']}"

    def call(self, method: str, path: str, body: Any = None, authorization: str = "") -> Any:
        request = urllib.request.Request(
            self._url + path,
            None if body is None else json.dumps(body).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": authorization or self._token,
            },
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=20, context=self._tls) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read()
        return json.loads(text) if text else None
