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
    # The names in metadata are the shop's own, numbers among them.
    return {name: value if name == "metadata" else _lists(value) for name, value in root.items()}


def _put(root: Form, path: list[str], value: str) -> None:
    inside = root
    for piece in path[:-1]:
        below = inside.setdefault(piece, {})
        if not isinstance(below, dict):
            below = inside[piece] = {}
        inside = below
    last = path[-1] or str(len(inside))
    inside[last] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    found = {name: _lists(item) for name, item in value.items()}
    if found and all(name.isdecimal() for name in found):
        return [found[name] for name in sorted(found, key=int)]
    return found
