"""Puts a mutant into the running process, in place of the function or table that is there."""

from __future__ import annotations
import __future__

import ast
import gc
import sys
from collections.abc import Iterable
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from .sources import TABLES, Mutant, Source, names_in

_Cached = type(cache(str))
_FLAGS = __future__.annotations.compiler_flag


class Living:
    """The functions of some modules, wherever decorators and classes have put them."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = {source.path: source for source in sources}
        files = {str(source.module.__file__): path for path, source in self._sources.items()}
        self.files = files
        self._functions: dict[tuple[str, str], list[FunctionType]] = {}
        self._cached = []
        for found in gc.get_objects():
            if isinstance(found, _Cached) and found.__wrapped__.__code__.co_filename in files:
                self._cached.append(found)
            if type(found) is FunctionType and found.__code__.co_filename in files:
                key = (files[found.__code__.co_filename], found.__code__.co_qualname)
                self._functions.setdefault(key, []).append(found)

    def become(self, mutant: Mutant) -> None:
        """There is no way back: a process that did this ends soon."""
        source = self._sources[mutant.path]
        if mutant.function == TABLES:
            _replace_tables(source.module, mutant.change.tree)
            return
        namespace = dict(vars(source.module))
        tree = mutant.change.tree
        assert isinstance(tree, ast.FunctionDef)
        tree.decorator_list = []
        _execute(tree, str(source.file), namespace)
        changed = namespace[tree.name]
        for cached in self._cached:
            cached.cache_clear()
        for function in self._functions[mutant.path, mutant.function]:
            function.__code__ = changed.__code__
            function.__defaults__ = changed.__defaults__
            function.__kwdefaults__ = changed.__kwdefaults__


def _execute(tree: ast.stmt, file: str, namespace: dict[str, Any]) -> None:
    module = ast.fix_missing_locations(ast.Module([tree], []))
    exec(compile(module, file, "exec", _FLAGS, dont_inherit=True), namespace)


def _replace_tables(module: ModuleType, tree: ast.stmt) -> None:
    """Assign anew, also what is made of it further down, and where it was imported."""
    before = dict(vars(module))
    file = str(module.__file__)
    with open(file, encoding="utf-8") as text:
        statements = ast.parse(text.read()).body
    changed: set[str] = set()
    for statement in statements:
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
            continue
        if statement.lineno == tree.lineno:
            _execute(tree, file, vars(module))
        elif statement.lineno > tree.lineno and changed & names_in(statement, ast.Load):
            _execute(statement, file, vars(module))
        else:
            continue
        changed |= names_in(statement, ast.Store)
    for name in changed:
        old, new = before[name], vars(module)[name]
        for other in list(sys.modules.values()):
            if vars(other).get(name) is old:
                setattr(other, name, new)
        for function in vars(module).values():
            # Python shares small numbers, so that only of a large one it is known whose it is.
            if isinstance(function, FunctionType) and not _is_shared(old):
                defaults = function.__kwdefaults__ or {}
                defaults.update({key: new for key, value in defaults.items() if value is old})


def _is_shared(value: object) -> bool:
    return value is None or (isinstance(value, int) and -6 < value < 257)
