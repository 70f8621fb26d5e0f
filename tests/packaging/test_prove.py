"""``make prove`` runs the proofs of the page, and tells a broken promise from one that holds."""

from __future__ import annotations

import pytest

from tools.prove import PAGE, Outcomes, Promise, main, promises

ROWS = """
| what goes wrong | what you can rely on | proof |
|---|---|---|
| the till is empty | nobody is charged | `tests/a.py::test_one`, `tests/b.py::test_two` |
"""
PROMISE = Promise(
    "the till is empty", "nobody is charged", ("tests/a.py::test_one", "tests/b.py::test_two")
)


def test_every_row_of_the_page_is_a_promise_with_its_tests() -> None:
    page = PAGE.read_text("utf-8")
    found = promises(page)
    assert len(found) > 30
    assert all(promise.tests for promise in found)
    assert len(found) == sum(line.startswith("| ") and "::" in line for line in page.splitlines())
    assert promises(ROWS) == [PROMISE]


@pytest.mark.parametrize(
    ("passed", "failed", "verdict"),
    [
        (PROMISE.tests, (), "holds"),
        (PROMISE.tests, PROMISE.tests[:1], "BROKEN"),
        (PROMISE.tests[:1], (), "not proven"),
        ((), (), "not proven"),
    ],
)
def test_a_promise_holds_when_all_of_its_tests_have_passed(
    passed: tuple[str, ...], failed: tuple[str, ...], verdict: str
) -> None:
    outcomes = Outcomes()
    outcomes.passed.update(passed)
    outcomes.failed.update(failed)
    assert outcomes.of(PROMISE) == verdict


def test_words_choose_rows() -> None:
    assert PROMISE.mentions(["till", "CHARGED"])
    assert not PROMISE.mentions(["till", "refund"])
    assert main(["no such words anywhere"]) == 2
