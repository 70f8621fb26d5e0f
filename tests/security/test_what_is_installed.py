"""Plugins and libraries: only what is named is loaded, and only what was tested is installed."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django import VERSION

from tests.packaging.distributions import ROOT, all_distributions

SOURCES = [
    path
    for distribution in all_distributions()
    for path in sorted(distribution.package_folder.rglob("*.py"))
]
LOADS_EVERYTHING = {"load_setuptools_entrypoints"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
RUNS_DATA = {"pickle", "marshal", "shelve", "yaml", "dill"}
NAMES_CODE = {"import_string", "import_module"}
MAY_NAME_CODE = {
    # What the settings name: the order adapter, presenters of the pay page, the error reporter.
    "hosts/django/omniman_payment_django/conf.py",
    "hosts/django/omniman_payment_django/deploy_checks.py",
    "hosts/django/omniman_payment_django/pay/presenters.py",
    # Entry points, and classes that the settings name.
    "omniman_payment_core/plugins/loading.py",
    # Their own modules, by a table, when a name of theirs is first asked for.
    "omniman_payment_core/__init__.py",
    "plugins/mock/omniman_payment_mock/__init__.py",
}


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", None) or getattr(node.func, "id", "")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def test_no_module_loads_every_installed_plugin_or_runs_a_text() -> None:
    assert len(SOURCES) > 150
    for path in SOURCES:
        attributes = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute)
        }
        assert not attributes & LOADS_EVERYTHING, path
        bare = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not bare & RUNS_TEXT, path
        assert not set(imports(path)) & RUNS_DATA, path


def test_code_is_named_by_settings_and_entry_points_only() -> None:
    naming = {str(path.relative_to(ROOT)) for path in SOURCES if NAMES_CODE & set(calls(path))}
    assert naming == MAY_NAME_CODE


def test_django_is_at_least_the_version_that_keeps_bodies_within_their_limit() -> None:
    declared = tomllib.loads((ROOT / "hosts/django/pyproject.toml").read_text("utf-8"))
    (django,) = (d for d in declared["project"]["dependencies"] if d.startswith("Django"))
    assert re.search(r">=5\.2\.1[3-9]", django), django
    assert VERSION >= (5, 2, 13)


@pytest.mark.parametrize("distribution", all_distributions(), ids=lambda d: d.name)
def test_every_dependency_has_a_tested_version(distribution: object) -> None:
    folder: Path = distribution.folder  # type: ignore[attr-defined]
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = {
        re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower()
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    for dependency in project.get("dependencies", []):
        found = re.match(r"[A-Za-z0-9._-]+", dependency)
        assert found
        name = re.sub(r"[-_.]+", "-", found.group()).lower()
        assert name in pinned or name.startswith("omniman-payment"), dependency
