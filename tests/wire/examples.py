"""Compares an object with Stripe's own example of it: same keys, and values of the same type."""

from __future__ import annotations

from typing import Any

from .differences import FIXTURE_ONLY


class Examples:
    """Stripe's example objects, by the value of their ``object`` field."""

    def __init__(self, document: Any) -> None:
        self._examples: dict[str, Any] = document["resources"]

    def of(self, kind: str) -> Any:
        """Stripe's example of one kind of object."""
        return self._examples[kind]

    def violations(self, value: dict[str, Any]) -> list[str]:
        """What Stripe's example has and ``value`` has not, or has as another type."""
        kind = str(value.get("object"))
        if kind not in self._examples:
            return [f"object: Stripe gives no example of {kind!r}"]
        example = self._examples[kind]
        return [
            f"{kind}.{name}: is missing"
            for name in example
            if name not in value and f"{kind}.{name}" not in FIXTURE_ONLY
        ] + [
            f"{kind}.{name}: {_type(value[name])} where Stripe's example has {_type(example[name])}"
            for name in example
            if name in value and not _agree(value[name], example[name])
        ]


def _agree(ours: Any, example: Any) -> bool:
    """Whether two values can be of one type; null and the id of an expandable object say little."""
    if ours is None or example is None or {type(ours), type(example)} == {str, dict}:
        return True
    return type(ours) is type(example)


def _type(value: Any) -> str:
    return type(value).__name__
