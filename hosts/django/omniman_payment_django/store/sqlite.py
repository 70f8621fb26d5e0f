"""SQLite: one writer at a time, so a transaction that has begun to write has locked everything."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from .dialect import Row, dumps, in_utc, storable_text
from .tables import Column, Table


class SQLiteDialect:
    """``executemany`` for batches; times as Django writes them, in UTC without a zone."""

    lock_free = "1"

    def __init__(
        self, connection: BaseDatabaseWrapper, clock: Callable[[], datetime] | None = None
    ) -> None:
        if connection.timezone_name != "UTC":
            raise ImproperlyConfigured(
                f'DATABASES["{connection.alias}"]: remove "TIME_ZONE"; the payment tables need UTC'
            )
        self._clock = clock or _utc_now
        self._written: dict[datetime, str] = {}
        options = connection.settings_dict.get("OPTIONS") or {}
        mode = str(options.get("transaction_mode") or "").upper()
        self._begins_deferred = mode not in ("IMMEDIATE", "EXCLUSIVE")
        self._take_write_lock = (
            f"UPDATE {connection.ops.quote_name('omniman_payment_channel')} "
            f"SET id = id WHERE id IS NULL"
        )

    def time(self, value: datetime | None) -> str | None:
        if value is None:
            return None
        # Most moments of a batch are the same few: when it was written, when its holds lapse.
        text = self._written.get(value)
        if text is None:
            if len(self._written) > 256:
                self._written = {}
            text = str(value if value.tzinfo is UTC else value.astimezone(UTC))[:-6]
            self._written[value] = text
        return text

    def json(self, value: Any) -> str | None:
        return None if value is None else dumps(value)

    def read_time(self, raw: Any) -> datetime | None:
        return None if raw is None else datetime.fromisoformat(raw + "+00:00")

    def selected(self, column: Column, alias: str = "") -> str:
        # The sign does nothing but hide the declared type, which Django would convert by.
        return f"+{alias}{column.sql}" if column.is_time else f"{alias}{column.sql}"

    def among(self, column: str) -> str:
        return f"{column} IN (SELECT value FROM json_each(%s))"

    def several(self, values: Collection[Any]) -> str:
        return dumps(list(values))

    def inserting(self, table: Table, conflict: str = "") -> str:
        marks = ", ".join(["%s"] * len(table.columns))
        return f"INSERT INTO {table.sql} ({table.names()}) VALUES ({marks}) {conflict}"

    def updating(
        self,
        table: Table,
        *,
        keys: int = 1,
        keep: str = "",
        merge: str = "",
        also: Sequence[str] = (),
    ) -> str:
        def value(column: Column) -> str:
            if column.name == keep:
                return f"COALESCE(%s, t.{column.sql})"
            if merge and column.is_json:
                return f"json_set(t.{column.sql}, '$.{merge}', json(%s))"
            return "%s"

        changed, found = table.columns[:-keys], table.columns[-keys:]
        changes = [f"{column.sql} = {value(column)}" for column in changed]
        where = " AND ".join(f"t.{column.sql} = %s" for column in found)
        return f"UPDATE {table.sql} AS t SET {', '.join([*changes, *also])} WHERE {where}"

    def run(self, cursor: CursorWrapper, statement: str, table: Table, rows: Sequence[Row]) -> int:
        try:
            cursor.executemany(statement, rows)
        except UnicodeEncodeError:
            cursor.executemany(statement, [_storable(row) for row in rows])
        return int(cursor.rowcount)

    def run_one(self, cursor: CursorWrapper, statement: str, table: Table, row: Row) -> None:
        cursor.execute(statement, row)

    def begin(self, cursor: CursorWrapper) -> None:
        # A transaction that reads first and writes later can find that somebody else wrote.
        if self._begins_deferred:
            cursor.execute(self._take_write_lock)

    def now(self, cursor: CursorWrapper) -> datetime:
        return in_utc(self._clock())

    def lock_rows(self, alias: str, *, wait: bool = True) -> str:
        return ""

    def lock_orders(self, cursor: CursorWrapper, refs: Sequence[str]) -> None:
        """The database is ours already."""

    def is_transient(self, error: Exception) -> bool:
        code = getattr(error.__cause__, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _storable(row: Row) -> Row:
    return tuple(storable_text(value) if isinstance(value, str) else value for value in row)
