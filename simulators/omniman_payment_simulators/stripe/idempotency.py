"""Idempotency keys: docs.stripe.com/api/idempotent_requests.

The first answer of a key is kept with its parameters, errors and 500s as well. Nothing is kept of
a request that failed its validation, that was turned away, or whose key was in use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .errors import ApiError

REMEMBERED_SECONDS = 24 * 3600
LONGEST = 255


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that a key stands for."""

    asked: str
    status: int
    body: bytes
    at: int
    request_id: str


class Keys:
    """The keys of one account."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._running: dict[str, str] = {}

    def begin(self, key: str, path: str, body: str, now: int) -> Kept | None:
        """Take a key into use, or answer with what is kept for it."""
        asked = hashlib.sha256(f"{path}\0{body}".encode()).hexdigest()
        if not 0 < len(key) <= LONGEST:
            raise ApiError(
                400,
                "idempotency_error",
                f"Idempotency keys can be up to {LONGEST} characters long.",
                kept=False,
            )
        kept = self._kept.get(key)
        if kept is not None and now - kept.at >= REMEMBERED_SECONDS:
            del self._kept[key]
            kept = None
        running = self._running.get(key)
        first = kept.asked if kept is not None else running
        if first is not None and first != asked:
            raise ApiError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                kept=False,
            )
        if kept is not None:
            return kept
        if running is not None:
            raise ApiError(
                409,
                "idempotency_error",
                "There is currently another in-progress request using this Stripe API key and "
                "idempotency key. Please try again later.",
                code="idempotency_key_in_use",
                kept=False,
            )
        self._running[key] = asked
        return None

    def keep(self, key: str, status: int, body: bytes, now: int, request_id: str) -> None:
        """The request came to its end with an answer that counts."""
        self._kept[key] = Kept(self._running.pop(key), status, body, now, request_id)

    def forget(self, key: str) -> None:
        """The request came to nothing; its key is free again."""
        self._running.pop(key, None)
