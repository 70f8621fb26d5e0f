"""Failures of a real database, made to happen at a chosen statement or commit.

On PostgreSQL the server itself raises them, so that the transaction is broken as it would be, and
a lost connection is one that the server has ended. SQLite's are raised with its own error codes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connections

Execute = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong. ``at_commit`` is "before" or "after" for one that meets a commit."""

    name: str
    vendor: str
    strike: Callable[[Any], None]
    at_commit: str = ""


def _raised_by_the_server(sqlstate: str) -> Callable[[Any], None]:
    def strike(connection: Any) -> None:
        statement = f"DO $$ BEGIN RAISE EXCEPTION 'made' USING ERRCODE = '{sqlstate}'; END $$"
        with connection.wrap_database_errors:
            connection.connection.execute(statement)

    return strike


def _ended_by_the_server(connection: Any) -> None:
    with connection.wrap_database_errors:
        connection.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def _raised_by_sqlite(code: int, message: str) -> Callable[[Any], None]:
    def strike(connection: Any) -> None:
        error = sqlite3.OperationalError(message)
        error.sqlite_errorcode = code
        with connection.wrap_database_errors:
            raise error

    return strike


_BUSY = _raised_by_sqlite(sqlite3.SQLITE_BUSY, "database is locked")
_FULL = _raised_by_sqlite(sqlite3.SQLITE_FULL, "database or disk is full")
_IOERR = _raised_by_sqlite(sqlite3.SQLITE_IOERR, "disk I/O error")

FAULTS = (
    Fault("locked", "sqlite", _BUSY),
    Fault("full", "sqlite", _FULL),
    Fault("unreadable", "sqlite", _IOERR),
    Fault("read only", "sqlite", _raised_by_sqlite(sqlite3.SQLITE_READONLY, "readonly database")),
    Fault("locked at commit", "sqlite", _BUSY, at_commit="before"),
    Fault("full at commit", "sqlite", _FULL, at_commit="before"),
    Fault("acknowledgement lost", "sqlite", _IOERR, at_commit="after"),
    Fault("serialization failure", "postgresql", _raised_by_the_server("40001")),
    Fault("deadlock", "postgresql", _raised_by_the_server("40P01")),
    Fault("full", "postgresql", _raised_by_the_server("53100")),
    Fault("read only", "postgresql", _raised_by_the_server("25006")),
    Fault("connection ended", "postgresql", _ended_by_the_server),
    Fault("connection ended at commit", "postgresql", _ended_by_the_server, at_commit="before"),
    Fault("acknowledgement lost", "postgresql", _ended_by_the_server, at_commit="after"),
)


class Injector:
    """Counts what a connection does, and lets the fault strike at ``place`` (from 1 on).

    With ``lasting`` it strikes from there on until :meth:`heal`.
    """

    def __init__(self, fault: Fault | None, place: int, *, lasting: bool = False) -> None:
        self._fault = fault
        self._place = place
        self._lasting = lasting
        self._healed = False
        self.statements: list[str] = []
        self.commits = 0
        self.struck = 0

    @contextmanager
    def watching(self, alias: str = "default") -> Iterator[None]:
        """Count, and strike, while the block lasts."""
        connection = connections[alias]
        commit = connection._commit

        def committing() -> None:
            self.commits += 1
            self._strike(connection, "before", self.commits)
            commit()
            self._strike(connection, "after", self.commits)

        def executing(execute: Execute, sql: str, params: Any, many: bool, context: Any) -> Any:
            self.statements.append(sql)
            self._strike(connection, "", len(self.statements))
            return execute(sql, params, many, context)

        connection._commit = committing
        try:
            with connection.execute_wrapper(executing):
                yield
        finally:
            del connection._commit

    def heal(self) -> None:
        """A fault that lasts ends here."""
        self._healed = self._healed or self.struck > 0

    def _strike(self, connection: Any, at_commit: str, number: int) -> None:
        fault = self._fault
        if fault is None or fault.at_commit != at_commit or self._healed:
            return
        if number == self._place or (self._lasting and self.struck):
            self.struck += 1
            fault.strike(connection)
