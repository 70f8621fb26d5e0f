"""Where the story is told: a database that can be made empty again, and no pauses."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections
from django.test import override_settings

from tests.databases import Database, empty_tables


def emptier(database: Database, folder: Path) -> Callable[[], None]:
    """Makes the database as it is now; the ledger refuses to be emptied row by row."""
    if database.vendor == "postgresql":
        return empty_tables
    path, blank = Path(database.settings["NAME"]), folder / "blank.sqlite3"
    connections["default"].close()
    shutil.copy(path, blank)

    def copy_over() -> None:
        connections["default"].close()
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        shutil.copy(blank, path)

    return copy_over


@contextmanager
def quick(replace: Callable[[str, object], None]) -> Iterator[None]:
    """The webhook's route is there, and nobody sleeps between two tries of a transaction."""
    replace("omniman_payment_django.store.database.FIRST_PAUSE", 0.0)
    with override_settings(ROOT_URLCONF="tests.django_web.urls"):
        yield
