"""A deployment in the middle of anything loses, doubles and re-routes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omniman_payment_django.models import Directive, Payment, PaymentOperation

from .changes import CHANGES, Change
from .site import REF, Release, Site
from .states import STATES, State

HOURS = (0.1, 2, 10, 70)
"""Minutes between the looks that find everything: a check waits an hour at most."""


@pytest.fixture
def site(sqlite_database: object) -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def ended_well(site: Site, state: State) -> None:
    far = site.far["one"]
    assert site.payment().status == state.status
    assert (far.held_q(REF), far.moved_q(REF)) == (state.held_q, state.moved_q)
    payment = site.payment()
    assert payment.captured_q - payment.refunded_q == state.moved_q
    assert len(far.transactions(REF)) == 1
    moved = [movement.key for movement in far.moved if movement.key]
    assert len(moved) == len(set(moved)), "money moved twice under one key"
    assert not Directive.objects.filter(status__in=["pending", "running", "parked"]).exists()
    assert not PaymentOperation.objects.filter(state__in=["planned", "sent", "parked"]).exists()
    assert site.failed() == []
    told = [change.status for change in site.told]
    assert told, "nobody was told of anything"
    assert told[-1] == state.status


def nothing_was_rerouted(site: Site) -> None:
    assert site.strangers() == []
    assert site.far["two"].transactions() == ()
    assert site.far["two"].moved == ()


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("state", STATES, ids=str)
def test_what_is_in_flight_survives_a_deployment(site: Site, state: State, change: Change) -> None:
    state.enter(site)
    known = list(Payment.objects.values_list("pk", "account", "fingerprint", "livemode"))
    change.make(site)
    if known:
        assert site.deliver() == change.webhook
        assert (change.complaint in site.complaints()) == bool(change.complaint)
    if change.goes_on:
        state.leave(site)
        site.work(*HOURS)
        ended_well(site, state)
    else:
        calls = len(site.calls)
        site.work(0.1, 2, 5)
        if change.complaint:
            assert len(site.calls) == calls, "a gateway was called without its account"
        assert site.failed() == []
    bound = list(Payment.objects.values_list("pk", "account", "fingerprint", "livemode"))
    assert bound[: len(known)] == known
    nothing_was_rerouted(site)
    change.back(site)
    assert site.complaints() == set()
    if not change.goes_on:
        state.leave(site)
    site.work(*HOURS)
    ended_well(site, state)
    nothing_was_rerouted(site)


@pytest.mark.parametrize("state", STATES, ids=str)
def test_old_and_new_workers_share_the_work_for_a_while(site: Site, state: State) -> None:
    state.enter(site)
    old = site.engine
    site.deploy(Release())
    state.leave(site)
    for _ in range(4):
        for engine in (old, site.engine):
            engine.maintain()
            taken = engine.claim(1).works
            engine.settle([engine.perform(work) for work in taken])
        site.work(2)
    site.work(*HOURS)
    ended_well(site, state)
    nothing_was_rerouted(site)
