"""PostgreSQL: one statement for each table and batch, rows as one JSON parameter.

psycopg writes one text parameter at C speed, where arrays would be put together value by value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.backends.utils import CursorWrapper

from .dialect import Row, dumps, in_utc
from .tables import Column, Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_LOCK_SPACE = 0x6F6D
"""Keeps our advisory locks apart from those of others in the same database."""

_TRANSIENT = frozenset({"40001", "40P01", "55P03"})


class PostgresDialect:
    """Orders are locked by reference, so that also one that does not exist has a single worker."""

    lock_free = f"pg_try_advisory_xact_lock({_LOCK_SPACE}, hashtext(order_ref))"

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self._clock = clock
        self._written: tuple[datetime | None, str] = (None, "")

    def time(self, value: datetime | None) -> str | None:
        if value is None:
            return None
        # Most moments of a batch are the one it was written at.
        known, text = self._written
        if value is not known:
            text = value.isoformat()
            self._written = (value, text)
        return text

    def json(self, value: Any) -> Any:
        return value

    def read_time(self, raw: Any) -> datetime | None:
        return None if raw is None else _EPOCH + timedelta(microseconds=raw)

    def selected(self, column: Column, alias: str = "") -> str:
        # As a number a moment is exact, and skips the time zones that Django would load it by.
        if column.is_time:
            return f"(extract(epoch FROM {alias}{column.sql}) * 1000000)::bigint"
        return f"{alias}{column.sql}"

    def among(self, column: str) -> str:
        return f"{column} = ANY(%s)"

    def several(self, values: Collection[Any]) -> list[Any]:
        return list(values)

    def inserting(self, table: Table, conflict: str = "") -> str:
        names = table.names()
        return f"INSERT INTO {table.sql} ({names}) SELECT {names} FROM {_rows(table)} {conflict}"

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
                return f"COALESCE(r.{column.sql}, t.{column.sql})"
            if merge and column.is_json:
                return f"t.{column.sql} || jsonb_build_object('{merge}', r.{column.sql})"
            return f"r.{column.sql}"

        changed, found = table.columns[:-keys], table.columns[-keys:]
        changes = ", ".join([f"{column.sql} = {value(column)}" for column in changed] + [*also])
        where = " AND ".join(f"t.{column.sql} = r.{column.sql}" for column in found)
        return f"UPDATE {table.sql} AS t SET {changes} FROM {_rows(table)} WHERE {where}"

    def run(self, cursor: CursorWrapper, statement: str, table: Table, rows: Sequence[Row]) -> int:
        keys = table.keys
        cursor.execute(statement, (dumps([dict(zip(keys, row, strict=True)) for row in rows]),))
        return int(cursor.rowcount)

    def run_one(self, cursor: CursorWrapper, statement: str, table: Table, row: Row) -> None:
        self.run(cursor, statement, table, (row,))

    def begin(self, cursor: CursorWrapper) -> None:
        """Reading locks what is going to be written."""

    def now(self, cursor: CursorWrapper) -> datetime:
        if self._clock is not None:
            return in_utc(self._clock())
        cursor.execute("SELECT clock_timestamp()")
        return in_utc(cursor.fetchone()[0])

    def lock_rows(self, alias: str, *, wait: bool = True) -> str:
        return f" FOR UPDATE OF {alias}" + ("" if wait else " SKIP LOCKED")

    def lock_orders(self, cursor: CursorWrapper, refs: Sequence[str]) -> None:
        # In the order of the keys: two workers with the same orders wait, and never for each other.
        cursor.execute(
            f"SELECT count(pg_advisory_xact_lock({_LOCK_SPACE}, key)) FROM "
            "(SELECT DISTINCT hashtext(ref) AS key FROM unnest(%s::text[]) AS ref ORDER BY 1) AS k",
            [list(refs)],
        )

    def is_transient(self, error: Exception) -> bool:
        return getattr(error.__cause__, "sqlstate", None) in _TRANSIENT


def _rows(table: Table) -> str:
    types = ", ".join(f"{column.sql} {column.type}" for column in table.columns)
    return f"jsonb_to_recordset(%s::jsonb) AS r({types})"
