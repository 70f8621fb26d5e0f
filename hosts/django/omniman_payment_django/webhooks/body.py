"""Reads a request's raw body ourselves, bounded, before Django or anybody else buffers it.

Knows nothing of payments. A body has to come with a length, or from a server that ends the
stream itself (chunked requests behind gunicorn, uvicorn and their like).
"""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest

MAX_BODY = 64 * 1024
_LENGTH = re.compile(r"[0-9]{1,18}")


class BodyRefusedError(Exception):
    """The body cannot be taken; ``status`` is the HTTP answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def read_body(request: HttpRequest, limit: int = MAX_BODY) -> bytes:
    """The whole body, at most ``limit`` bytes, or :class:`BodyRefusedError`."""
    declared = _declared_length(request)
    if declared is not None and declared > limit:
        raise BodyRefusedError(413, "declared too large")
    body = _read(_stream(request, declared), limit + 1)
    if len(body) > limit:
        raise BodyRefusedError(413, "too large")
    if declared is not None and len(body) != declared:
        # Half a notification: the sender went away, or lied about the length.
        raise BodyRefusedError(400, "shorter than its declared length")
    return body


def _declared_length(request: HttpRequest) -> int | None:
    value = request.META.get("CONTENT_LENGTH")
    encoded = bool(request.META.get("HTTP_TRANSFER_ENCODING"))
    if not value:
        return None
    if encoded:
        # Two ideas of where the body ends is how requests are smuggled past a proxy.
        raise BodyRefusedError(400, "both a length and a transfer encoding")
    if not isinstance(value, str) or not _LENGTH.fullmatch(value):
        raise BodyRefusedError(400, "the length is not a number")
    return int(value)


def _stream(request: HttpRequest, declared: int | None) -> Any:
    source = request.META.get("wsgi.input")
    if declared is not None or source is None:
        # Bounded by Django to the declared length; under ASGI the body is complete already.
        return request
    if request.META.get("wsgi.input_terminated"):
        # Without a length Django would read nothing, although this server marks the end.
        return source
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise BodyRefusedError(411, "a length is required")
    return request


def _read(stream: Any, limit: int) -> bytes:
    chunks: list[bytes] = []
    missing = limit
    try:
        while missing > 0:
            chunk = stream.read(missing)
            if not chunk:
                break
            chunks.append(chunk)
            missing -= len(chunk)
    except (OSError, ValueError):
        # Gone in the middle, or framing that the server could not follow.
        raise BodyRefusedError(400, "the body could not be read") from None
    return b"".join(chunks)
