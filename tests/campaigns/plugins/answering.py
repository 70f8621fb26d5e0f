"""Backends that answer with garbage, or with an honest answer that something was done to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from omniman_payment_core.values import NextAction, PaymentResult, RefundSnapshot

from .raising import EvilText
from .stage import CARD, SECRET, Call, Misbehaviour, Stage

SAMPLE = PaymentResult(True, None, "pending")


class Intent:
    """What an SDK hands out: an object that answers every question with another object."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Intent()


class Angry:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("not now")


class Ending:
    success = True
    status = "authorized"

    @property
    def transaction_id(self) -> str:
        raise SystemExit(0)


class FlipFlop(dict[str, Any]):
    """Says something else each time it is read."""

    turns = 0

    def items(self) -> Any:
        type(self).turns += 1
        return [("a", "fine" if type(self).turns == 1 else object())]

    def keys(self) -> Any:
        return ["a"]

    def __getitem__(self, key: str) -> Any:
        return object()


class EvilZone(dt.tzinfo):
    def utcoffset(self, when: Any) -> Any:
        raise RuntimeError("nowhere")

    dst = tzname = utcoffset


async def _later() -> PaymentResult:
    return SAMPLE


def _coroutine(stage: Stage) -> Any:
    made = _later()
    stage.litter.append(made)
    return made


def _generator() -> Iterator[PaymentResult]:
    yield SAMPLE


def _recursive() -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    metadata["self"] = metadata
    return metadata


def _nested(depth: int = 100_000) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for _ in range(depth):
        metadata = {"in": metadata}
    return metadata


GARBAGE: dict[str, Callable[[Stage], Any]] = {
    "None": lambda stage: None,
    "nothing but a text": lambda stage: "ok",
    "bytes": lambda stage: b"{}",
    "True": lambda stage: True,
    "a number": lambda stage: 200,
    "a dict": lambda stage: {"success": True, "status": "captured"},
    "a list of strangers": lambda stage: [Intent(), None],
    "an exception": lambda stage: ValueError("returned"),
    "an exception class": lambda stage: ValueError,
    "the result class": lambda stage: PaymentResult,
    "a generator": lambda stage: _generator(),
    "a coroutine": _coroutine,
    "a function": lambda stage: lambda: SAMPLE,
    "an SDK's object": lambda stage: Intent(),
    "an object that raises": lambda stage: Angry(),
    "an object that exits": lambda stage: Ending(),
    "half a result": lambda stage: SimpleNamespace(success=True),
    "NotImplemented": lambda stage: NotImplemented,
    "itself in a list": lambda stage: _in_itself(),
}


def _in_itself() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


