"""Reads a form as Stripe does: ``a[b][0]=c`` becomes nested names; every leaf stays a string."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

_NAME = re.compile(r"[^\[\]]+|(?<=\[)(?=\])")

Form = str | Mapping[str, Any] | Iterable[tuple[str, Any]]
"""Raw, decoded to pairs, or decoded to names that are flat (``a[b]``) or nested already."""


def nested(form: Form) -> dict[str, Any]:
    """The form's parameters; a list becomes a mapping from its indices until a type asks for it."""
    if isinstance(form, str):
        form = parse_qsl(form, keep_blank_values=True, strict_parsing=bool(form))
    root: dict[str, Any] = {}
    for name, value in form.items() if isinstance(form, Mapping) else form:
        at, *below = _NAME.findall(name)
        folder = root
        for step in below:
            inner = folder.setdefault(at, {})
            if not isinstance(inner, dict):
                raise ValueError(f"{name!r} is both a value and a folder of values")
            folder, at = inner, step or str(len(inner))
        folder[at] = value
    return root


def as_integer(value: Any) -> Any:
    """An integer when ``value`` spells one as Stripe reads it, else ``value``."""
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    return value


def as_boolean(value: Any) -> Any:
    """A boolean when ``value`` spells one as Stripe reads it, else ``value``."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def as_list(value: Any) -> Any:
    """The items in order when ``value`` maps the indices from 0 on, else ``value``."""
    if isinstance(value, dict) and set(value) == {str(index) for index in range(len(value))}:
        return [value[str(index)] for index in range(len(value))]
    return value
