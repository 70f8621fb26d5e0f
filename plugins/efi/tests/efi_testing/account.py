"""An account at the scripted server, with secrets that are easy to look for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omniman_payment_efi import EfiBackend

from .certificates import as_text, client
from .objects import PIX_KEY
from .scripted_server import ScriptedServer, ca_file

CLIENT_ID = "Client_Id_planted0123456789"
CLIENT_SECRET = "Client_Secret_planted0123456789"
WEBHOOK_SECRET = "planted_webhook_secret_0123456789"
PASSWORD = "planted-password-0123"


def options(**more: Any) -> dict[str, Any]:
    """What an account needs."""
    return {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "certificate": as_text(client().pem),
        "pix_key": PIX_KEY,
        **more,
    }


def account(server: ScriptedServer, folder: Path, **more: Any) -> EfiBackend:
    """A backend that calls the scripted server; close it."""
    clocks = {name: more.pop(name) for name in ("now", "monotonic") if name in more}
    config = {"base_url": server.url, "ca_certificate": ca_file(folder), "timeout_seconds": 5}
    return EfiBackend(options(**{**config, **more}), **clocks)
