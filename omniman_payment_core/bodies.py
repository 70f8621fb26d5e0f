"""The JSON object of a notification's body, within bounds that nothing honest exceeds.

For plugins, once a body is authentic. Refusals quote nothing of it.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

from .errors import WebhookPayloadError

MAX_DEPTH: Final = 32


def read_object(body: bytes) -> dict[str, Any]:
    """The object; raises :class:`~omniman_payment_core.errors.WebhookPayloadError`.

    UTF-8 only, no name twice in one object, no ``NaN`` or ``Infinity``, no number that Python
    cannot hold, and nothing deeper than :data:`MAX_DEPTH`.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        # From None: a JSON error quotes the whole document.
        raise WebhookPayloadError("the body is not JSON that can be accepted") from None
    if type(value) is not dict:
        raise WebhookPayloadError("the body is not a JSON object")
    _check_depth(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _check_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        level = below
    raise WebhookPayloadError(f"the body is nested deeper than {MAX_DEPTH}")
