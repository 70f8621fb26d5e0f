"""Hunting a mutant: through scripted schedules, then through random histories, until it dies.

It has to die of a broken invariant, or of what the store refuses to write. Dying of an error
of its own proves nothing, and is an error here.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from omniman_payment_core.testing import memory

from ..gateways import STRENGTHS
from ..invariants import Violation
from ..schedules.scenarios import plays
from ..schedules.walk import Failed, Schedule, walk
from ..world import World

HISTORIES = 600
ENDLESS = 20_000
_OWN_FAULTS = ("NameError", "AttributeError", "TypeError", "KeyError", "UnboundLocalError")


@dataclass(frozen=True)
class Mutant:
    """One rule undone."""

    undo: Callable[[pytest.MonkeyPatch], None]
    scenarios: tuple[str, ...] = ()
    """Where to look first: the schedules of these, with one fault at most."""
    strengths: tuple[str, ...] = tuple(STRENGTHS)

    @property
    def name(self) -> str:
        return self.undo.__name__

    @property
    def rule(self) -> str:
        """What goes wrong now, in a sentence."""
        return (self.undo.__doc__ or "").strip()


@dataclass(frozen=True)
class Death:
    """Where a mutant was noticed, and by what."""

    where: str
    invariant: str


class Survived(AssertionError):
    """Nothing has noticed the mutant."""


class DiedOfItself(AssertionError):
    """The mutant is broken: it raised an error that no rule forbids."""


def hunt(mutant: Mutant, histories: int = HISTORIES) -> Death:
    """The first schedule or history that notices the mutant; it has to be in place already."""
    tried = 0
    for scenario in mutant.scenarios:
        for strength in mutant.strengths:
            if not plays(scenario, strength):
                continue
            for found in walk(Schedule(scenario, strength), 1):
                tried += 1
                if isinstance(found, Failed):
                    _not_of_itself(found.stage)
                    return Death(str(found.schedule), _invariant(found.cause))
    for seed, world, error in _histories(histories):
        tried += 1
        _not_of_itself(world)
        if error is not None:
            return Death(f"seed {seed}", _invariant(error))
    raise Survived(f"{tried} schedules and histories did not notice: {mutant.rule}")


class Watched(World):
    """A world in which a mutant cannot go on for ever."""

    def dies(self, where: str) -> bool:
        if self.steps > ENDLESS:
            raise Violation(f"L01: no end after {self.steps} steps")
        return super().dies(where)


def _histories(count: int) -> Iterator[tuple[int, World, Exception | None]]:
    for seed in range(count):
        world = Watched(seed)
        try:
            world.run()
        except Exception as error:
            yield seed, world, error
        else:
            yield seed, world, None


def _invariant(error: BaseException) -> str:
    if isinstance(error, Violation):
        return str(error).partition(":")[0]
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, AssertionError) and frames[-1].filename == memory.__file__:
        return f"the store refuses: {error}"
    raise DiedOfItself(repr(error)) from error


def _not_of_itself(world: World) -> None:
    for flag in world.store.flags.values():
        own = any(name in flag.message for name in _OWN_FAULTS)
        if flag.kind == "engine_bug" or own:
            raise DiedOfItself(f"{flag.kind}: {flag.message}")
