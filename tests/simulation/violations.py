"""How a broken invariant shows."""

from __future__ import annotations


class Violation(AssertionError):
    """An invariant does not hold; the message begins with its name."""


def hold(name: str, condition: bool, detail: object) -> None:
    """Fail with the invariant's name."""
    if not condition:
        raise Violation(f"{name}: {detail}")
