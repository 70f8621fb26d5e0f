"""Standard Webhooks, both ends: signing, and verifying what anybody may send.

Knows nothing of payments. Verification works on bytes, in constant time over every secret
and every signature, and raises the two webhook errors and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets as _secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from omniman_payment_core.bodies import read_object
from omniman_payment_core.errors import WebhookPayloadError, WebhookVerificationError

TOLERANCE = timedelta(seconds=300)
MAX_BODY = 64 * 1024
MAX_HEADER = 4096
MAX_SIGNATURES = 8
MIN_SECRET_BYTES = 24

_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,256}")
"""Visible ASCII without the full stop, which separates the id from the timestamp."""
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def new_secret() -> str:
    """A fresh secret in the standard's form."""
    return "whsec_" + base64.b64encode(_secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The key a secret stands for: ``whsec_`` and base64, or any other text as it is."""
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret[6:], validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("a secret that starts with whsec_ must go on in base64") from None
    else:
        key = secret.encode()
    if len(key) < MIN_SECRET_BYTES:
        raise ValueError(f"a secret needs at least {MIN_SECRET_BYTES} bytes")
    return key


def sign(body: bytes, secret: str, message_id: str, at: datetime) -> dict[str, str]:
    """The three headers of a signed message."""
    timestamp = str(int(at.timestamp()))
    signature = _signature(key_of(secret), message_id, timestamp, body).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def verify(
    headers: Mapping[Any, Any],
    body: Any,
    keys: Sequence[bytes],
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> tuple[str, datetime]:
    """Make sure a message is authentic and fresh; its id and time."""
    if not isinstance(body, bytes) or len(body) > MAX_BODY:
        raise WebhookVerificationError(f"the body must be bytes, at most {MAX_BODY}")
    message_id = _header(headers, "webhook-id")
    timestamp = _header(headers, "webhook-timestamp")
    signatures = [s for s in _header(headers, "webhook-signature").split(" ") if s]
    if not _ID.fullmatch(message_id):
        raise WebhookVerificationError("webhook-id is not an id")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise WebhookVerificationError("webhook-timestamp is not a Unix time")
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise WebhookVerificationError(f"one to {MAX_SIGNATURES} signatures are accepted")
    offered = [s[3:].encode("ascii") for s in signatures if s.startswith("v1,")]
    authentic = False
    for key in keys:
        expected = _signature(key, message_id, timestamp, body)
        for signature in offered:
            # No early exit: the time taken tells nothing about which secret is in use.
            authentic |= hmac.compare_digest(expected, signature)
    if not authentic:
        raise WebhookVerificationError("no signature fits")
    age = now.timestamp() - int(timestamp)
    if abs(age) > tolerance.total_seconds():
        raise WebhookVerificationError("webhook-timestamp is too far from the present time")
    return message_id, datetime.fromtimestamp(int(timestamp), UTC)


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a verified body, within bounds that nothing honest exceeds."""
    value = read_object(body)
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except ValueError:
        # Half a character, which no database takes.
        raise WebhookPayloadError("the body is not acceptable JSON") from None
    return value


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, "sha256"))


def _header(headers: Mapping[Any, Any], name: str) -> str:
    found = [v for k, v in headers.items() if isinstance(k, str) and k.lower() == name]
    if len(found) != 1:
        raise WebhookVerificationError(f"exactly one header {name} is expected")
    value = found[0]
    if not isinstance(value, str) or len(value) > MAX_HEADER or not value.isascii():
        raise WebhookVerificationError(
            f"header {name} must be ASCII text of at most {MAX_HEADER} characters"
        )
    return value
