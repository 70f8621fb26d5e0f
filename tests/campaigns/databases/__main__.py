"""``python -m tests.campaigns.databases``: every fault at every place, once and from there on."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import django


@contextmanager
def _database(vendor: str, folder: Path) -> Iterator[Callable[[], None]]:
    from tests import databases

    from .ground import emptier

    blank = folder / "template.sqlite3"
    if vendor == "sqlite":
        settings = databases.sqlite_settings(blank)
        with databases.default_is(settings):
            databases.migrate()
            yield emptier(databases.Database(vendor, settings), folder)
        return
    serve = contextmanager(databases.served)
    with serve(folder / "data") as settings, databases.default_is(settings):
        yield emptier(databases.Database(vendor, settings), folder)


def main() -> int:
    """Walk; 1 when an end was another one than without a fault."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.campaigns.databases", description=__doc__
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--all-statements", action="store_true", help="also those that come again and again"
    )
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django_settings")
    django.setup()
    logging.disable(logging.CRITICAL)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        _database(asked.database, Path(folder)) as empty,
    ):
        return _walk(asked.database, empty, everywhere=asked.all_statements)


def _walk(vendor: str, empty: Callable[[], None], *, everywhere: bool) -> int:
    from .faults import FAULTS
    from .ground import quick
    from .walk import BrokenError, undisturbed, walk

    def replace(name: str, value: object) -> None:
        mock.patch(name, value).start()

    broken = stories = 0
    with quick(replace):
        normal = undisturbed(empty)
        for fault in (fault for fault in FAULTS if fault.vendor == vendor):
            for lasting in (False, True):
                began = time.monotonic()
                places = normal.places(fault)
                if everywhere and not fault.at_commit:
                    places = list(range(1, len(normal.statements) + 1))
                for place in places:
                    try:
                        stories += walk(fault, normal, empty, [place], lasting=lasting)
                    except BrokenError as error:
                        broken += 1
                        print(error, file=sys.stderr)
                how = "from there on" if lasting else "once"
                took = time.monotonic() - began
                print(f"{fault.name}, {how}: {len(places)} places, {took:.0f} s", flush=True)
    print(f"{stories} stories, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
