"""Backends that raise: every kind of exception, and exceptions that are traps themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omniman_payment_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    RateLimitedError,
    TransactionNotFoundError,
)

from .stage import CARD, SECRET, Call, Misbehaviour, Stage


class Speechless(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words")

    __repr__ = __str__


class Endless(Exception):
    """Says what it is by asking itself."""

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return str(self)


class Exiting(Exception):
    """Ends the process when it is asked what it is."""

    def __str__(self) -> str:
        raise SystemExit(3)


class EvilText(str):
    """A text that hits back when it is looked at."""

    def _no(self, *_: object, **__: object) -> Any:
        raise RuntimeError("do not touch")

    __len__ = __contains__ = __getitem__ = __iter__ = __eq__ = __format__ = _no
    __hash__ = str.__hash__
    isprintable = encode = upper = strip = splitlines = replace = _no


class Barbed(Exception):
    """Says what it is in a text that hits back."""

    def __str__(self) -> str:
        return EvilText("barbed")


class Nameless(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("no name")


class FromNowhere(Exception, metaclass=Nameless):
    """Its class cannot be named."""

    __module__ = "no.such.module"


class Masked(Exception):
    """Raises when it is asked for its class."""

    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(4)


class Trapped(RateLimitedError):
    """Not attempted, by its class; a trap, by its attribute."""

    def __getattribute__(self, name: str) -> Any:
        if name == "retry_after":
            raise SystemExit(5)
        return super().__getattribute__(name)


class Unpicklable(Exception):
    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("cannot be pickled")


def _looped() -> BaseException:
    one, two = RuntimeError("one"), RuntimeError("two")
    one.__cause__, two.__cause__ = two, one
    return one


def _deep() -> BaseException:
    error: BaseException = RuntimeError("the first")
    for _ in range(5000):
        outer = RuntimeError("another")
        outer.__context__ = error
        error = outer
    return error


def _recursing() -> BaseException:
    def down() -> Any:
        return down()

    try:
        down()
    except RecursionError as error:
        return error
    raise AssertionError("unreachable")


UNKNOWN: dict[str, Callable[[], BaseException]] = {
    "BaseException": lambda: BaseException("base"),
    "Exception": lambda: Exception("plain"),
    "SystemExit": lambda: SystemExit(1),
    "KeyboardInterrupt": KeyboardInterrupt,
    "GeneratorExit": GeneratorExit,
    "StopIteration": lambda: StopIteration(5),
    "StopAsyncIteration": StopAsyncIteration,
    "MemoryError": MemoryError,
    "RecursionError": _recursing,
    "AssertionError": lambda: AssertionError("no"),
    "TimeoutError": TimeoutError,
    "ConnectionResetError": lambda: ConnectionResetError(104, "reset"),
    "OSError of a full disk": lambda: OSError(28, "No space left on device"),
    "NotImplementedError": NotImplementedError,
    "KeyError": lambda: KeyError("id"),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    "an exception group": lambda: BaseExceptionGroup("two", [SystemExit(1), ValueError("b")]),
    "an outcome that is unknown": lambda: OutcomeUnknownError("timeout"),
    "a transaction that is not found": lambda: TransactionNotFoundError("none"),
    "an exception without words": Speechless,
    "an exception of endless words": Endless,
    "an exception that exits": Exiting,
    "an exception whose words hit back": Barbed,
    "an exception class without a name": lambda: FromNowhere("x"),
    "an exception without a class": Masked,
    "an exception that cannot be pickled": lambda: Unpicklable("x"),
    "an exception of 10 MB": lambda: RuntimeError("x" * 10_000_000),
    "an exception that tells secrets": lambda: RuntimeError(f"key {SECRET}, card {CARD}\r\nINFO x"),
    "an exception with secrets in its attributes": lambda: RuntimeError({"key": SECRET}, SECRET),
    "an exception of lone surrogates": lambda: RuntimeError("\ud800\x00\x1b[2J"),
    "an exception that causes itself": _looped,
    "an exception of 5000 contexts": _deep,
}

CERTAINLY_NOT: dict[str, Callable[[], BaseException]] = {
    "not attempted": lambda: NotAttemptedError("refused at the door"),
    "rate limited": lambda: RateLimitedError("busy", retry_after=60),
    "rate limited for ages": lambda: RateLimitedError("busy", retry_after=10**30),
    "rate limited by a trap": Trapped,
    "an invalid request": lambda: InvalidRequestError(f"bad key {SECRET}"),
    "a configuration error": lambda: ConfigurationError("wrong key"),
}
"""What a backend may only say of a call that had no effect."""


def _raises(name: str, make: Callable[[], BaseException], *, after: bool) -> Misbehaviour:
    def before_the_effect(stage: Stage, call: Call) -> Any:
        raise make()

    def after_the_effect(stage: Stage, call: Call) -> Any:
        call()
        raise make()

    return Misbehaviour(f"raises {name}", before_the_effect, after_the_effect if after else None)


RAISING = [
    *(_raises(name, make, after=True) for name, make in UNKNOWN.items()),
    *(_raises(name, make, after=False) for name, make in CERTAINLY_NOT.items()),
]
