"""The databases that the campaign kills: a SQLite file, and a PostgreSQL server of its own."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Protocol

from omniman_payment_django import sqlite


class Database(Protocol):
    """What the workers work on."""

    vendor: str
    settings: dict[str, Any]


class SqliteFile:
    """A file in WAL mode, every commit on the disk before it is told."""

    vendor = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "shop.sqlite3"
        self.settings: dict[str, Any] = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(self.path),
            "OPTIONS": dict(sqlite.OPTIONS),
        }


def integrity_of(path: Path) -> str:
    """``ok``, or what SQLite finds wrong with a file."""
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()
