"""A gateway's end of each way to notify us: accounts, honest deliveries, who may be believed.

Each sender knows by its own means whether a delivery that somebody tampered with still carries
the gateway's proof, so that the verifier under test is not asked to judge itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import unquote_plus

from omniman_payment_core.values import WebhookEvent
from omniman_payment_efi import EfiBackend
from omniman_payment_mock import MockPaymentBackend
from omniman_payment_stripe import StripeBackend

NOW = 1_790_000_000
PIX_KEY = "6f5c1f0e-7a31-4d4c-9e2a-0123456789ab"
STRIPE_SECRET = "whsec_campaign0123456789abcdef"
MOCK_SECRET = "a secret of the campaign, 0123456789"
EFI_SECRET = "campaign_secret_in_the_address_0123456789"
EFI_ADDRESS = "34.193.116.226"
PROXY = "10.1.2.3"
VERIFIED = "SUCCESS"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as a backend gets it: headers in lower case, the query, the peer, the body."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def with_body(self, body: bytes) -> Delivery:
        """The same headers over another body."""
        return Delivery(self.headers, body)

    def with_header(self, name: str, value: str) -> Delivery:
        """The same but for one header."""
        return Delivery({**self.headers, name: value}, self.body)


class Sender(Protocol):
    """The gateway's side of one plugin, and the account that listens to it."""

    name: str
    proof: str
    """The header (or the query) that carries the proof."""
    signs_the_body: bool

    @property
    def backend(self) -> Any:
        """The account's backend, its clock standing still at :data:`NOW`."""

    def honest(self, body: bytes, *, at: int = NOW) -> Delivery:
        """What the gateway would send with this body."""

    def example(self) -> dict[str, Any]:
        """An ordinary notification's content."""

    def may_be_believed(self, original: Delivery, changed: Delivery) -> bool:
        """Whether the changed delivery still carries the proof over what it says."""


class StripeSender:
    """Signed with HMAC-SHA256 over time and body."""

    name, proof, signs_the_body = "stripe", "stripe-signature", True

    def __init__(self, secret: str = STRIPE_SECRET, *, now: float = NOW) -> None:
        self.secret = secret
        self.backend = StripeBackend(
            {"api_key": "sk_test_campaign", "webhook_secret": [secret]}, clock=lambda: now
        )

    def honest(self, body: bytes, *, at: int = NOW) -> Delivery:
        digest = hmac.new(self.secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
        return Delivery({self.proof: f"t={at},v1={digest}"}, body)

    def example(self) -> dict[str, Any]:
        return {
            "id": "evt_1Campaign",
            "object": "event",
            "created": NOW,
            "livemode": False,
            "type": "payment_intent.succeeded",
            "data": {"object": {"id": "pi_1Campaign", "object": "payment_intent"}},
        }

    def may_be_believed(self, original: Delivery, changed: Delivery) -> bool:
        moment, digest = original.headers[self.proof].split(",")
        given = changed.headers.get(self.proof, "")
        return changed.body == original.body and moment in given and digest in given


class MockSender:
    """Standard Webhooks: signed with HMAC-SHA256 over id, time and body."""

    name, proof, signs_the_body = "mock", "webhook-signature", True

    def __init__(self, secret: str = MOCK_SECRET, *, now: float = NOW) -> None:
        self.secret = secret
        moment = datetime.fromtimestamp(now, UTC)
        self.backend = MockPaymentBackend({"webhook_secret": [secret]}, clock=lambda: moment)

    def honest(self, body: bytes, *, at: int = NOW, message_id: str = "evt_1") -> Delivery:
        signed = f"{message_id}.{at}.".encode() + body
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).digest()
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(at),
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }
        return Delivery(headers, body)

    def example(self) -> dict[str, Any]:
        return {"id": "evt_1", "type": "payment.updated", "transaction_id": "txn_1"}

    def may_be_believed(self, original: Delivery, changed: Delivery) -> bool:
        told = ("webhook-id", "webhook-timestamp")
        return (
            changed.body == original.body
            and all(changed.headers.get(name) == original.headers[name] for name in told)
            and original.headers[self.proof] in changed.headers.get(self.proof, "")
        )


class EfiHmacSender:
    """A secret in the registered address, from Efi's own network address. Nothing is signed."""

    name, proof, signs_the_body = "efi", ":query", False

    def __init__(self, secret: str = EFI_SECRET) -> None:
        self.secret = secret
        self.backend = EfiBackend(
            efi_options(webhook_mode="hmac", webhook_secret=[secret], webhook_proxies=[PROXY])
        )

    def honest(self, body: bytes, *, at: int = NOW) -> Delivery:
        return Delivery({":query": f"hmac={self.secret}&ignorar=/pix", ":peer": EFI_ADDRESS}, body)

    def example(self) -> dict[str, Any]:
        return efi_example()

    def may_be_believed(self, original: Delivery, changed: Delivery) -> bool:
        from_efi = changed.headers[":peer"].strip() in (EFI_ADDRESS, f"::ffff:{EFI_ADDRESS}")
        return from_efi and f"hmac={self.secret}" in unquote_plus(changed.headers[":query"])


class EfiMutualTlsSender:
    """A client certificate that the shop's own proxy has verified. Nothing is signed."""

    name, proof, signs_the_body = "efi-mtls", "x-ssl-client-verify", False

    def __init__(self) -> None:
        self.backend = EfiBackend(efi_options(webhook_mode="mtls", webhook_proxies=[PROXY]))

    def honest(self, body: bytes, *, at: int = NOW) -> Delivery:
        return Delivery({":query": "", ":peer": PROXY, self.proof: VERIFIED}, body)

    def example(self) -> dict[str, Any]:
        return efi_example()

    def may_be_believed(self, original: Delivery, changed: Delivery) -> bool:
        peer, proof = changed.headers[":peer"], changed.headers.get(self.proof)
        return peer in (PROXY, f"::ffff:{PROXY}") and proof == VERIFIED


def efi_options(**more: Any) -> dict[str, Any]:
    """An Efi account that is never called, so its certificate need not be one."""
    return {
        "client_id": "Client_Id_campaign",
        "client_secret": "Client_Secret_campaign",
        "certificate": "never read",
        "pix_key": PIX_KEY,
        **more,
    }


def efi_example() -> dict[str, Any]:
    """A payment and a refund of another, as Efi groups them."""
    payment = {
        "endToEndId": "E" + "1" * 31,
        "txid": "a" * 32,
        "chave": PIX_KEY,
        "valor": "10.00",
        "horario": "2026-09-21T14:00:00.000Z",
    }
    refund = {"id": "b" * 32, "rtrId": "D" + "2" * 31, "valor": "1.00", "status": "DEVOLVIDO"}
    other = {**payment, "endToEndId": "E" + "3" * 31, "devolucoes": [refund]}
    return {"pix": [payment, other]}


def all_senders() -> Sequence[Sender]:
    """One for each way a notification can prove itself."""
    return StripeSender(), MockSender(), EfiHmacSender(), EfiMutualTlsSender()


def encoded(content: Any) -> bytes:
    """JSON as gateways write it."""
    return json.dumps(content).encode()


def parse(sender: Sender, delivery: Delivery) -> Sequence[WebhookEvent]:
    """What the account's backend makes of a delivery."""
    events: Sequence[WebhookEvent] = sender.backend.parse_webhook(delivery.headers, delivery.body)
    return events


def right_now() -> int:
    """The present second, for backends that run on the machine's clock."""
    return int(time.time())
