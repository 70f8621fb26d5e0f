"""The page of other people's incidents has each of them, with a proof that there is or a reason."""

from __future__ import annotations

import ast
import re

import pytest

from .distributions import ROOT

PAGE = ROOT / "docs" / "incidents.md"
INCIDENTS = 36
REASON = "cannot reach us: "
THREAD = re.compile(r"[\w.-]+/[\w.-]+ #\d+")
PROOF = re.compile(r"`([\w/]+\.py)::(\w+)`")
# Number, threads, what went wrong, what stops it here, proof.
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = [match.groups() for match in ROW.finditer(PAGE.read_text("utf-8"))]
PROOFS = sorted(set(PROOF.findall(PAGE.read_text("utf-8"))))


def test_every_incident_is_there_once_and_in_order() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, INCIDENTS + 1))


@pytest.mark.parametrize(
    ("threads", "wrong", "stops", "proof"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_an_incident_is_named_and_proven_or_says_why_it_cannot_come(
    threads: str, wrong: str, stops: str, proof: str
) -> None:
    assert THREAD.match(threads)
    assert min(len(wrong), len(stops)) > 30
    assert PROOF.search(proof) or (proof.startswith(REASON) and len(proof) > 2 * len(REASON))


@pytest.mark.parametrize(("path", "name"), PROOFS)
def test_a_proof_is_there(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_page_is_among_the_pages_to_read() -> None:
    assert "\nincidents\n" in (ROOT / "docs" / "index.md").read_text("utf-8")
