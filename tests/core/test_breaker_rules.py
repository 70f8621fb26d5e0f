"""When an account rests and for how long: what counts as no answer, and what one trial changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from omniman_payment_core.decisions import (
    Answered,
    Invalid,
    Misconfigured,
    NotAttempted,
    NotFound,
    Outcome,
    Refused,
    Unknown,
)
from omniman_payment_core.engine.breaker import Breaker, BreakerRules

from .cases import answer

LOST = Unknown("no answer")
SEEN = Answered(answer("pending"))
SECOND = timedelta(seconds=1)


def tired(failures: int = 10, rules: BreakerRules | None = None, now: float = 0.0) -> Breaker:
    """A breaker that has seen so many failures in a row."""
    breaker = Breaker(rules or BreakerRules())
    for _ in range(failures):
        breaker.learn("shop", LOST, now)
    return breaker


def test_ten_failures_in_a_row_make_an_account_rest_and_only_that_one() -> None:
    breaker = tired(9)
    assert breaker.rest_of("shop", 0.0) is None
    assert breaker.learn("shop", LOST, 0.0) is True
    assert breaker.rest_of("shop", 0.0) == 5 * SECOND
    assert breaker.rest_of("shop", 4.0) == SECOND
    assert breaker.rest_of("other", 0.0) is None


def test_it_begins_to_rest_once_and_says_so_once() -> None:
    breaker = tired(10)
    assert breaker.learn("shop", LOST, 1.0) is False
    assert breaker.rest_of("shop", 1.0) == 4 * SECOND, "calls that were under way change nothing"


def test_when_the_rest_is_over_one_call_tries_and_the_others_wait() -> None:
    breaker = tired()
    assert breaker.rest_of("shop", 5.0) is None
    assert breaker.rest_of("shop", 5.0) == 120 * SECOND
    assert breaker.rest_of("shop", 125.0) is None, "a trial that hangs is not the last"


def test_each_trial_that_fails_doubles_the_rest_up_to_two_minutes() -> None:
    breaker, now, rests = tired(), 0.0, []
    for _ in range(8):
        rest = breaker.rest_of("shop", now)
        assert rest is not None
        rests.append(rest.total_seconds())
        now += rests[-1]
        assert breaker.rest_of("shop", now) is None
        assert breaker.learn("shop", LOST, now) is False
    assert rests == [5, 10, 20, 40, 80, 120, 120, 120]


def test_after_a_failed_trial_only_the_next_trial_lengthens_the_rest() -> None:
    breaker = tired()
    assert breaker.rest_of("shop", 5.0) is None
    breaker.learn("shop", LOST, 5.0)
    breaker.learn("shop", LOST, 6.0)
    assert breaker.rest_of("shop", 6.0) == 9 * SECOND


def test_one_answer_ends_the_rest_and_the_count_begins_anew() -> None:
    breaker = tired()
    assert breaker.rest_of("shop", 5.0) is None
    assert breaker.learn("shop", SEEN, 5.0) is False
    assert breaker.rest_of("shop", 5.0) is None
    for _ in range(9):
        assert breaker.learn("shop", LOST, 6.0) is False
        assert breaker.rest_of("shop", 6.0) is None
    assert breaker.learn("shop", LOST, 6.0) is True
    assert breaker.rest_of("shop", 6.0) == 5 * SECOND


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (LOST, True),
        (Unknown("KeyError", plugin_fault=True), False),
        (NotAttempted("no connection"), True),
        (NotAttempted("come again", 5 * SECOND), False),
        (NotAttempted("resting", counted=False), False),
        (NotAttempted("resting", 5 * SECOND, counted=False), False),
        (SEEN, False),
        (NotFound("none"), False),
        (Invalid("wrong"), False),
        (Misconfigured("no key"), False),
        (Refused("no", "no", answer("failed")), False),
    ],
)
def test_only_a_gateway_that_is_not_there_makes_an_account_rest(
    outcome: Outcome, counts: bool
) -> None:
    assert tired(9).learn("shop", outcome, 0.0) is counts


def test_a_rest_stays_a_time_however_often_it_is_doubled() -> None:
    short = BreakerRules(first_rest=timedelta(microseconds=1), longest_rest=timedelta(days=1))
    breaker, now = tired(rules=short), 0.0
    for _ in range(40):
        now += 86_400.0
        assert breaker.rest_of("shop", now) is None
        breaker.learn("shop", LOST, now)
    rest = breaker.rest_of("shop", now)
    assert rest is not None
    assert round(rest.total_seconds() * 1_000_000) == 1 << 16
