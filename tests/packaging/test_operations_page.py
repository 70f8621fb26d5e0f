"""The operator's page names every flag kind and error code of the code, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.packaging.distributions import ROOT

PAGE = ROOT / "docs" / "operations.md"
SOURCES = ("omniman_payment_core", "hosts/django/omniman_payment_django")

FLAGGING = {"flag", "park", "Flag", "Problem", "_failure"}
FAILING = {"fail", "PayloadError"}
CODES_ELSEWHERE = {
    # A capture that comes too late fails with the status in which its hold ended.
    "cancelled",
    "expired",
    # A person's word, written by the host.
    "abandoned",
    # The default of PayloadError.
    "invalid_payload",
}


def calls(names: set[str]) -> Iterator[tuple[str, ast.Call]]:
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    function = node.func
                    name = getattr(function, "attr", None) or getattr(function, "id", "")
                    if name in names:
                        yield name, node


def texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression can be, as far as they stand there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from texts(value)


def flags_in_the_code() -> set[str]:
    found: set[str] = set()
    for _, call in calls(FLAGGING):
        given = [k.value for k in call.keywords if k.arg == "kind"] or call.args[:1]
        found.update(text for node in given for text in texts(node))
    # Written as a row of Django's, where the kind is an entry of the defaults.
    for _, call in calls({"get_or_create"}):
        for node in ast.walk(call):
            if isinstance(node, ast.Dict):
                entries = zip(node.keys, node.values, strict=True)
                found.update(
                    text
                    for key, value in entries
                    if isinstance(key, ast.Constant) and key.value == "kind"
                    for text in texts(value)
                )
    return found


def codes_in_the_code() -> set[str]:
    found = set(CODES_ELSEWHERE)
    for name, call in calls(FAILING):
        if len(call.args) == 2:
            found.update(texts(call.args[1 if name == "PayloadError" else 0]))
    for _, call in calls({"settle_operation", "evolve"}):
        found.update(text for k in call.keywords if k.arg == "code" for text in texts(k.value))
    return found


def on_the_page(section: str) -> set[str]:
    text = PAGE.read_text("utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    first = re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)
    return {name for cell in first for name in re.findall(r"`(\w+)`", cell)} - {"error_code"}


@pytest.mark.parametrize(
    ("section", "written"),
    [("Flags", flags_in_the_code()), ("Errors on a directive", codes_in_the_code())],
)
def test_the_page_explains_what_the_code_writes_and_nothing_else(
    section: str, written: set[str]
) -> None:
    assert len(written) > 15
    assert on_the_page(section) == written
