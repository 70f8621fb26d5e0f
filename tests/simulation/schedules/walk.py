"""Runs schedules one by one, and finds from each run the schedules that have one fault more."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..invariants import hold
from .scenarios import SCENARIOS
from .stage import Stage

Faults = tuple[tuple[int, str], ...]
"""The places, in ascending order, and what goes wrong at each."""


@dataclass(frozen=True)
class Schedule:
    """A scenario at one kind of gateway, with faults at certain places."""

    scenario: str
    strength: str
    faults: Faults = ()

    def __str__(self) -> str:
        spelled = ",".join(f"{place}:{fault}" for place, fault in self.faults) or "none"
        return f"{self.scenario} {self.strength} {spelled}"

    @classmethod
    def parse(cls, words: list[str]) -> Schedule:
        """From the words that :meth:`__str__` writes."""
        scenario, strength, spelled = words
        pairs = [] if spelled == "none" else [item.split(":") for item in spelled.split(",")]
        return cls(scenario, strength, tuple((int(place), fault) for place, fault in pairs))

    def run(self) -> Stage:
        """Play it; raises what does not hold, with all that is needed to play it again."""
        stage = Stage(self.strength, dict(self.faults))
        try:
            expected = SCENARIOS[self.scenario](stage)
            stage.end()
            moved = stage.gateway.moved_q("O1")
            hold("outcome", moved in expected or stage.flagged(), f"{moved} moved, not {expected}")
        except Exception as error:
            raise Failed(self, stage, error) from error
        return stage


class Failed(AssertionError):
    """A schedule under which something does not hold."""

    def __init__(self, schedule: Schedule, stage: Stage, cause: Exception) -> None:
        self.schedule, self.stage, self.cause = schedule, stage, cause
        super().__init__(str(schedule))

    def __str__(self) -> str:
        story = "\n".join(self.stage.story)
        return (
            f"{story}\nfails: {self.schedule}; replay it with\n"
            f"    python -m tests.simulation.schedules --replay {self.schedule}\n"
            f"{type(self.cause).__name__}: {self.cause}"
        )


@dataclass(frozen=True)
class Survey:
    """What all schedules of a scenario to a depth have shown."""

    count: int
    failures: list[str]


def survey(schedule: Schedule, depth: int) -> Survey:
    """Run the schedule, then every one that adds up to ``depth`` faults after its last one."""
    logging.disable(logging.CRITICAL)
    failures: list[str] = []
    count = 0
    for outcome in walk(schedule, depth):
        count += 1
        if isinstance(outcome, Failed):
            failures.append(str(outcome))
    return Survey(count, failures)


def walk(schedule: Schedule, depth: int) -> Iterator[Stage | Failed]:
    """Depth first: the places for one more fault are those that a run has come by.

    Ends by itself: a run has a last place, and a fault after it is shown to strike nothing.
    """
    try:
        stage = schedule.run()
        hold("places", tuple(stage.struck) == schedule.faults, f"only {stage.struck} struck")
    except Failed as failed:
        yield failed
        return
    yield stage
    if depth == 0:
        return
    last = schedule.faults[-1][0] if schedule.faults else 0
    for place in range(last + 1, len(stage.places) + 1):
        for fault in stage.places[place - 1]:
            yield from walk(replace(schedule, faults=(*schedule.faults, (place, fault))), depth - 1)
    beyond = replace(schedule, faults=(*schedule.faults, (len(stage.places) + 1, "death"))).run()
    hold("places", tuple(beyond.struck) == schedule.faults, f"{schedule} has more places")
