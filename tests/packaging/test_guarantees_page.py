"""Every proof that the page of guarantees names is a test that there is."""

from __future__ import annotations

import ast
import re

import pytest

from .distributions import ROOT

PAGE = ROOT / "docs" / "guarantees.md"
PROOFS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text("utf-8"))))


def test_the_page_names_proofs() -> None:
    assert len(PROOFS) > 50


@pytest.mark.parametrize(("path", "name"), PROOFS)
def test_a_proof_is_there(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_has_a_proof() -> None:
    promised = PAGE.read_text("utf-8").split("## Longer than a test run")[0]
    rows = [
        line
        for line in promised.splitlines()
        if line.startswith("| ") and not line.endswith("| proof |")
    ]
    assert len(rows) > 50
    assert [row for row in rows if "::" not in row] == []
