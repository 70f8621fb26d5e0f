"""Directive payloads, read strictly: what was wrong, in which field, and nothing else happens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..currencies import format_amount, normalise_currency
from ..records import OrderView


class PayloadError(Exception):
    """A payload that cannot be acted on; ``code`` and message go on the directive."""

    def __init__(self, message: str, code: str = "invalid_payload") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Opening:
    """What a hold or a charge asks for."""

    amount_q: int
    currency: str
    attempt: int
    payment_method: Mapping[str, Any] = field(repr=False)
    metadata: Mapping[str, Any]


def check_object(payload: object) -> None:
    """What was stored as a payload may be any JSON."""
    if not isinstance(payload, Mapping):
        raise PayloadError(f"the payload is {_kind(payload)}; it has to be an object")


def read_opening(payload: Mapping[str, Any], order: OrderView) -> Opening:
    """The payload of ``payment.hold`` and ``payment.charge``; checks it against the order."""
    amount_q = _amount(payload, "amount_q")
    if amount_q is None:
        amount_q = order.total_q
    if amount_q <= 0:
        raise PayloadError(f"the order's total is {order.total_q}: there is nothing to collect")
    currency = normalise_currency(payload.get("currency", order.currency))
    if currency is None:
        raise PayloadError('"currency" is not an ISO 4217 code', "unknown_currency")
    if currency != normalise_currency(order.currency):
        raise PayloadError(
            f'"currency" is {currency}, the order is in {order.currency}', "currency_mismatch"
        )
    if amount_q > order.total_q:
        raise PayloadError(
            f'"amount_q" is {format_amount(amount_q, currency)}, more than the order\'s total of '
            f"{format_amount(order.total_q, currency)}",
            "amount_exceeds_total",
        )
    attempt = payload.get("attempt", 1)
    if not _is_count(attempt):
        raise PayloadError('"attempt" is not a whole number from 1 up')
    return Opening(
        amount_q,
        currency,
        attempt,
        _object(payload, "payment_method"),
        _object(payload, "metadata"),
    )


def read_amount(payload: Mapping[str, Any]) -> int | None:
    """The optional ``amount_q`` of a confirm or refund; ``None`` means all that is left."""
    return _amount(payload, "amount_q")


def read_text(payload: Mapping[str, Any], name: str) -> str | None:
    """An optional text field."""
    value = payload.get(name)
    if value is not None and not isinstance(value, str):
        raise PayloadError(f'"{name}" is not a text')
    return value


def read_flag(payload: Mapping[str, Any], name: str) -> bool | None:
    """An optional yes or no; ``None`` where nothing is said."""
    value = payload.get(name)
    if value is not None and not isinstance(value, bool):
        raise PayloadError(f'"{name}" is {_kind(value)}; it has to be true or false')
    return value


def digest(**parameters: Any) -> str:
    """A fingerprint of an operation's frozen parameters; order of keys does not matter."""
    return hashlib.sha256(_canonical(parameters).encode()).hexdigest()[:32]


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode


def _amount(payload: Mapping[str, Any], name: str) -> int | None:
    value = payload.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise PayloadError(
            f'"{name}" is {_kind(value)}; it has to be a whole number of the smallest unit',
            "invalid_amount",
        )
    if value <= 0:
        raise PayloadError(f'"{name}" is {value}; it has to be more than zero', "invalid_amount")
    return value


def _object(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise PayloadError(f'"{name}" is {_kind(value)}; it has to be an object')
    return value


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _kind(value: object) -> str:
    """Names a value's type; the value itself may be something that must not be shown."""
    return {
        str: "a text",
        int: "a number",
        float: "a fraction",
        bool: "true or false",
        dict: "an object",
        type(None): "empty",
    }.get(type(value), f"a {type(value).__name__}")
