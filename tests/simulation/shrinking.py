"""Makes a history that breaks something short: leaves out the steps that it breaks without."""

from __future__ import annotations

from collections.abc import Callable

from .world import STEPS, World

Attempt = Callable[[frozenset[int]], str | None]


def attempt_of(seed: int, strength: str | None) -> Attempt:
    """Live through some steps of a history; which invariant they break, if any."""

    def attempt(only: frozenset[int]) -> str | None:
        try:
            World(seed, strength=strength, only=only).run()
        except Exception as error:
            return f"{type(error).__name__}: {error}".split(": ")[1].split(" ")[0]
        return None

    return attempt


def shrink(seed: int, strength: str | None = None) -> frozenset[int]:
    """The fewest steps of a history that still break the invariant which all of them break.

    Each step has a seed of its own, so that the others stay what they are without it.
    """
    attempt = attempt_of(seed, strength)
    steps = frozenset(range(STEPS))
    broken = attempt(steps)
    if broken is None:
        raise ValueError(f"seed {seed} breaks nothing")
    size = len(steps) // 2
    while size:
        smaller = _without_a_part(attempt, steps, size, broken)
        if smaller == steps:
            size //= 2
        steps = smaller
    return steps


def _without_a_part(
    attempt: Attempt, steps: frozenset[int], size: int, broken: str
) -> frozenset[int]:
    """Leave out, one after the other, every part of a size that is not needed."""
    start = 0
    while start < len(steps):
        left = sorted(steps)
        fewer = frozenset(left[:start] + left[start + size :])
        if attempt(fewer) == broken:
            steps = fewer
        else:
            start += size
    return steps
