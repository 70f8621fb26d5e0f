"""An account at the Pix simulator, and its notifications as the Django host hands them over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omniman_payment_efi import EfiBackend
from omniman_payment_simulators.pix import PixSimulator

WEBHOOK_SECRET = "planted_webhook_secret_0123456789"
PEER = "127.0.0.1"


def account(simulator: PixSimulator, **more: Any) -> EfiBackend:
    """A backend that calls the simulator; close it."""
    clocks = {name: more.pop(name) for name in ("now", "monotonic") if name in more}
    config = {
        "client_id": simulator.client_id,
        "client_secret": simulator.client_secret,
        "certificate": str(simulator.certificate),
        "pix_key": simulator.pix_key,
        "base_url": simulator.url,
        "ca_certificate": str(simulator.ca_certificate),
        "timeout_seconds": 5,
        "webhook_mode": "hmac",
        "webhook_secret": [WEBHOOK_SECRET],
        "webhook_sources": [PEER],
        **more,
    }
    return EfiBackend(config, **clocks)


def delivered(notification: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
    """A notification of the simulator at an address that was registered with our secret."""
    body = notification["body"]
    headers = {
        # The ones that count: the rest are the transport's.
        ":query": f"hmac={WEBHOOK_SECRET}&ignorar=/pix",
        ":peer": PEER,
    }
    return headers, body if isinstance(body, bytes) else str(body).encode()
