"""All that a shop leaves behind: rows, log lines, answers, output, reprs and errors."""

from __future__ import annotations

import gc
import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from .canaries import Leak, Search

BY_DESIGN = {
    "omniman_payment_directive": ("payload",),
    "omniman_payment_session": ("data",),
}
"""Where the shop's own words about the payer are kept, to be handed to the gateway."""


OURS = tuple(f"omniman_payment_{name}" for name in ("core", "django", "stripe", "efi", "mock"))


class Evidence:
    """Collects texts under the name of the place where somebody could read them."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.texts: list[tuple[str, str, bool]] = []

    def add(self, place: str, text: object, *, personal: bool = True) -> None:
        """``personal``: the place must not show payers either."""
        self.texts.append((place, text if isinstance(text, str) else repr(text), personal))

    def add_error(self, place: str, error: BaseException) -> None:
        """What a log or an error tracker would show, causes and their arguments included."""
        self.add(place, "".join(traceback.format_exception(error)))
        seen: BaseException | None = error
        while seen is not None:
            self.add(place, f"{seen!r} {seen.args!r} {vars(seen)!r}")
            seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)

    def add_database(self) -> None:
        """Every column of every row of every table."""
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names(cursor)
            for table in tables:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                columns = [column[0] for column in cursor.description]
                for row in cursor.fetchall():
                    for column, value in zip(columns, row, strict=True):
                        personal = column not in BY_DESIGN.get(table, ())
                        self.add(f"{table}.{column}", _readable(value), personal=personal)

    def add_objects(self) -> None:
        """How everything of ours that is alive in this process shows itself.

        Not the simulators, which are somebody else's; not errors, which say what was put into
        them and are looked at where they are logged or raised.
        """
        for found in gc.get_objects():
            kind = type(found)
            package = str(kind.__module__).partition(".")[0]
            if package in OURS and not issubclass(kind, BaseException):
                self.add(f"repr of {kind.__module__}.{kind.__qualname__}", _repr(found))

    def places(self) -> set[str]:
        """Where something was looked at."""
        return {place for place, _, _ in self.texts}

    def leaks(self) -> list[Leak]:
        """Every canary that was seen."""
        distinct = dict.fromkeys(self.texts)
        return [
            leak
            for place, text, personal in distinct
            for leak in self.search.leaks(place, text, personal=personal)
        ]


def _readable(value: object) -> str:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("latin-1")
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:
        return ""


class _Keeper(logging.Handler):
    def __init__(self, evidence: Evidence) -> None:
        super().__init__(logging.DEBUG)
        self._evidence = evidence
        self._written = logging.Formatter("%(asctime)s %(name)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        # Django's log of statements shows rows; it is off unless somebody wants them.
        personal = not record.name.startswith("django.db")
        place = f"log {record.name}"
        self._evidence.add(place, self._written.format(record), personal=personal)
        extra = {name: value for name, value in vars(record).items() if name != "exc_info"}
        self._evidence.add(place, _repr(extra), personal=personal)
        if record.exc_info and isinstance(record.exc_info[1], BaseException):
            self._evidence.add_error(place, record.exc_info[1])


@contextmanager
def logs_into(evidence: Evidence) -> Iterator[None]:
    """Every record of every logger, from DEBUG up."""
    root, keeper = logging.getLogger(), _Keeper(evidence)
    level, disabled = root.level, logging.root.manager.disable
    logging.disable(logging.NOTSET)
    root.setLevel(logging.DEBUG)
    root.addHandler(keeper)
    named = [each for each in logging.root.manager.loggerDict.values() if _is_set(each)]
    levels: list[tuple[Any, int, bool]] = [(e, e.level, e.propagate) for e in named]  # type: ignore[union-attr]
    for logger, _, _ in levels:
        logger.setLevel(logging.NOTSET)
        logger.propagate = True
    try:
        yield
    finally:
        for logger, before, propagate in levels:
            logger.setLevel(before)
            logger.propagate = propagate
        root.removeHandler(keeper)
        root.setLevel(level)
        logging.disable(disabled)


def _is_set(logger: object) -> bool:
    return isinstance(logger, logging.Logger) and (
        logger.level != logging.NOTSET or not logger.propagate
    )