_UTC = dt.UTC
FIELDS: dict[str, dict[str, Any]] = {
    "a success that is a number": {"success": 1},
    "a success that is a text": {"success": "false"},
    "a status from another world": {"status": "settled_and_done"},
    "a status of 10 MB": {"status": "x" * 10_000_000},
    "a status that hits back": {"status": EvilText("pending")},
    "a status that is None": {"status": None},
    "somebody else's transaction": {"transaction_id": "somebody-elses"},
    "a number for an id": {"transaction_id": 17},
    "an id of 10 MB": {"transaction_id": "t" * 10_000_000},
    "an id that hits back": {"transaction_id": EvilText("id")},
    "an id of lone surrogates": {"transaction_id": "\ud800\x00"},
    "an amount that is negative": {"captured_q": -1000},
    "an amount that is a float": {"captured_q": 1000.0},
    "an amount that is True": {"captured_q": True},
    "an amount that is NaN": {"captured_q": float("nan")},
    "an amount that is a text": {"authorized_q": "1000"},
    "an amount beyond all money": {"captured_q": 10**400},
    "a refund beyond all money": {"refunded_q": 10**16},
    "another amount": {"amount_q": 999},
    "another currency": {"currency": "JPY"},
    "a currency that is a number": {"currency": 986},
    "a currency that hits back": {"currency": EvilText("BRL")},
    "a reference of lone surrogates": {"reference": "re_\ud800"},
    "a reference that is an object": {"reference": object()},
    "metadata of 10 MB": {"metadata": {"blob": "x" * 10_000_000}},
    "metadata that holds itself": {"metadata": _recursive()},
    "metadata 100000 deep": {"metadata": _nested()},
    "metadata that is no JSON": {"metadata": {"intent": object(), ("a", 1): {1, 2}}},
    "metadata of NaN and surrogates": {"metadata": {"a": float("nan"), "b\ud800": "\x00"}},
    "metadata with secrets": {"metadata": {"key": SECRET, "card": CARD}},
    "metadata that hits back": {"metadata": {"a": EvilText("x")}},
    "a message with secrets": {"error_message": f"key {SECRET}, card {CARD}\nERROR forged"},
    "a message of 10 MB": {"error_message": "m" * 10_000_000},
    "a message that hits back": {"error_message": EvilText("no")},
    "a date without a zone": {"expires_at": dt.datetime(2026, 1, 1)},  # noqa: DTZ001
    "a date that is a number": {"hold_expires_at": 1_767_225_600},
    "a time for a date": {"hold_expires_at": dt.time(1, tzinfo=_UTC)},
    "a date at the end of time": {
        "hold_expires_at": dt.datetime.max.replace(tzinfo=_UTC),
        "expires_at": dt.datetime.max.replace(tzinfo=_UTC),
    },
    "a date at the beginning of time": {
        "hold_expires_at": dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=14)))
    },
    "a date from nowhere": {"expires_at": dt.datetime(2026, 1, 1, tzinfo=EvilZone())},
    "an action that is a text": {"next_action": "redirect"},
    "an action that is no JSON": {"next_action": NextAction("redirect", {"to": object()})},
    "an action of NaN": {"next_action": NextAction("show_qr", {"x": float("nan")})},
    "an action of 10 MB": {"next_action": NextAction("k" * 10_000_000, {})},
    "an action that changes its mind": {"next_action": NextAction("show_qr", FlipFlop(a=1))},
    "refunds that are a text": {"refunds": "none"},
    "a refund that is negative": {"refunds": (RefundSnapshot("re", -5, "succeeded"),)},
    "a refund with a key that is none": {
        "refunds": (RefundSnapshot("re", 0, "failed", {"un": "hashable"}),)  # type: ignore[arg-type]
    },
    "a refund that hits back": {"refunds": (RefundSnapshot(EvilText("re"), 0, "failed"),)},
}
NEVER_AN_ANSWER = ("a success", "an amount", "a refund that is negative", "refunds that are")


def _answers(name: str, make: Callable[[Stage], Any]) -> Misbehaviour:
    def before_the_effect(stage: Stage, call: Call) -> Any:
        return make(stage)

    def after_the_effect(stage: Stage, call: Call) -> Any:
        call()
        return make(stage)

    return Misbehaviour(f"returns {name}", before_the_effect, after_the_effect)


def _spoils(name: str, fields: dict[str, Any]) -> Misbehaviour:
    """The honest answer with some fields changed; without the effect where nobody can believe it.

    A well-formed answer that claims an effect which never happened is a lie, not a mistake.
    """

    def after_the_effect(stage: Stage, call: Call) -> Any:
        answer = call()
        if isinstance(answer, (list, tuple)):
            return [replace(item, **fields) for item in answer]
        return replace(answer, **fields)

    def before_the_effect(stage: Stage, call: Call) -> Any:
        return replace(SAMPLE, **fields)

    unbelievable = name.startswith(NEVER_AN_ANSWER)
    return Misbehaviour(
        f"returns {name}", before_the_effect if unbelievable else None, after_the_effect
    )


def _changes_it_afterwards(stage: Stage, call: Call) -> Any:
    """Keeps the answer, and turns it into something else while the engine works with it."""
    data: dict[str, Any] = {"qr": "x"}
    answer = call()
    if not isinstance(answer, PaymentResult):
        return answer
    spoiled = replace(answer, next_action=NextAction("show_qr", data), metadata=data)
    settle = stage.store.settle

    def spoiling(*args: Any, **kwargs: Any) -> Any:
        data["qr"] = object()
        data["self"] = data
        return settle(*args, **kwargs)

    stage.store.settle = spoiling  # type: ignore[method-assign]
    return spoiled


ANSWERING = [
    *(_answers(name, make) for name, make in GARBAGE.items()),
    *(_spoils(name, fields) for name, fields in FIELDS.items()),
    Misbehaviour("changes its answer afterwards", None, _changes_it_afterwards),
]
