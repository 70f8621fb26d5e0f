"""The life of an account at the simulator, lived by the real plugin."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from omniman_payment_core.errors import PaymentError
from omniman_payment_efi import EfiBackend
from omniman_payment_simulators.pix import PixSimulator

SECRET = "webhook-secret-of-the-wire-of-tests"
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


def live(simulator: PixSimulator, listening: str) -> None:
    """Everything that the plugin can do, and what it hears when it cannot be."""
    backend, control = backend_at(simulator), simulator.control
    try:
        _open(backend)
        _refunds(backend, simulator)
        _ends(backend, simulator)
        _expires(backend, simulator)
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
    methods: tuple[dict[str, Any], ...] = (
        {"type": "pix"},
        {"type": "pix", "expires_in_seconds": 60, "shown_to_payer": "Mesa 12: açaí"},
        {"type": "pix", "debtor": {"name": "Ana Lima", "cpf": "12345678909"}},
        {"type": "pix", "debtor": {"name": "Loja", "cnpj": "12ABC34501DE35"}},
        {"type": "pix", "extra_info": {"Mesa": "12", "Garçom": "João"}},
    )
    for number, method in enumerate(methods):
        for amount_q in (1, 1990, 999_999_999_999):
            key = f"charge-{number}-{amount_q}"
            for _ in range(2):
                backend.charge(amount_q, "BRL", "A-1", method, idempotency_key=key)


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
    _settle(simulator, "DEVOLVIDO")
    backend.refund(txid, 50, idempotency_key="r5")
    _settle(simulator, "NAO_REALIZADO")
    backend.get_status(txid)
    control.returns("refuse")
    backend.refund(txid, 100, idempotency_key="r3")
    control.returns("at_once")
    backend.refund(txid, 400, idempotency_key="r4")
    backend.get_status(txid)


def _settle(simulator: PixSimulator, end: str) -> None:
    """The refund that was asked for last comes to its end."""
    asked = next(each for each in reversed(simulator.control.requests()) if each["method"] == "PUT")
    *_, e2eid, _, number = asked["path"].split("/")
    simulator.control.settle_return(e2eid, number, end)


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


def _expires(backend: EfiBackend, simulator: PixSimulator) -> None:
    """Nobody pays in time, while the token ends too; then somebody has paid too late."""
    txid = _charged(backend, "expired")
    simulator.control.expire_tokens()
    simulator.control.advance(7 * 86_400)
    backend.get_status(txid)
    simulator.control.pay(txid, in_flight=True)
    backend.get_status(txid)


def _charged(backend: EfiBackend, key: str) -> str:
    result = backend.charge(1000, "BRL", "A-1", {}, idempotency_key=key)
    assert result.transaction_id is not None
    return result.transaction_id
