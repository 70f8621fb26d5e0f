"""The page on security names every line of defence, and a test that there is for each."""

from __future__ import annotations

import ast
import re

import pytest

from tests.packaging.distributions import ROOT

PAGE = ROOT / "docs" / "security.md"
LINES = 33
ROW = re.compile(r"\| (S-\d\d) \| (.+) \| (.+) \|")
PROOF = re.compile(r"`([\w/]+\.py)::(\w+)`")
ROWS = [match.groups() for match in ROW.finditer(PAGE.read_text("utf-8"))]
PROOFS = sorted(set(PROOF.findall(PAGE.read_text("utf-8"))))


def test_every_line_of_defence_is_there_once_and_in_order() -> None:
    assert [name for name, _, _ in ROWS] == [f"S-{number:02}" for number in range(1, LINES + 1)]


@pytest.mark.parametrize(("name", "promise", "proof"), ROWS, ids=[row[0] for row in ROWS])
def test_a_line_is_proven_or_says_why_it_is_not(name: str, promise: str, proof: str) -> None:
    assert len(promise) > 30, name
    assert PROOF.search(proof) or proof.startswith("cannot be tested here: "), name


@pytest.mark.parametrize(("path", "name"), PROOFS)
def test_a_proof_is_there(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
