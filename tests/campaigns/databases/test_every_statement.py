"""Whatever the database does at whichever statement or commit, everything ends as without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from omniman_payment_django.store import database as store_database
from tests.databases import Database

from .faults import FAULTS
from .ground import emptier, quick
from .story import NeverDoneError
from .walk import BrokenError, undisturbed, walk

SHARES = 6
"""In each test a sixth of the places, another one for each fault; all of them, and both ways
everywhere, by ``python -m tests.campaigns.databases``."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with quick(monkeypatch.setattr):
        yield


@pytest.fixture
def empty(database: Database, tmp_path: Path) -> Callable[[], None]:
    return emptier(database, tmp_path)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from there on"])
@pytest.mark.parametrize("number", range(7))
def test_a_fault_at_any_statement_or_commit_changes_no_end(
    database: Database, empty: Callable[[], None], number: int, lasting: bool
) -> None:
    fault = [fault for fault in FAULTS if fault.vendor == database.vendor][number]
    normal = undisturbed(empty)
    share = (number * 2 + lasting) % SHARES
    places = normal.places(fault)[share::SHARES]
    assert len(places) > 5
    assert walk(fault, normal, empty, places, lasting=lasting) == len(places)


def test_a_place_past_the_end_of_the_story_is_none(
    database: Database, empty: Callable[[], None]
) -> None:
    """So counting has found all of them."""
    normal = undisturbed(empty)
    for fault in (fault for fault in FAULTS if fault.vendor == database.vendor):
        last = normal.commits if fault.at_commit else len(normal.statements)
        assert walk(fault, normal, empty, [last + 1]) == 0


def test_a_store_that_writes_piece_by_piece_is_found(
    database: Database, empty: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk is worth its silence: without transactions it finds a broken end at once."""
    normal = undisturbed(empty)
    fault = next(f for f in FAULTS if (f.vendor, f.name) == (database.vendor, "full"))

    def piecemeal(self: Any, work: Callable[[Any], Any]) -> Any:
        with self.connection.cursor() as cursor:
            return work(cursor)

    monkeypatch.setattr(store_database.Database, "_once", piecemeal)
    with pytest.raises((BrokenError, NeverDoneError)):
        walk(fault, normal, empty, normal.places(fault))
