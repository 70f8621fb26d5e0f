"""What a backend answered, checked field by field and copied into values of ours.

Everything that is not a plain value is turned into one, because an object of the plugin's own
could say something else the next time it is read.
"""

from __future__ import annotations

import json
import logging
import operator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from ..values import (
    DeclineCode,
    NextAction,
    PaymentResult,
    PaymentStatus,
    RefundSnapshot,
    RefundStatus,
)

log = logging.getLogger("omniman_payment.gateway")

MAX_METADATA = 16_384
MAX_REFUNDS = 1000
_MAX_AMOUNT = 10**15


class GarbageError(Exception):
    """A backend's answer does not keep the contract; says in which field."""


def checked(answer: Any) -> PaymentResult:
    """The answer as a result that keeps the contract, or :class:`GarbageError` naming the field.

    Nothing of the plugin's own making stays in it: what is no plain value is copied into one,
    because it could say something else the next time it is read.
    """
    result = answer if type(answer) is PaymentResult else _adopted(answer)
    if result.success is not True and result.success is not False:
        raise GarbageError("success is not true or false")
    exact: dict[str, Any] = {}
    for name in _TEXTS:
        value = getattr(result, name)
        if value is not None or name == "status":
            _put(exact, name, value, _text_in(name, value))
    for name in _AMOUNTS:
        value = getattr(result, name)
        if value is not None and (type(value) is not int or not 0 <= value <= _MAX_AMOUNT):
            raise GarbageError(f"{name} is not a whole number of the smallest unit")
    for name in ("expires_at", "hold_expires_at"):
        value = getattr(result, name)
        if value is not None:
            _put(exact, name, value, _moment_in(name, value))
    if result.refunds is not None:
        _put(exact, "refunds", result.refunds, _refunds_in(result.refunds))
    if result.next_action is not None:
        exact["next_action"] = _action_in(result.next_action)
    if result.metadata and not _is_plain(result.metadata):
        exact["metadata"] = _metadata_in(result.metadata)
    return replace(result, **exact) if exact else result


def transaction_id_in(method: str, answer: object) -> str:
    """An id that a backend chose, or :class:`GarbageError`."""
    if not isinstance(answer, str) or not 0 < len(text := str.__str__(answer)) <= 255:
        raise GarbageError(f"{method}() did not return a transaction id")
    return _text_in("transaction_id", text)


_AMOUNTS = ("amount_q", "authorized_q", "captured_q", "refunded_q", "disputed_q", "held_q")
_TEXTS = ("status", "transaction_id", "error_code", "error_message", "currency", "reference")
_IDS = ("transaction_id", "reference", "a refund's reference", "a refund's idempotency_key")
_PLAIN_TEXTS = frozenset({str, PaymentStatus, RefundStatus, DeclineCode})


def _put(exact: dict[str, Any], name: str, before: object, after: object) -> None:
    if after is not before:
        exact[name] = after


def _text_in(name: str, value: Any) -> str:
    """A text that is nothing but a text, and no longer than a column; ids can be kept as they are.

    Any database alters or refuses NUL and lone surrogates, and an id that was altered is none.
    """
    if type(value) not in _PLAIN_TEXTS:
        if not isinstance(value, str):
            raise GarbageError(f"{name} is not a text")
        value = str.__str__(value)
    if len(value) > 255 and name != "error_message":
        raise GarbageError(f"{name} is longer than 255 characters")
    if name in _IDS and not value.isprintable():
        raise GarbageError(f"{name} has characters that cannot be kept")
    return cast("str", value)


def _moment_in(name: str, value: Any) -> datetime | None:
    """An aware datetime; one that no calendar means (year 1, year 9999) stands for "none"."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise GarbageError(f"{name} is not an aware datetime")
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        return None
    if type(value) is datetime and value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise GarbageError(f"{name} is not an aware datetime")
    moved = datetime.astimezone(value, UTC)
    return datetime.combine(datetime.date(moved), datetime.time(moved), UTC)


_FIRST_YEAR, _LAST_YEAR = 1970, 9000


def _is_plain(metadata: Any) -> bool:
    """A handful of short texts and numbers: certainly JSON, without writing it out."""
    if type(metadata) is not dict or len(metadata) > 20:
        return False
    for name, value in metadata.items():
        if type(name) is not str or len(name) > 100:
            return False
        if type(value) is not int and not (type(value) is str and len(value) <= 500):
            return False
    return True


def _metadata_in(metadata: Any) -> dict[str, Any] | None:
    """Metadata that is not JSON is left out: the money it came with is real all the same."""
    try:
        return _json_in("metadata", metadata)
    except GarbageError as error:
        log.warning("a backend's metadata was left out: %s", error)
        return None


def _adopted(answer: Any) -> PaymentResult:
    """A result class of the plugin's own making, as long as it has the page's six fields."""
    try:
        fields = {name: getattr(answer, name) for name in ("success", "transaction_id", "status")}
    except Exception:
        raise GarbageError(
            f"the answer is a {type(answer).__name__}, not a PaymentResult"
        ) from None
    for name in PaymentResult.__dataclass_fields__:
        if name not in fields:
            fields[name] = getattr(answer, name, None)
    return PaymentResult(**fields)


def _refunds_in(refunds: object) -> tuple[RefundSnapshot, ...]:
    if not isinstance(refunds, (tuple, list)):
        raise GarbageError("refunds is not a list")
    if len(refunds) > MAX_REFUNDS:
        raise GarbageError(f"refunds has more than {MAX_REFUNDS} items")
    found = tuple([_refund_in(refund) for refund in refunds])
    if type(refunds) is tuple and all(map(operator.is_, found, refunds)):
        return refunds
    return found


def _refund_in(refund: Any) -> RefundSnapshot:
    if not isinstance(refund, RefundSnapshot):
        raise GarbageError("refunds holds something else than a RefundSnapshot")
    amount = refund.amount_q
    if type(amount) is not int or not 0 <= amount <= _MAX_AMOUNT:
        raise GarbageError("a refund's amount_q is not a whole number of the smallest unit")
    reference = _text_in("a refund's reference", refund.reference)
    status = _text_in("a refund's status", refund.status)
    if status not in _REFUND_STATUSES:
        raise GarbageError("a refund's reference or status is not known")
    key = refund.idempotency_key
    if key is not None:
        key = _text_in("a refund's idempotency_key", key)
    exact = (reference, amount, status, key)
    mine = (refund.reference, refund.amount_q, refund.status, refund.idempotency_key)
    if type(refund) is RefundSnapshot and all(map(operator.is_, exact, mine)):
        return refund
    return RefundSnapshot(*exact)


_REFUND_STATUSES = frozenset(RefundStatus)


def _action_in(action: object) -> NextAction:
    if not isinstance(action, NextAction):
        raise GarbageError("next_action is not a NextAction")
    kind = _text_in("next_action's kind", action.kind)
    return NextAction(kind, _json_in("next_action", action.data))


def _json_in(name: str, value: object) -> dict[str, Any]:
    """A copy that is JSON and nothing else, whatever becomes of the original."""
    try:
        text = json.dumps(value, allow_nan=False)
        found = json.loads(text) if len(text) <= MAX_METADATA else None
    except (TypeError, ValueError, RecursionError):
        raise GarbageError(f"{name} is not JSON") from None
    if not isinstance(found, dict):
        raise GarbageError(f"{name} is not an object of at most {MAX_METADATA} characters")
    return found
