"""Walks a fault through every place at which it can strike, until it strikes nowhere any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .faults import Fault, Injector
from .story import Story


class BrokenError(AssertionError):
    """A history that did not end as it does undisturbed."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """The story without a fault: how it ends, and the places where one can strike."""

    end: dict[str, Any]
    statements: tuple[str, ...]
    commits: int

    def places(self, fault: Fault) -> list[int]:
        """Every commit, or the first place of each statement that differs from all before."""
        if fault.at_commit:
            return list(range(1, self.commits + 1))
        first: dict[str, int] = {}
        for place, statement in enumerate(self.statements, 1):
            first.setdefault(statement, place)
        return list(first.values())


def undisturbed(empty: Callable[[], None]) -> Undisturbed:
    """Tell the story once, to an empty database."""
    injector = Injector(None, 0)
    empty()
    end = _told(injector)
    return Undisturbed(end, tuple(injector.statements), injector.commits)


def walk(
    fault: Fault, normal: Undisturbed, empty: Callable[[], None], places: Iterable[int], **how: bool
) -> int:
    """Let the fault strike at one place after the other, until one is past the story's end.

    Says in how many stories it struck.
    """
    stories = 0
    for place in places:
        injector = Injector(fault, place, **how)
        empty()
        end = _told(injector)
        if not injector.struck:
            break
        stories += 1
        if end != normal.end:
            raise BrokenError(_difference(fault, place, end, normal, **how))
    return stories


def _told(injector: Injector) -> dict[str, Any]:
    story = Story(injector)
    story.tell()
    return story.end()


def _difference(
    fault: Fault, place: int, end: dict[str, Any], normal: Undisturbed, *, lasting: bool = False
) -> str:
    where = f"commit {place}" if fault.at_commit else f"statement {place}"
    how = "from there on" if lasting else "once"
    statement = "" if fault.at_commit else f" ({normal.statements[place - 1][:200]})"
    changed = {name: end[name] for name in end if end[name] != normal.end[name]}
    before = {name: normal.end[name] for name in changed}
    return f"{fault.name} at {where}{statement}, {how}: {changed}\ninstead of {before}"
