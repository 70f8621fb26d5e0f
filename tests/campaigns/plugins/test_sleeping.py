"""A worker that slept past its lease knows of the calls it never made that it never made them."""

from __future__ import annotations

from datetime import timedelta

from omniman_payment_core.records import DirectiveStatus
from tests.core.harness import Shop
from tests.core.till import TillBackend


def test_what_was_not_sent_for_sleeping_needs_no_person_at_a_gateway_that_cannot_be_asked() -> None:
    shop = Shop()
    shop.add_account("till", TillBackend({"drawer": 1}))
    number = shop.hold(shop.order(payment_backend="till"))
    works = shop.engine.claim(1).works
    shop.clock.advance(timedelta(minutes=10))
    shop.engine.settle([shop.engine.perform(work) for work in works])
    shop.settle_down()
    assert shop.directive(number).status == DirectiveStatus.COMPLETED
    assert shop.flags() == []
    # What was never made is no call: the audit has the one that was.
    assert [(call.method, call.outcome) for call in shop.store.calls] == [("authorize", "answered")]
    assert len(shop.accounts.account("till").backend.intents) == 1


def test_what_another_worker_has_sent_since_stays_in_doubt() -> None:
    shop = Shop()
    shop.add_account("till", TillBackend({"drawer": 1}))
    number = shop.hold(shop.order(payment_backend="till"))
    sleeping = shop.engine.claim(1).works
    late = shop.new_engine("late")
    shop.clock.advance(timedelta(minutes=10))
    # The sleeper gives its call back; the next worker makes it, and dies before it can say so.
    shop.engine.settle([shop.engine.perform(work) for work in sleeping])
    shop.clock.advance(timedelta(minutes=10))
    for work in late.claim(1).works:
        late.perform(work)
    shop.engine.settle([shop.engine.perform(work) for work in sleeping])
    shop.settle_down()
    assert len(shop.accounts.account("till").backend.intents) == 1
    assert shop.directive(number).status == DirectiveStatus.PARKED
    assert shop.flag_kinds() == ["outcome_unknown"]
