"""Thousands of schedules: each fault at each place where it can strike, alone and in pairs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from omniman_payment_core.records import Topic

from .gateways import STRENGTHS
from .schedules.scenarios import SCENARIOS, plays
from .schedules.stage import Stage
from .schedules.walk import Schedule, survey


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


def run_all(processes: Executor, schedules: list[Schedule], depth: int) -> int:
    """Run them all, and those with ``depth`` faults more; says how many that were."""
    found = list(processes.map(survey, schedules, [depth] * len(schedules)))
    failures = [failure for survey in found for failure in survey.failures]
    assert not failures, f"{len(failures)} schedules failed; the first:\n{failures[0]}"
    return sum(survey.count for survey in found)


def some_of_each() -> list[Schedule]:
    """Each scenario at a third of the gateways, in turn, so that each gateway plays a dozen.

    ``python -m tests.simulation.schedules --depth 1`` plays each at all of them.
    """
    return [
        Schedule(scenario, strength)
        for number, scenario in enumerate(SCENARIOS)
        for turn, strength in enumerate(STRENGTHS)
        if (number + turn) % 3 == 0 and plays(scenario, strength)
    ]


@pytest.mark.timeout(900)
def test_no_single_fault_anywhere_loses_or_doubles_anything(processes: Executor) -> None:
    assert run_all(processes, some_of_each(), 1) >= 7_000


PAIRS = (
    ("charge", "full"),
    ("charge", "finds_unkeyed"),
    ("charge", "unaddressed"),
    ("charge", "names"),
    ("hold_and_cancel", "finds"),
    ("two_partial_captures", "five_methods_proof"),
    ("cancelled_while_the_hold_is_made", "full"),
    ("opened_twice", "prepares"),
)


@pytest.mark.timeout(900)
def test_no_pair_of_faults_loses_or_doubles_anything(processes: Executor) -> None:
    undisturbed = [Schedule(scenario, strength) for scenario, strength in PAIRS]
    assert run_all(processes, undisturbed, 2) >= 5_000


@pytest.mark.parametrize("fault", ["unsent", "lost", "garbage"])
def test_a_gateway_that_does_not_answer_is_asked_ever_more_rarely(fault: str) -> None:
    stage = Stage("full", {})
    stage.order()
    behaviour = {"qr": True, "expires_in": 86_400}
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": behaviour})
    stage.until_settled()
    calls = stage.calls
    for number in range(1, 1000):
        stage.fault_at_call(number, fault)
    stage.live(hours=6)
    assert stage.calls - calls < 100
    stage.fair_weather()
    stage.payer("pay")
    stage.live(hours=1)
    assert [payment.status for payment in stage.store.payments.values()] == ["captured"]
