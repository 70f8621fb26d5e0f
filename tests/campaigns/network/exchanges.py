"""One call over a bad network, and what must hold: what it says, in what time, and the truth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omniman_payment_core.errors import NotAttemptedError, OutcomeUnknownError

from .proxy import Spoiling
from .sides import Doing, Side, connecting_within

SHORT, LONG = 0.2, 20.0
"""Seconds a call may take: where it must run out of them, and where it must not."""
MARGIN = 5.0
"""For a machine with other things to do. A call without a deadline would take minutes."""

ANSWERED = "answered"
READS = ("get_status", "list")
WAITS = ("latency", "bandwidth", "timeout")
"""What lasts until the caller has given up."""


def expected(side: Side, operation: str, spoiling: Spoiling) -> object:
    """What the call has to end with: an exact class of error, or an answer."""
    toxic, position = spoiling.toxic, spoiling.position
    if toxic == "slicer" or (toxic, position) == ("slow_close", "answer"):
        return ANSWERED
    if position == "connect":
        return NotAttemptedError
    return side.lost_read if operation in READS else OutcomeUnknownError


def takes_effect(spoiling: Spoiling) -> bool:
    """Whether the far side has carried it out once everything has arrived."""
    if spoiling.position == "answer" or spoiling.toxic == "slicer":
        return True
    return spoiling.position == "request" and spoiling.toxic in ("latency", "bandwidth")


def play(side: Side, operation: str, spoiling: Spoiling, short: float = SHORT) -> None:
    """Call over the spoiled network; then look, and call again with the same key."""
    side.reset()
    doing = side.operations[operation]()
    budget = short if spoiling.toxic in WAITS else LONG
    with calling(side, budget, spoiling, warm=spoiling.position != "connect") as backend:
        side.proxy.spoil(spoiling)
        began = time.monotonic()
        ended = _outcome(doing, backend)
        took = time.monotonic() - began
        side.proxy.heal()
    # Twice: a plugin may ask for several things in one call, and to connect may take a while.
    assert took < 3 * budget + MARGIN
    assert ended == expected(side, operation, spoiling), ended
    with _calling(side, LONG) as backend:
        done = doing.once if takes_effect(spoiling) else 0
        assert doing.effect() == done, "the far side did something else"
        if done or operation in READS:
            assert doing.seen(backend) == done, "a look does not show the truth"
        assert _outcome(doing, backend) == ANSWERED
        assert doing.effect() == doing.once, "there is not one effect"
        assert doing.seen(backend) == doing.once


@contextmanager
def calling(side: Side, budget: float, spoiling: Spoiling, *, warm: bool) -> Iterator[Any]:
    """A backend that is in the middle of its work: what comes before its calls has happened."""
    with connecting_within(budget):
        backend = side.backend(budget)
        _warm_up(side, backend)
        if not warm:
            backend.close()
        try:
            yield backend
        finally:
            backend.close()


def _warm_up(side: Side, backend: Any) -> None:
    """The connection stands, and there is a token where one is needed."""
    reading = side.operations["get_status"]()
    deadline = time.monotonic() + LONG
    while True:
        try:
            reading.call(backend)
            return
        except (NotAttemptedError, OutcomeUnknownError):
            # The budget may be too short for a machine that is busy with something else.
            assert time.monotonic() < deadline, "not even an honest call gets through"


@contextmanager
def _calling(side: Side, budget: float) -> Iterator[Any]:
    with connecting_within(budget):
        backend = side.backend(budget)
        try:
            yield backend
        finally:
            backend.close()


def _outcome(doing: Doing, backend: Any) -> object:
    try:
        doing.call(backend)
    except Exception as error:
        return type(error)
    return ANSWERED
