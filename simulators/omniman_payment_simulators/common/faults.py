"""Faults on demand: what shall happen to the next requests that fit, before or after the effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

KINDS = ("drop", "reset", "delay", "rate_limit", "error")
WITH_PAGES = (*KINDS, "html")
WHEN = ("before", "after")


@dataclass(slots=True)
class Fault:
    """One fault, and how often it is still to happen.

    ``drop`` closes the connection without an answer, ``reset`` breaks it, ``delay`` waits
    ``seconds``, ``rate_limit`` and ``error`` answer with a status, ``html`` with a page and a
    status, where the gateway can. ``when`` is about the effect of the request; a rate limit
    always comes before it.
    """

    kind: str
    when: str = "before"
    method: str = "*"
    path: str = "*"
    times: int = 1
    seconds: float = 0.0
    retry_after: int = 1
    status: int = 500

    def fits(self, method: str, path: str) -> bool:
        """Whether a request meets this fault."""
        return self.method in ("*", method) and fnmatchcase(path, self.path)


def read_fault(given: Mapping[str, Any], kinds: Sequence[str] = KINDS) -> Fault:
    """A fault from JSON; says what is wrong with one that cannot be."""
    unknown = set(given) - set(Fault.__slots__)
    if unknown:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
    fault = Fault(**given)
    if fault.kind not in kinds:
        raise ValueError(f"kind is one of {', '.join(kinds)}")
    if fault.when not in WHEN or (fault.kind == "rate_limit" and fault.when != "before"):
        raise ValueError("when is before or after; a rate limit always comes before the effect")
    if fault.times < 1:
        raise ValueError("times is 1 or more")
    return fault


class Faults:
    """The faults still to come, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault happen."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Let nothing more happen."""
        self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that a request meets, counted as met."""
        for fault in self._waiting:
            if fault.fits(method, path):
                fault.times -= 1
                if not fault.times:
                    self._waiting.remove(fault)
                return fault
        return None
