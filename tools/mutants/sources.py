"""The modules whose rules are changed: their functions and tables, and what is new in them."""

from __future__ import annotations

import ast
import importlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

from .changes import Change, changes_of

ROOT = Path(__file__).parents[2]
TABLES = "tables"
"""Stands for a function where a module's own assignments are meant."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    path: str
    function: str
    change: Change

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays the same while the lines of the file move."""
        return (self.path, self.function, self.change.line, self.change.what)

    def __str__(self) -> str:
        return f"{self.path}: {self.function}: {self.change.line}: {self.change.what}"


@dataclass(frozen=True)
class Source:
    """A module, by its path from the root of the repository."""

    path: str

    @cached_property
    def file(self) -> Path:
        return ROOT / self.path

    @cached_property
    def module(self) -> ModuleType:
        """The module itself, which has to be the one of this repository."""
        *folders, name = Path(self.path).with_suffix("").parts
        if folders[0] == "hosts":
            folders = folders[2:]
        module = importlib.import_module(".".join([*folders, name]))
        if Path(str(module.__file__)).resolve() != self.file.resolve():
            raise RuntimeError(f"{self.path} is not what is imported, but {module.__file__}")
        return module

    @cached_property
    def tables(self) -> set[str]:
        """The names of its own assignments."""
        trees = _parts(self.file.read_text("utf-8")).get(TABLES, [])
        return {name for tree in trees for name in names_in(tree, ast.Store)}

    def mutants(self, since: str | None = None) -> Iterator[Mutant]:
        """All mutants of it, or of the functions that a commit had not, or had otherwise."""
        return self.mutants_besides("" if since is None else _text_at(since, self.path))

    def mutants_besides(self, text: str) -> Iterator[Mutant]:
        """The mutants of what is not the same in another text of this module."""
        old = _parts(text)
        for name, trees in _parts(self.file.read_text("utf-8")).items():
            if _dumps(trees) == _dumps(old.get(name, [])):
                continue
            for tree in trees:
                for change in changes_of(tree, vars(self.module)):
                    yield Mutant(self.path, name, change)


def _parts(text: str) -> dict[str, list[ast.stmt]]:
    """Functions and methods by their qualified name, and the assignments as one."""
    parts: dict[str, list[ast.stmt]] = {}
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name):
                parts[name] = [node]
            case ast.ClassDef(name=name, body=body):
                methods = (part for part in body if isinstance(part, ast.FunctionDef))
                parts.update({f"{name}.{method.name}": [method] for method in methods})
            case ast.Assign() | ast.AnnAssign(value=ast.expr()):
                parts.setdefault(TABLES, []).append(node)
    return parts


def _dumps(trees: list[ast.stmt]) -> list[str]:
    return [ast.dump(tree) for tree in trees]


def _text_at(commit: str, path: str) -> str:
    """The file as it was; nothing, where there was none."""
    shown = subprocess.run(
        ["git", "show", f"{commit}:{path}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return shown.stdout if shown.returncode == 0 else ""


def names_in(tree: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """The names that are read, or given a value, somewhere in a tree."""
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }
