"""An account whose gateway is down rests; the others are served, and it comes back by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.decisions import (
    Answered,
    Invalid,
    NotAttempted,
    NotFound,
    Outcome,
    Refused,
    Unknown,
)
from omniman_payment_core.engine import BreakerRules, Limits
from omniman_payment_core.engine.breaker import Breaker
from omniman_payment_core.errors import NotAttemptedError
from omniman_payment_core.records import DirectiveStatus
from omniman_payment_core.values import PaymentResult
from omniman_payment_mock import MockPaymentBackend

from .harness import Shop

RULES = BreakerRules(failures=3)
FIRST = RULES.first_rest.total_seconds()
ANSWER = Answered(PaymentResult(True, "t", "captured"))
DOWN = NotAttempted("no connection")


def broken(failures: int = 3) -> Breaker:
    breaker = Breaker(RULES)
    for _ in range(failures):
        assert breaker.rest_of("a", 0) is None
        breaker.learn("a", DOWN, 0)
    return breaker


def test_after_failures_in_a_row_the_account_rests_and_is_told_once() -> None:
    breaker = Breaker(RULES)
    assert [breaker.learn("a", DOWN, 0) for _ in range(5)] == [False, False, True, False, False]
    assert breaker.rest_of("a", 1) == timedelta(seconds=FIRST - 1)
    assert breaker.rest_of("b", 1) is None


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        Refused("declined", "no", PaymentResult(False, "t", "failed")),
        NotFound("no such transaction"),
        Invalid("wrong"),
        NotAttempted("busy", timedelta(seconds=9), counted=False),
        Unknown("a bug", plugin_fault=True),
    ],
)
def test_whatever_shows_that_somebody_is_there_begins_the_count_anew(answer: Outcome) -> None:
    breaker = broken(2)
    breaker.learn("a", answer, 0)
    breaker.learn("a", DOWN, 0)
    breaker.learn("a", DOWN, 0)
    assert breaker.rest_of("a", 0) is None


def test_after_its_rest_one_call_tries_and_the_others_wait_for_it() -> None:
    breaker = broken()
    assert breaker.rest_of("a", FIRST) is None
    assert breaker.rest_of("a", FIRST) is not None


def test_a_trial_that_succeeds_ends_it() -> None:
    breaker = broken()
    breaker.rest_of("a", FIRST)
    breaker.learn("a", ANSWER, FIRST)
    assert breaker.rest_of("a", FIRST) is None
    assert breaker.rest_of("a", FIRST) is None


def test_each_trial_that_fails_doubles_the_rest_up_to_the_longest() -> None:
    breaker, now, rests = broken(), 0.0, []
    for _ in range(8):
        rest = breaker.rest_of("a", now)
        assert rest is not None
        rests.append(rest.total_seconds())
        now += rest.total_seconds()
        assert breaker.rest_of("a", now) is None
        breaker.learn("a", DOWN, now)
    assert rests == [5, 10, 20, 40, 80, 120, 120, 120]


def test_failures_that_come_in_while_it_rests_make_it_no_longer() -> None:
    breaker = broken()
    for _ in range(20):
        breaker.learn("a", DOWN, 1)
    assert breaker.rest_of("a", FIRST) is None


def test_a_trial_that_hangs_is_not_the_last_one() -> None:
    breaker = broken()
    breaker.rest_of("a", FIRST)
    assert breaker.rest_of("a", FIRST + RULES.longest_rest.total_seconds()) is None


class Down(MockPaymentBackend):
    """No connection comes about while the gateway is down."""

    down = True
    calls = 0

    def charge(self, *args: Any, **kwargs: Any) -> PaymentResult:
        type(self).calls += 1
        if type(self).down:
            raise NotAttemptedError("connection refused")
        return super().charge(*args, **kwargs)


def test_an_hour_without_a_gateway_costs_few_calls_and_loses_nothing() -> None:
    Down.down, Down.calls = True, 0
    shop = Shop(limits=Limits(breaker=BreakerRules()))
    shop.add_account("down", Down)
    other = shop.order("OK", payment_backend="mock")
    for number in range(50):
        shop.order(f"D{number}", payment_backend="down")
        shop.charge(f"D{number}")
    served = shop.charge(other)
    shop.run()
    assert shop.directive(served).status == DirectiveStatus.COMPLETED
    for _ in range(60):
        shop.advance(minutes=1)
    # Without resting, fifty orders would have knocked many hundred times.
    assert Down.calls < 120
    # Nor is what was not called in the audit of calls, however long an order waits.
    assert sum(call.method == "charge" for call in shop.store.calls) < 120
    Down.down = False
    for _ in range(40):
        shop.advance(minutes=1)
    assert not shop.open_directives()
    assert {shop.payment(f"D{n}").status.value for n in range(50)} == {"captured"}
