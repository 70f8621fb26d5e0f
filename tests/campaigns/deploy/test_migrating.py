"""The real migrations, run under rows in flight: what an older version began ends under this."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections

from omniman_payment_django import sqlite
from tests.databases import default_is

from .site import Site
from .states import STATES, State
from .test_in_flight import HOURS, ended_well, nothing_was_rerouted

FIRST = "0001_initial"
NEEDS_NEWER_TABLES = {"a reconciliation half done"}
"""What the first version could not come to."""


def settings_of(path: Path) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": dict(sqlite.OPTIONS),
    }


@pytest.fixture(scope="module")
def first_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as the first migration left it."""
    path = tmp_path_factory.mktemp("first") / "template.sqlite3"
    with default_is(settings_of(path)):
        call_command("migrate", "omniman_payment", FIRST, verbosity=0, skip_checks=True)
        connections["default"].close()
    return path


@pytest.fixture
def site(first_version: Path, tmp_path: Path) -> Iterator[Site]:
    path = tmp_path / "database.sqlite3"
    shutil.copy(first_version, path)
    with default_is(settings_of(path)):
        site = Site()
        yield site
        site.close()


def migrate(site: Site) -> None:
    """The new version's first step, with whatever the old one left."""
    call_command("migrate", verbosity=0, skip_checks=True)


@pytest.mark.parametrize("state", [s for s in STATES if s.name not in NEEDS_NEWER_TABLES], ids=str)
def test_what_an_older_version_began_ends_after_all_migrations(site: Site, state: State) -> None:
    state.enter(site)
    migrate(site)
    site.work(0)
    state.leave(site)
    site.work(*HOURS)
    ended_well(site, state)
    nothing_was_rerouted(site)


def test_a_worker_that_was_not_replaced_yet_works_on_after_the_migrations(site: Site) -> None:
    old = site.engine
    by_name = {state.name: state for state in STATES}
    state = by_name["a capture that is answered and not settled"]
    state.enter(site)
    migrate(site)
    for minutes in (0, 2, 10, 70):
        site.work(minutes)
        assert site.engine is old
    ended_well(site, state)
