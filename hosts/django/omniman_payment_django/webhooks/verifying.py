"""Has an account's backend verify a delivery, and believes nothing else of what it answers.

One verdict for all failures. A plugin that misbehaves loses the delivery, never the server.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from omniman_payment_core.errors import WebhookError, WebhookVerificationError
from omniman_payment_core.values import WebhookEvent

from .persons import without_persons
from .rejections import rejections

MAX_EVENTS = 1000
MAX_ID = 255
MAX_KIND = 64


class _MisbehavedError(Exception):
    """The backend's answer does not keep the contract; says in which field."""


def verify(
    account: str,
    parse: Callable[[Mapping[str, str], bytes], Sequence[WebhookEvent]],
    headers: Mapping[str, str],
    body: bytes,
    scrub: Callable[[str], str],
) -> tuple[list[WebhookEvent] | None, str]:
    """The events of an authentic delivery, or ``None`` and what was wrong with it."""
    try:
        return checked(parse(headers, body)), ""
    except WebhookError as error:
        authentic = not isinstance(error, WebhookVerificationError)
        reason = "not understood" if authentic else "not authentic"
        rejections.count(account, reason)
        return None, reason
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        # Also SystemExit: a plugin does not end the server on a stranger's request.
        reason = "the backend misbehaved"
        cause = f"{reason} with {type(error).__name__}{_place_of(error)}"
        rejections.count(
            account, cause, detail=scrub(without_persons(_text_of(error))), level=logging.ERROR
        )
        return None, reason


def checked(answer: object, *, most: int | None = MAX_EVENTS) -> list[WebhookEvent]:
    """What a backend says are events, if they are; at most ``most`` of them."""
    if not isinstance(answer, (list, tuple)):
        raise _MisbehavedError(f"its events came as a {type(answer).__name__}, not a list")
    if most is not None and len(answer) > most:
        raise _MisbehavedError(f"it returned more than {most} events")
    event: Any
    for event in answer:
        if not isinstance(event, WebhookEvent):
            raise _MisbehavedError(f"there is a {type(event).__name__} among its events")
        _check_text("event_id", event.event_id, MAX_ID)
        _check_text("kind", event.kind, MAX_KIND)
        if event.transaction_id is not None:
            _check_text("transaction_id", event.transaction_id, MAX_ID)
        at: Any = event.occurred_at
        if at is not None and (not isinstance(at, datetime) or at.tzinfo is None):
            raise _MisbehavedError("an event's occurred_at is not an aware datetime")
        if event.livemode is not None and not isinstance(event.livemode, bool):
            raise _MisbehavedError("an event's livemode is neither true nor false")
    return list(answer)


def _check_text(name: str, value: object, longest: int) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise _MisbehavedError(f"an event's {name} is not a text of 1 to {longest} characters")


def _text_of(error: BaseException) -> str:
    """An exception may be unable to say what it is."""
    try:
        return str(error)
    except Exception:
        return ""


def _place_of(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
