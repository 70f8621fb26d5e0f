"""Mutants of the ledger, its projections, what people are told, and what happens next."""

from __future__ import annotations

import pytest

from omniman_payment_core import ledger
from omniman_payment_core.decisions import observing
from omniman_payment_core.decisions.draft import Draft
from omniman_payment_core.engine import engine
from omniman_payment_core.engine.telling import Teller

from .seams import replace, rewrite


def every_look_is_a_new_fact(patch: pytest.MonkeyPatch) -> None:
    """What the gateway shows is booked again each time it is seen."""
    rewrite(
        patch,
        observing._captured,
        ("(totals.captured_q or 0) - payment.captured_q", "totals.captured_q or 0"),
        ('f"{payment.id}:captured:{total}"', 'f"{payment.id}:captured:{payment.version}"'),
    )


def sum_without_a_fact(patch: pytest.MonkeyPatch) -> None:
    """A payment's sums are changed, and the ledger does not say why."""
    rewrite(
        patch,
        Draft.record,
        ("self._events.append(event)", "self._events += [event][: kind != EventKind.CAPTURED]"),
    )


def fact_is_written_twice(patch: pytest.MonkeyPatch) -> None:
    """A fact's key belongs to its writing, so that it stands in the ledger twice."""
    rewrite(
        patch,
        Draft.record,
        (
            "self._events.append(event)",
            "self._events += [event, Event(event.payment_id, kind, amount_q, dedupe_key + '-',"
            " event.source, event.actor, event.at)]",
        ),
    )


def summary_is_not_rebuilt(patch: pytest.MonkeyPatch) -> None:
    """The order goes on showing what was."""
    rewrite(patch, Draft.changes, ("summary = summary_of(payment)", "summary = None"))


def trigger_fires_again(patch: pytest.MonkeyPatch) -> None:
    """An order is moved on each time its payment comes by a status."""
    rewrite(patch, ledger.trigger_of, ("trigger in payment.fired", "False"))


def part_counts_as_all(patch: pytest.MonkeyPatch) -> None:
    """An order is paid as soon as anything was paid."""
    rewrite(
        patch,
        ledger.status_of,
        ("S.CAPTURED if payment.captured_q >= due else S.PARTIALLY_CAPTURED", "S.CAPTURED"),
    )


def parked_without_a_flag(patch: pytest.MonkeyPatch) -> None:
    """A directive waits for a person whom nobody tells."""
    rewrite(patch, Draft.park, ("self.flag(kind, message)", "pass"))


def nobody_looks_again(patch: pytest.MonkeyPatch) -> None:
    """A payment that waits is never looked at by itself."""
    replace(patch, Draft._schedule, lambda self, payment, before, last: None)


def knock_during_a_look_is_lost(patch: pytest.MonkeyPatch) -> None:
    """A notification that comes while the gateway is being read counts as read."""
    replace(patch, engine._run_again_if_woken, lambda changes, case, work, now: changes)


def told_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """Observers hear of a change that may still be rolled back."""
    rewrite(
        patch,
        engine.Engine._decide,
        (
            "return decide(case, self._directory, self._moment(now), self.rules)",
            "changes = decide(case, self._directory, self._moment(now), self.rules)\n"
            "        self._teller.committed([Written(case, changes)])\n"
            "        return changes",
        ),
    )


def notice_is_forgotten_first(patch: pytest.MonkeyPatch) -> None:
    """A change counts as told before it is, so that a crash in between tells nobody."""
    rewrite(
        patch,
        Teller.changed,
        ("for change in changes:\n", "self._store.told(changes)\n    for change in changes:\n"),
    )


def nobody_tells_again(patch: pytest.MonkeyPatch) -> None:
    """What a worker died over telling stays untold."""
    rewrite(
        patch,
        engine.Engine.maintain,
        ("self._teller.changed(self.store.untold(self.limits.retell_after, limit))", "pass"),
    )
