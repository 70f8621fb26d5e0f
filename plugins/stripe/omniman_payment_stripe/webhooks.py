"""Stripe's notifications: verified on their bytes, then read for the one thing that is believed.

That is which PaymentIntent to look at. Builds no SDK objects: an event of any API version is
the same few fields here, and verifying and reading take about as long as the hash itself.
Source: docs.stripe.com/webhooks, "Verify webhook signatures manually".
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from omniman_payment_core.bodies import read_object
from omniman_payment_core.errors import WebhookPayloadError, WebhookVerificationError
from omniman_payment_core.values import WebhookEvent

TOLERANCE = 300
"""Seconds, as Stripe's own libraries have it; here for clocks that are ahead as well."""
MAX_BODY = 1024 * 1024
MAX_HEADER = 4096
MAX_SIGNATURES = 8

_WITHOUT_NEWS = frozenset({"payment_intent.created"})
"""Comes with our own call, often before its answer, and says only that it was carried out."""

_HEADER = "stripe-signature"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_KIND = re.compile(r"[A-Za-z0-9_.]{1,64}")


def verify(headers: Mapping[Any, Any], body: Any, keys: Sequence[bytes], *, now: float) -> None:
    """Make sure that Stripe sent these bytes, and just now.

    :raises WebhookVerificationError: it did not, or there is no saying.
    """
    if not keys:
        raise WebhookVerificationError('the account has no option "webhook_secret"')
    if type(body) is not bytes or len(body) > MAX_BODY:
        raise WebhookVerificationError(f"the body must be bytes, at most {MAX_BODY}")
    timestamp, offered = _parts(_header(headers))
    signed = timestamp.encode() + b"." + body
    authentic = False
    for key in keys:
        expected = hmac.digest(key, signed, "sha256").hex()
        for signature in offered:
            # No early exit: the time taken tells nothing about which secret is in use.
            authentic |= hmac.compare_digest(expected, signature)
    if not authentic:
        raise WebhookVerificationError("no signature fits")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise WebhookVerificationError("the signature's time is too far from the present")


def read_event(body: bytes) -> WebhookEvent:
    """The event of a verified body: which PaymentIntent it is about, if any.

    :raises WebhookPayloadError: the body is not an event as Stripe sends them.
    """
    event = read_object(body)
    number, kind = event.get("id"), event.get("type")
    if type(number) is not str or not _ID.fullmatch(number):
        raise WebhookPayloadError("the event has no id")
    if type(kind) is not str or not _KIND.fullmatch(kind):
        raise WebhookPayloadError("the event has no type")
    livemode = event.get("livemode")
    return WebhookEvent(
        event_id=number,
        kind=kind,
        transaction_id=None if kind in _WITHOUT_NEWS else _intent_of(event),
        occurred_at=_moment(event.get("created")),
        livemode=livemode if type(livemode) is bool else None,
    )


def _intent_of(event: dict[str, Any]) -> str | None:
    """The PaymentIntent: the object itself, or what a charge, refund or dispute belongs to."""
    data = event.get("data")
    about = data.get("object") if type(data) is dict else None
    if type(about) is not dict:
        return None
    intent = about.get("id" if about.get("object") == "payment_intent" else "payment_intent")
    if type(intent) is dict:
        # Some API versions and some endpoints expand it.
        intent = intent.get("id")
    return intent if type(intent) is str and _ID.fullmatch(intent) else None


def _moment(created: object) -> datetime | None:
    # Events of Stripe's second API write it as text; it is only told, never relied on.
    if type(created) is int and 0 <= created < 1 << 36:
        return datetime.fromtimestamp(created, UTC)
    return None


def _header(headers: Mapping[Any, Any]) -> str:
    value = headers.get(_HEADER)
    if value is None:
        found = [v for k, v in headers.items() if isinstance(k, str) and k.lower() == _HEADER]
        if len(found) != 1:
            raise WebhookVerificationError("exactly one header Stripe-Signature is expected")
        value = found[0]
    if type(value) is not str or len(value) > MAX_HEADER or not value.isascii():
        raise WebhookVerificationError(
            f"Stripe-Signature must be ASCII text of at most {MAX_HEADER} characters"
        )
    return value


def _parts(header: str) -> tuple[str, list[str]]:
    """The one time and the signatures of the scheme that is in use; ``v0`` is for tests only."""
    times, signatures = [], []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            times.append(value)
        elif name == "v1":
            signatures.append(value)
    if len(times) != 1 or not _TIMESTAMP.fullmatch(times[0]):
        raise WebhookVerificationError("Stripe-Signature needs exactly one Unix time")
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise WebhookVerificationError(f"one to {MAX_SIGNATURES} signatures are accepted")
    return times[0], signatures
