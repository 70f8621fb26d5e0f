"""A sale in which the backend misbehaves at one moment, and everything that must hold after it."""

from __future__ import annotations

import io
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import iscoroutine
from typing import Any

import pytest

from omniman_payment_core.records import DirectiveStatus

from . import promises
from .answering import ANSWERING
from .doing import DOING, as_it_was
from .raising import RAISING
from .stage import PATIENCE, Call, Misbehaviour, Stage

KIT: list[Misbehaviour] = [*RAISING, *ANSWERING, *DOING]
OPERATIONS = ("authorize", "capture", "charge", "refund", "cancel", "get_status", "find")


def strengths_of(operation: str) -> tuple[str, ...]:
    """The kinds of gateway at which an operation is worth a scene."""
    match operation:
        case "find":
            return ("finds",)
        case "cancel":
            return ("full",)
        case _:
            return ("full", "five_methods_proof")


def play(
    strength: str,
    operation: str,
    act: Callable[[Stage, Call], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    """Sell, with one call of ``operation`` met by ``act``; every promise is checked."""
    with as_it_was(), _logs() as logged:
        stage = Stage(strength, monkeypatch)
        stage.saboteur.method, stage.saboteur.act = operation, act
        try:
            others = _sell(stage, operation)
            assert stage.saboteur.struck, "the moment never came"
            stage.later(hours=2)
            stage.later(hours=25)
            promises.check_money(stage)
            promises.check_no_false_failure(stage)
            promises.check_service(stage, others)
            promises.check_texts(stage, logged.getvalue())
        finally:
            clear_away(stage)
    return stage


def _sell(stage: Stage, operation: str) -> list[int]:
    """The steps of a sale; beside each one another order that nothing happens to."""
    stage.order("O1")
    stage.saboteur.lose_opening = operation == "find"
    opening = stage.charge if operation == "charge" else stage.hold
    steps: list[Callable[[], int]] = [opening]
    if operation == "cancel":
        steps.append(stage.cancel)
    elif operation == "charge":
        steps.append(lambda: stage.refund(400))
    else:
        steps += [stage.confirm, lambda: stage.refund(400)]
    others = []
    for number, step in enumerate(steps):
        mine = step()
        other = stage.order(f"other-{number}")
        others.append(stage.charge(other))
        stage.settle_down()
        stage.later(hours=0.1)
        if operation == "get_status":
            stage.sync()
            stage.settle_down()
        assert stage.directive(mine).status in promises.ENDED
        if stage.directive(mine).status != DirectiveStatus.COMPLETED:
            break
    return others


@contextmanager
def _logs() -> Iterator[io.StringIO]:
    """What our own loggers write, at their most talkative."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    log = logging.getLogger("omniman_payment")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def clear_away(stage: Stage) -> None:
    stage.release.set()
    for thing in stage.litter:
        if iscoroutine(thing):
            thing.close()
        elif isinstance(thing, int):
            _wait_for_process(thing)
        else:
            thing.join(PATIENCE)


def _wait_for_process(process: int) -> None:
    """A copy of the process that a backend made must end by itself, having done nothing."""
    deadline = time.monotonic() + PATIENCE / 4
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            raise AssertionError("the copy of the worker that a fork made goes on working")
        time.sleep(0.002)
