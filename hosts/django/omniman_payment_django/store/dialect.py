"""What differs between databases, as the store needs it: values, batches and locks."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

import orjson
from django.db.backends.utils import CursorWrapper

from .tables import Column, Table

Row = tuple[Any, ...]


class Dialect(Protocol):
    """One kind of database. Rows hold what :meth:`time` and :meth:`json` made of their values."""

    def time(self, value: datetime | None) -> Any:
        """A moment as a row holds it."""
        ...

    def json(self, value: Any) -> Any:
        """A JSON value as a row holds it."""
        ...

    def read_time(self, raw: Any) -> datetime | None:
        """A moment from a selected column."""
        ...

    def selected(self, column: Column, alias: str = "") -> str:
        """The column in a ``SELECT``, so that nobody converts it before we do."""
        ...

    def among(self, column: str) -> str:
        """The condition that a column is one of a parameter's values; see :meth:`several`."""
        ...

    def several(self, values: Collection[Any]) -> Any:
        """The parameter for :meth:`among`."""
        ...

    def inserting(self, table: Table, conflict: str = "") -> str:
        """An ``INSERT`` of rows, for :meth:`run` and :meth:`run_one`."""
        ...

    def updating(
        self,
        table: Table,
        *,
        keys: int = 1,
        keep: str = "",
        merge: str = "",
        also: Sequence[str] = (),
    ) -> str:
        """An ``UPDATE`` by the table's last columns, for :meth:`run`.

        The field ``keep`` stays as it is where a row has ``None``. With ``merge`` JSON columns
        get a new entry of that name and keep the others. ``also`` is more to set.
        """
        ...

    def run(self, cursor: CursorWrapper, statement: str, table: Table, rows: Sequence[Row]) -> int:
        """One statement for all rows; says how many were touched."""
        ...

    def run_one(self, cursor: CursorWrapper, statement: str, table: Table, row: Row) -> None:
        """The statement for one row, whose ``RETURNING`` can be fetched."""
        ...

    def begin(self, cursor: CursorWrapper) -> None:
        """Whatever the first statement of a writing transaction has to be."""
        ...

    def now(self, cursor: CursorWrapper) -> datetime:
        """The store's clock."""
        ...

    def lock_orders(self, cursor: CursorWrapper, refs: Sequence[str]) -> None:
        """Wait until no other transaction of a store is about these orders."""
        ...

    lock_free: str
    """In a ``SELECT`` list: whether the lock on ``order_ref`` was free, and is now ours."""

    def lock_rows(self, alias: str, *, wait: bool = True) -> str:
        """The end of a ``SELECT`` that locks the rows it finds, or those nobody else has."""
        ...

    def is_transient(self, error: Exception) -> bool:
        """Whether the same transaction may succeed if it is run again."""
        ...


def plain(value: Any) -> Any:
    """What ``json`` cannot write by itself: other mappings and sequences."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (tuple, frozenset, set)):
        return list(value)
    raise TypeError(f"a {type(value).__name__} cannot be stored as JSON")


def dumps(value: Any) -> str:
    """Compact JSON without what no database can store (NUL, lone surrogates)."""
    if not value and type(value) is dict:
        return "{}"
    if type(value) is tuple:
        return _short(value)
    return _written(value)


def _written(value: Any) -> str:
    try:
        text = orjson.dumps(value, plain, _AS_JSON_DOES).decode()
    except TypeError:
        # What orjson is too strict for: a lone surrogate, a number beyond 64 bits, a key that is
        # no text. If it cannot be JSON at all, this says so.
        text = _ENCODER.encode(value)
    return _ESCAPES.sub(_storable, text) if "\\u0000" in text or "\\ud" in text else text


@lru_cache(maxsize=256)
def _short(value: tuple[str, ...]) -> str:
    """The triggers that have fired: a handful of combinations, written all the time."""
    return _written(value)


_AS_JSON_DOES = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=plain)
_ESCAPES = re.compile(r"\\(?:u(d[89ab]..\\ud[c-f]..)|u(....)|.)")


def _storable(match: re.Match[str]) -> str:
    code = match[2]
    if code is not None and (code == "0000" or "d8" <= code[:2] <= "df"):
        return "\\ufffd"
    return match[0]


def storable_text(text: str) -> str:
    """A text without what no database can store."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")


def in_utc(value: datetime) -> datetime:
    """The same moment, in the one zone that records use."""
    return value if value.tzinfo is UTC else value.astimezone(UTC)
