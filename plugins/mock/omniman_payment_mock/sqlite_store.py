"""The far side's books in an SQLite file, so that several processes meet one gateway.

What a request did is on disk before its answer leaves, as at a real gateway: a process
that is killed loses its answer and nothing else.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from omniman_payment_core.errors import PaymentError

from .codec import (
    dump_answer,
    dump_movement,
    dump_transaction,
    load_answer,
    load_movement,
    load_transaction,
)
from .store import Remembered
from .transactions import Movement, Transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS transactions (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, order_ref TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS transactions_order ON transactions (order_ref);
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS movements (
    seq INTEGER PRIMARY KEY, order_ref TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS movements_order ON movements (order_ref);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
"""


class _Step(AbstractContextManager[None]):
    """A lock over threads and processes: one immediate transaction, re-entrant."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._threads = threading.RLock()
        self._depth = 0

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            if self._depth == 0:
                self._store.connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._threads.release()
            raise
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        try:
            if self._depth == 0:
                # A refusal is an answer: what the clock had brought before it stays.
                kept = kind is None or issubclass(kind, PaymentError)
                self._store.connection.execute("COMMIT" if kept else "ROLLBACK")
        finally:
            self._threads.release()


class SqliteStore:
    """Books in a file."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        self.lock: AbstractContextManager[Any] = _Step(self)

    @property
    def connection(self) -> sqlite3.Connection:
        """This process's connection: one that was inherited by a fork must not be used."""
        if self._connection is None or self._owner != os.getpid():
            connection = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode=WAL")
            # A killed process loses nothing with NORMAL; only a machine that loses power would.
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_SCHEMA)
            self._connection, self._owner = connection, os.getpid()
        return self._connection

    def get(self, transaction_id: str) -> Transaction | None:
        found = self._one("SELECT data FROM transactions WHERE id = ?", transaction_id)
        return None if found is None else load_transaction(found)

    def save(self, txn: Transaction) -> None:
        self.connection.execute(
            "INSERT INTO transactions (id, order_ref, data) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET data = excluded.data",
            (txn.id, txn.order_ref, dump_transaction(txn)),
        )

    def of_order(self, order_ref: str) -> Sequence[Transaction]:
        rows = self.connection.execute(
            "SELECT data FROM transactions WHERE order_ref = ? ORDER BY seq", (order_ref,)
        )
        return tuple(load_transaction(data) for (data,) in rows.fetchall())

    def all(self) -> Sequence[Transaction]:
        rows = self.connection.execute("SELECT data FROM transactions ORDER BY seq")
        return tuple(load_transaction(data) for (data,) in rows.fetchall())

    def recall(self, key: str) -> Remembered | None:
        found = self._one("SELECT data FROM answers WHERE key = ?", key)
        return None if found is None else load_answer(found)

    def remember(self, key: str, answer: Remembered) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO answers (key, data) VALUES (?, ?)", (key, dump_answer(answer))
        )

    def book(self, movement: Movement) -> None:
        self.connection.execute(
            "INSERT INTO movements (order_ref, data) VALUES (?, ?)",
            (movement.order_ref, dump_movement(movement)),
        )

    def movements(self, order_ref: str | None = None) -> Sequence[Movement]:
        rows = self.connection.execute(
            "SELECT data FROM movements WHERE ? IS NULL OR order_ref = ? ORDER BY seq",
            (order_ref, order_ref),
        )
        return tuple(load_movement(data) for (data,) in rows.fetchall())

    def bump(self, counter: str) -> int:
        row = self.connection.execute(
            "INSERT INTO counters (name, n) VALUES (?, 1)"
            " ON CONFLICT (name) DO UPDATE SET n = n + 1 RETURNING n",
            (counter,),
        ).fetchone()
        return int(row[0])

    def close(self) -> None:
        """Close this process's connection; the next use opens another."""
        if self._connection is not None and self._owner == os.getpid():
            self._connection.close()
        self._connection = None

    def _one(self, query: str, argument: str) -> str | None:
        row = self.connection.execute(query, (argument,)).fetchone()
        return None if row is None else str(row[0])
