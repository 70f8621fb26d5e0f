"""A thousand payments whose gateway went its own way are all found, of a thousand others none."""

from __future__ import annotations

import pytest

from omniman_payment_core.records import NewDirective
from omniman_payment_django.models import Flag, Payment

from .books import STRAYS, drift
from .lives import LIVES, SOUND

PAYMENTS = 1000


@pytest.mark.parametrize("lists", [True, False], ids=["listed", "one by one"])
def test_whatever_drifts_is_found_and_healed_or_shown_and_nothing_else(
    sqlite_database: object, lists: bool
) -> None:
    told = drift(PAYMENTS, seed=20261123, lists=lists)
    assert told.wrong == []
    assert (told.found, told.sound, told.strays) == (PAYMENTS, PAYMENTS, PAYMENTS // STRAYS)
    assert all(told.kinds[str(life)] >= 10 for life in (*LIVES, *SOUND)), told.kinds
    strays = Flag.objects.filter(kind="unknown_transaction").count()
    assert strays == (PAYMENTS // STRAYS if lists else 0)


def test_books_that_are_not_put_right_are_noticed(
    sqlite_database: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The campaign's own check: a shop that answers every difference with nothing."""
    monkeypatch.setattr(
        "omniman_payment_django.reconciling.insisting.sync_of",
        lambda order_ref, payment_id: _nothing(order_ref),
    )
    told = drift(40, seed=1, lists=True)
    assert any("here, " in each for each in told.wrong), told.wrong
    assert Payment.objects.filter(next_check_at__isnull=False).exists()


def _nothing(order_ref: str) -> NewDirective:
    return NewDirective("shop.nothing", order_ref, {})
