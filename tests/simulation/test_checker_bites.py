"""The simulation is worth its silence: each way of getting it wrong is found within seconds.

Every mutant undoes one rule of the design. A schedule or a history that breaks an invariant,
or that the store itself refuses to write, has found it; an error of the mutant's own has not.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from omniman_payment_core.decisions import operations
from omniman_payment_core.engine.engine import Limits

from .mutants.catalogue import MUTANTS
from .mutants.hunting import DiedOfItself, Mutant, Survived, hunt
from .mutants.seams import NoSuchSeam, replace, rewrite


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_rule_is_found(
    mutant: Mutant,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    mutant.undo(monkeypatch)
    death = hunt(mutant)
    record_property("found by", death.where)
    record_property("invariant", death.invariant)


def test_there_are_enough_mutants_and_each_says_what_it_breaks() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40
    assert all(mutant.rule for mutant in MUTANTS)


def harmless(patch: pytest.MonkeyPatch) -> None:
    """Nothing is changed."""


def mistyped(patch: pytest.MonkeyPatch) -> None:
    """A mutant that cannot run."""
    rewrite(patch, operations.send, ("window = terms.registration", "window = term.registration"))


def test_what_breaks_no_rule_survives() -> None:
    with pytest.raises(Survived):
        hunt(Mutant(harmless, ("charge",), ("full",)), histories=20)


def test_a_mutant_that_dies_of_its_own_error_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mistyped(monkeypatch)
    with pytest.raises(DiedOfItself, match="term"):
        hunt(Mutant(mistyped, ("charge",), ("full",)))


def test_a_mutant_whose_target_has_gone_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoSuchSeam):
        rewrite(monkeypatch, operations.send, ("a text that is not there", ""))
    with pytest.raises(NoSuchSeam):
        replace(monkeypatch, harmless, None)


def test_the_lease_outlives_the_call_budget_twice() -> None:
    limits = Limits()
    assert limits.lease >= 2 * limits.call_budget
    assert limits.lease - limits.call_budget > timedelta()
