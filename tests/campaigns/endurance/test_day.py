"""A day of virtual time: 5 % errors, six hours of outage, a deploy, poison; nothing piles up."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from omniman_payment_core.decisions import deciding
from omniman_payment_core.records import SCHEMA_VERSION, DirectiveStatus, EventKind, Topic

from .shop import REFUND_Q, REFUNDED, TOTAL_Q, EnduringShop

HOUR = timedelta(hours=1)
PATIENCE = timedelta(minutes=30)
"""What a lost answer, a late arrival and some attempts may take."""


@pytest.fixture(scope="module")
def day() -> EnduringShop:
    """Sold through a whole day; what has to hold on the way is checked on the way."""
    with pytest.MonkeyPatch.context() as patch:
        shop = EnduringShop()
        shop.pass_time(6 * HOUR)
        assert not shop.late(PATIENCE), "orders wait although the gateway answers"
        shop.down = True
        shop.pass_time(6 * HOUR)
        shop.down = False
        shop.pass_time(HOUR)
        # What was tried so often that it waits for a person is seldom, and said.
        flagged = {flag.order_ref for flag in shop.store.flags.values()}
        assert {d.order_ref for d in shop.late(PATIENCE)} <= flagged
        assert len(set(shop.person_settles_what_is_parked())) <= 3
        shop.pass_time(HOUR)
        assert not shop.late(PATIENCE), "the queue has not drained after the outage"
        shop.pass_time(2 * HOUR)
        ref = next(ref for ref in shop.orders if not shop.is_poison(ref))
        newer = shop.ask_in_the_next_version(Topic.REFUND, ref, {"amount_q": REFUND_Q})
        shop.pass_time(HOUR)
        assert shop.store.directives[newer].status == DirectiveStatus.PENDING
        assert not [r for r in shop.store.refunds.values() if r.id.startswith(ref)]
        patch.setattr(deciding, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
        shop.deploy()
        shop.pass_time(7 * HOUR)
        assert shop.store.directives[newer].status == DirectiveStatus.COMPLETED
        shop.pass_time(HOUR, selling=False)
    return shop


def sound(day: EnduringShop) -> list[str]:
    return [ref for ref in day.orders if not day.is_poison(ref)]


def test_every_order_but_poison_is_paid_once_to_the_cent(day: EnduringShop) -> None:
    assert len(day.orders) >= 450
    for ref in sound(day):
        refunded = int(ref[1:]) % REFUNDED == 0 or ref == sound(day)[0]
        assert day.gateway.moved_q(ref) == TOTAL_Q - (REFUND_Q if refunded else 0), ref


def test_poison_ends_before_a_person_and_keeps_nobody_waiting(day: EnduringShop) -> None:
    poison = [ref for ref in day.orders if day.is_poison(ref)]
    assert len(poison) >= 9
    flagged = {flag.order_ref for flag in day.store.flags.values()}
    assert flagged >= set(poison)
    assert not [d for d in day.open_directives() if d.order_ref in sound(day)]


def test_rows_are_as_many_as_predicted(day: EnduringShop) -> None:
    events = Counter(e.kind for e in day.store.events.values())
    refunds = sum(1 for d in day.store.directives.values() if d.topic == Topic.REFUND)
    poison = len(day.orders) - len(sound(day))
    assert events[EventKind.OPENED] == len(day.orders)
    assert events[EventKind.AUTHORIZED] == events[EventKind.CAPTURED] == len(sound(day))
    assert refunds - poison <= events[EventKind.REFUNDED] <= refunds
    assert set(events) <= {
        EventKind.OPENED,
        EventKind.AUTHORIZED,
        EventKind.CAPTURED,
        EventKind.REFUNDED,
        EventKind.NOTE,
    }
    assert events[EventKind.NOTE] <= 3, "one for each verdict of the person"
    topics = Counter(d.topic for d in day.store.directives.values())
    assert topics[Topic.SYNC] <= len(day.orders)
    assert not day.store.notices


def test_an_outage_costs_a_bounded_number_of_calls(day: EnduringShop) -> None:
    calls = Counter(call.order_ref for call in day.store.calls)
    mine = sorted(calls[ref] for ref in sound(day))
    assert mine[len(mine) // 2] <= 4
    # While its account rests, what waits is written down at most once every two minutes.
    assert mine[-1] <= 600
