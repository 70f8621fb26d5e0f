"""Scripted schedules at every kind of gateway, and with one fault at some, for the mutants.

Not collected with the other tests, among which these schedules are already: named to pytest
when wanted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.gateways import STRENGTHS
from tests.simulation.schedules.scenarios import SCENARIOS, plays
from tests.simulation.schedules.walk import Schedule, survey


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    yield
    logging.disable(logging.NOTSET)


def schedules(scenario: str) -> list[Schedule]:
    return [Schedule(scenario, strength) for strength in STRENGTHS if plays(scenario, strength)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenarios_end_as_they_should_at_every_gateway(scenario: str) -> None:
    for schedule in schedules(scenario):
        assert survey(schedule, 0).failures == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenarios_end_as_they_should_with_any_fault(scenario: str) -> None:
    number = list(SCENARIOS).index(scenario)
    for schedule in schedules(scenario)[number % 5 :: 5]:
        assert survey(schedule, 1).failures == []
