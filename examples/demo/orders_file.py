"""Reads sessions from JSON Lines: every good line becomes a sale, every bad one a reason.

Knows the demo's channels by name and nothing of Django or payments.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIELDS = ("channel", "items", "payment_method", "then")


@dataclass(frozen=True, slots=True)
class Sale:
    """One line: what is sold where, how it is paid, and what happens afterwards."""

    number: int
    channel: str
    items: tuple[Mapping[str, Any], ...]
    payment_method: Mapping[str, Any] = field(default_factory=dict, repr=False)
    cancel: bool = False
    refund: bool = False
    refund_q: int | None = None
    """``None`` with ``refund``: everything."""


@dataclass(frozen=True, slots=True)
class WrongLine:
    """A line that cannot be used, and why."""

    number: int
    reason: str


class _LineError(Exception):
    """Why a line cannot be used."""


def read_sales(path: Path, channels: Collection[str]) -> Iterator[Sale | WrongLine]:
    """Every line that is not blank, in order."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield _read(number, line, channels)
            except _LineError as error:
                yield WrongLine(number, str(error))


def _read(number: int, line: bytes, channels: Collection[str]) -> Sale:
    try:
        entry = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _LineError("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _LineError(f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise _LineError("not JSON: nested too deeply") from None
    if not isinstance(entry, dict):
        raise _LineError("not an object")
    unknown = sorted(set(entry) - set(FIELDS))
    if unknown:
        raise _LineError(f'unknown field "{unknown[0]}"; known: {", ".join(FIELDS)}')
    channel = entry.get("channel")
    if not isinstance(channel, str) or channel not in channels:
        known = ", ".join(f'"{name}"' for name in channels)
        raise _LineError(f'"channel" is {json.dumps(channel)}; it can be {known}')
    method = entry.get("payment_method", {})
    if not isinstance(method, dict):
        raise _LineError('"payment_method" is not an object')
    items = _read_items(entry)
    cancel, refund, refund_q = _read_then(entry.get("then"))
    total_q = sum(item["qty"] * item["price_q"] for item in items)
    if refund_q is not None and refund_q > total_q:
        raise _LineError(f'"then" refunds {refund_q}, more than the total of {total_q}')
    return Sale(number, channel, items, method, cancel, refund, refund_q)


def _read_items(entry: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    items = entry.get("items")
    if not isinstance(items, list) or not items:
        raise _LineError('"items" is not a list of at least one item')
    for position, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            raise _LineError(f"item {position} is not an object")
        if not isinstance(item.get("sku"), str) or not item["sku"]:
            raise _LineError(f'item {position} has no "sku"')
        for name in ("qty", "price_q"):
            if not _is_count(item.get(name)):
                raise _LineError(f'item {position}: "{name}" is not a whole number from 1 up')
    return tuple(items)


def _read_then(then: object) -> tuple[bool, bool, int | None]:
    if then is None:
        return False, False, None
    if then == "cancel":
        return True, False, None
    if then == "refund":
        return False, True, None
    if isinstance(then, dict) and set(then) == {"refund"} and _is_count(then["refund"]):
        return False, True, then["refund"]
    raise _LineError('"then" can be "cancel", "refund" or {"refund": amount}')


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10**12
