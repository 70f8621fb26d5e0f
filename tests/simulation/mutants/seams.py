"""How a mutant gets into the code: loudly, so that one whose target has gone cannot pass.

A rule is often one condition of a function. So a function is compiled again from its source
with that text replaced, and put wherever the original was imported.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any, cast

import pytest

PACKAGE = "omniman_payment_core"


class NoSuchSeam(Exception):
    """What a mutant wants to change is not there any more."""


def rewrite(patch: pytest.MonkeyPatch, target: Callable[..., Any], *edits: tuple[str, str]) -> None:
    """Put a version of ``target`` in its place in which each text is another."""
    function = cast("FunctionType", target)
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in edits:
        if source.count(old) != 1:
            raise NoSuchSeam(f"{function.__qualname__} has {source.count(old)} times {old!r}")
        source = source.replace(old, new)
    made: dict[str, Any] = {}
    code = compile(source, inspect.getfile(function), "exec", dont_inherit=False)
    exec(code, function.__globals__, made)
    replace(patch, target, made[function.__name__])


def replace(patch: pytest.MonkeyPatch, target: Callable[..., Any], double: Any) -> None:
    """Put ``double`` wherever ``target`` is known by its name."""
    function = cast("FunctionType", target)
    name, owner = function.__name__, function.__qualname__.rpartition(".")[0]
    if owner:
        patch.setattr(getattr(sys.modules[function.__module__], owner), name, double)
        return
    places = [
        module
        for module_name, module in list(sys.modules.items())
        if module_name.startswith(PACKAGE) and vars(module).get(name) is target
    ]
    if not places:
        raise NoSuchSeam(f"nothing knows {name}")
    for module in places:
        patch.setattr(module, name, double)
