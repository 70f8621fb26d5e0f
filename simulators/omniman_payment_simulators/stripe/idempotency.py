"""Idempotency keys: docs.stripe.com/api/idempotent_requests.

The first answer of a key is kept with its parameters, errors and 500s as well. Nothing is kept of
a request that failed its validation, that was turned away, or whose key was in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import ApiError

REMEMBERED_SECONDS = 24 * 3600
LONGEST = 255


@dataclass(frozen=True, slots=True)
class Asked:
    """What a key was first used for: equal parameters are equal in any order."""

    path: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that a key stands for."""

    asked: Asked
    status: int
    body: bytes
    at: int
    request_id: str


class Keys:
    """The keys of one account."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._running: dict[str, Asked] = {}

    def begin(self, key: str, asked: Asked, now: int) -> Kept | None:
        """Take a key into use, or answer with what is kept for it."""
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
        if first is not None and first.path != asked.path:
            raise _conflict(
                key,
                f"for the same endpoint they were first used for ('{asked.path}' vs "
                f"'{first.path}')",
            )
        if first is not None and first != asked:
            raise _conflict(key, "with the same parameters they were first used with")
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


def _conflict(key: str, how: str) -> ApiError:
    return ApiError(
        400,
        "idempotency_error",
        f"Keys for idempotent requests can only be used {how}. Try using a key other than '{key}' "
        "if you meant to execute a different request.",
        kept=False,
    )
