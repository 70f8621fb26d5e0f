"""The changes that the mutation tests make: what is changed, what is not, and how it is called."""

from __future__ import annotations

import ast
import textwrap
from enum import Enum

import pytest

from tools.mutants.changes import Change, changes_of


class Colour(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


def changes(text: str) -> list[Change]:
    (tree,) = ast.parse(textwrap.dedent(text)).body
    return list(changes_of(tree, {"Colour": Colour}))


def bodies(text: str) -> list[str]:
    """What a function of one statement becomes."""
    return [
        ast.unparse(change.tree.body[0])
        for change in changes(f"def f(a, b, c):\n    {text}")
        if isinstance(change.tree, ast.FunctionDef)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("return a < b", ["return None", "return a <= b", "return a >= b"]),
        ("return a == b", ["return None", "return a != b"]),
        ("return a is None", ["return None", "return a is not None"]),
        ("return a <= b < c", ["return None", "return a < b < c", "return a <= b <= c"]),
        ("return a and b", ["return None", "return a or b", "return b", "return a"]),
        ("return not a", ["return None", "return a"]),
        ("return a + b", ["return None", "return a - b"]),
        ("return a // 2", ["return None", "return a * 2", "return a // 3"]),
        ("return True", ["return False"]),
        ("return 'some_code'", ["return 'some_code_other'"]),
        ("return Colour.BLUE", ["return None", "return Colour.RED"]),
        ("return f(a, b=b)", ["return None", "return f(a)"]),
        ("return min(a, b)", ["return None", "return max(a, b)"]),
        ("return f'{a}:{b}'", ["return None", "return f':{b}'", "return f'{a}:'"]),
        ("return {'a b': a, c: b}", ["return None", "return {c: b}", "return {'a b': a}"]),
        ("return a in (b, c)", ["return None", "return a not in (b, c)", "return a in (c,)"]),
        ("return [x for x in a if x]", ["return None", "return [x for x in a]"]),
        ("f(a)", ["pass"]),
        ("a = b", ["pass"]),
        ("d = b", []),
        ("a.b = c", ["pass"]),
        ("raise a", ["pass"]),
    ],
)
def test_each_kind_of_rule_is_changed(text: str, expected: list[str]) -> None:
    found = bodies(text)
    assert found[: len(expected)] == expected
    assert len(found) >= len(expected)


@pytest.mark.parametrize(
    "text",
    ["'a documentation'", "assert a < b", "d: min = a", "raise_ = f'it has {a + b} parts'"],
)
def test_what_promises_nothing_is_left_alone(text: str) -> None:
    assert bodies(text) == []


def test_a_condition_is_turned_round_where_no_comparison_can_be() -> None:
    assert "if not f(a):\n    pass" in bodies("if f(a): pass")
    assert not any("not" in body for body in bodies("if a < b: pass"))


def test_the_cases_of_a_match_are_taken_away_one_by_one() -> None:
    text = """
        def f(a, b):
            match a:
                case 1 | 2 if b:
                    return 1
                case _:
                    return 2
        """
    said = {change.what for change in changes(text)}
    assert said >= {"without case 1 | 2", "without case _", "without if b", "1 | 2 -> 1"}


def test_a_change_is_told_from_all_others_and_from_the_place_of_its_line() -> None:
    text = "def f(a):\n    if a > 0:\n        g(1)\n        g(1)\n    return {a: 1, 2: a}"
    before = changes(text)
    after = changes(f"\n\n\n{text}")
    keys = [(change.line, change.what) for change in before]
    assert keys == [(change.line, change.what) for change in after]
    assert len(keys) == len(set(keys))
    assert ("g(1)", "removed (2)") in keys
    assert ("return {a: 1, 2: a}", "at a: 1 -> 2") in keys
    assert [change.lines.start for change in after] == [c.lines.start + 3 for c in before]


def test_a_change_of_a_condition_is_noticed_where_the_condition_stands() -> None:
    (first, *_) = changes("def f(a):\n    if (a >\n        0):\n        return 1\n    return 2")
    assert first.line == "if a > 0:"
    assert list(first.lines) == [2, 3]


def test_no_change_leaves_a_trace_in_the_next() -> None:
    text = "def f(a, b):\n    if a and b or a < b:\n        g(a, b=b)\n    return f'{a}:{b}'"
    original = ast.unparse(ast.parse(text))
    changed = [ast.unparse(change.tree) for change in changes(text)]
    assert original not in changed
    assert len(set(changed)) == len(changed)
    for one in changed:
        lines = zip(one.splitlines(), original.splitlines(), strict=True)
        assert sum(a != b for a, b in lines) == 1
