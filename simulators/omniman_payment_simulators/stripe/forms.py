"""Stripe's form encoding: ``a[b]=1`` and ``a[0]=x`` as nested values; every leaf is a text."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_PIECES = re.compile(r"\[([^\[\]]*)\]")
_NAME = re.compile(r"[^\[\]]+")

Form = dict[str, Any]


def decode(encoded: str) -> Form:
    """A query string or a form body as nested dictionaries and lists."""
    root: Form = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        head = _NAME.match(name)
        if head is None:
            continue
        path = [head[0], *_PIECES.findall(name[head.end() :])]
        _put(root, path, value)
    return {name: _lists(name, value) for name, value in root.items()}


def _put(root: Form, path: list[str], value: str) -> None:
    inside = root
    for place, piece in enumerate(path[:-1]):
        name = piece or _next(inside, path[place + 1])
        below = inside.setdefault(name, {})
        if not isinstance(below, dict):
            below = inside[name] = {}
        inside = below
    inside[path[-1] or str(len(inside))] = value


def _next(inside: Form, name: str) -> str:
    """For ``a[][name]``: the last element, or one more where that has the name already."""
    last = inside.get(str(len(inside) - 1))
    begun = isinstance(last, dict) and name and name not in last
    return str(len(inside) - 1 if begun else len(inside))


def _lists(name: str, value: Any) -> Any:
    # The names in metadata are the shop's own, numbers among them.
    if not isinstance(value, dict) or name == "metadata":
        return value
    found = {each: _lists(each, item) for each, item in value.items()}
    if found and found.keys() == {str(place) for place in range(len(found))}:
        return [found[str(place)] for place in range(len(found))]
    return found
