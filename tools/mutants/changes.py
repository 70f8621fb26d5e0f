"""Every small change that can be made to a function or a table, one at a time.

What is said to people, which is any text with a blank in it, is left as it is: wording is no
promise. So are assertions, which are there for the type checker, and annotations.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Namespace = Mapping[str, Any]

_LONGEST = 100
_WORD = re.compile(r"[a-z][a-z0-9_.]{0,60}")
_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_TEXTS = (ast.JoinedStr, ast.Tuple, ast.List)
_NOT_CODE = ("annotation", "returns", "decorator_list", "type_comment")


@dataclass(frozen=True)
class Change:
    """One change at one place."""

    line: str
    """The statement it is in, without what is nested in it."""
    what: str
    lines: range
    """Where a test has to come by to be able to notice it."""
    tree: ast.stmt
    """The whole function or table, changed."""


def changes_of(tree: ast.stmt, names: Namespace) -> Iterator[Change]:
    """All changes of a function or of a module's assignment, in the order of its text."""
    seen = {ast.dump(tree)}
    counted = Counter[tuple[str, str]]()
    for holder, what, swap in list(_below(tree, tree, _Context(names, _assigned_again(tree)))):
        line, lines = _head(holder), _span(holder)
        undo = swap()
        changed = copy.deepcopy(tree)
        undo()
        dump = ast.dump(changed)
        if dump in seen:
            continue
        seen.add(dump)
        counted[line, what] += 1
        number = counted[line, what]
        yield Change(line, what if number == 1 else f"{what} ({number})", lines, changed)


Undo = Callable[[], None]
Site = tuple[ast.AST, str, Callable[[], Undo]]


@dataclass(frozen=True)
class _Context:
    """What has to be known about a name."""

    names: Namespace
    assigned_again: frozenset[str]

    def is_class(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and isinstance(self.names.get(node.id), type)


def _assigned_again(tree: ast.stmt) -> frozenset[str]:
    """Names that have a value without one of their assignments."""
    counted = Counter[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            counted[node.arg] += 1
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            counted[node.id] += 1
    return frozenset(name for name, count in counted.items() if count > 1)


def _below(node: ast.AST, holder: ast.AST, context: _Context) -> Iterator[Site]:
    """Where something can be changed: its statement, what is changed, and how."""
    for field, value in ast.iter_fields(node):
        if field in _NOT_CODE:
            continue
        if isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    sites = _at(node, child, (value, index), holder, context)
                    yield from _in_entry(node, index, sites)
        elif isinstance(value, ast.AST):
            yield from _at(node, value, (node, field), holder, context)


def _in_entry(node: ast.AST, index: int, sites: Iterator[Site]) -> Iterator[Site]:
    """What is changed in an entry of a dictionary is said with the entry's key."""
    for holder, what, swap in sites:
        key = node.keys[index] if isinstance(node, ast.Dict) else None
        yield holder, what if key is None else f"at {ast.unparse(key)}: {what}", swap


def _at(
    parent: ast.AST, node: ast.AST, place: tuple[Any, Any], holder: ast.AST, context: _Context
) -> Iterator[Site]:
    if isinstance(node, (ast.stmt, ast.match_case)):
        holder = node
    if _left_alone(node):
        return
    for what, other in _instead(parent, node, context):
        yield holder, what, _replace(place, other)
    for field, what, kept in _shortened(parent, node, context):
        yield holder, what, _replace((node, field), kept)
    yield from _below(node, holder, context)


def _left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.JoinedStr) and any(
        isinstance(part, ast.Constant) and " " in str(part.value) for part in node.values
    )


def _replace(place: tuple[Any, Any], other: Any) -> Callable[[], Undo]:
    container, key = place

    def swap() -> Undo:
        if isinstance(container, list):
            before = container[key]
            container[key] = other
            return lambda: container.__setitem__(key, before)
        before = getattr(container, key)
        setattr(container, key, other)
        return lambda: setattr(container, key, before)

    return swap


# -- one thing in place of another -----------------------------------------------------------


def _instead(parent: ast.AST, node: ast.AST, context: _Context) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.stmt):
        yield from _instead_of_statement(node, context)
        return
    if isinstance(node, ast.Dict):
        for index, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
            what = f"without {ast.unparse(key)}" if key else f"without **{ast.unparse(value)}"
            yield what, ast.Dict(_without(node.keys, index), _without(node.values, index))
    for other in _instead_of_expression(parent, node, context):
        yield f"{ast.unparse(node)} -> {ast.unparse(other)}", ast.copy_location(other, node)
    if isinstance(node, ast.expr) and _decides(parent, node):
        yield f"not ({ast.unparse(node)})", ast.copy_location(_not(node), node)


def _instead_of_statement(node: ast.stmt, context: _Context) -> Iterator[tuple[str, ast.AST]]:
    nothing = ast.copy_location(ast.Pass(), node)
    match node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Continue() | ast.Break():
            yield "removed", nothing
        case ast.Raise() | ast.Return(value=None):
            yield "removed", nothing
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield "removed", nothing
        case ast.Assign(targets=[ast.Name(id=name)]) if name in context.assigned_again:
            yield "removed", nothing
        case ast.Return(value=ast.Constant()):
            pass
        case ast.Return():
            other = ast.Return(value=ast.copy_location(ast.Constant(None), node))
            yield "returns None", ast.copy_location(other, node)


def _instead_of_expression(
    parent: ast.AST, node: ast.AST, context: _Context
) -> Iterator[ast.expr | ast.pattern]:
    match node:
        case ast.MatchOr(patterns=[one, other_one]):
            yield from (one, other_one)
        case ast.Compare(left=left, ops=[op], comparators=comparators):
            for other in _COMPARED[type(op)]:
                yield ast.Compare(left=left, ops=[other()], comparators=comparators)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for index, op in enumerate(ops):
                other = _COMPARED[type(op)][0]
                swapped = [*ops[:index], other(), *ops[index + 1 :]]
                yield ast.Compare(left=left, ops=swapped, comparators=comparators)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(op=ast.Or() if isinstance(op, ast.And) else ast.And(), values=values)
            for index in range(len(values)):
                rest = values[:index] + values[index + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op=op, values=rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _COMPUTED:
            texts = any(isinstance(side, _TEXTS) or _is_text(side) for side in (left, right))
            if not texts:
                yield ast.BinOp(left=left, op=_COMPUTED[type(op)](), right=right)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str(value)) if _WORD.fullmatch(value):
            if not isinstance(parent, ast.JoinedStr):
                yield ast.Constant(f"{value}_other")
        case ast.Name(id=name) if name in _OPPOSITES and isinstance(parent, ast.Call):
            yield ast.Name(id=_OPPOSITES[name], ctx=ast.Load())
        case ast.Attribute(value=ast.Name(id=owner), attr=attr):
            kind = context.names.get(owner)
            if isinstance(kind, type) and issubclass(kind, Enum) and attr in kind.__members__:
                members = list(kind.__members__)
                after = members[(members.index(attr) + 1) % len(members)]
                yield ast.Attribute(
                    value=ast.Name(id=owner, ctx=ast.Load()), attr=after, ctx=ast.Load()
                )


def _decides(parent: ast.AST, node: ast.expr) -> bool:
    """It is a condition, and its opposite is not made by another change already."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return False
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return False
    return isinstance(parent, (ast.If, ast.While, ast.IfExp)) and parent.test is node


def _not(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(op=ast.Not(), operand=node)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


# -- a list without one of its parts -----------------------------------------------------------


def _shortened(parent: ast.AST, node: ast.AST, context: _Context) -> Iterator[tuple[str, str, Any]]:
    """The field that becomes shorter, what is said of it, and what is left."""
    match node:
        case ast.Call(keywords=keywords):
            for index, keyword in enumerate(keywords):
                if keyword.arg is not None:
                    yield "keywords", f"without {keyword.arg}=", _without(keywords, index)
        case ast.Tuple(elts=elts) | ast.List(elts=elts) | ast.Set(elts=elts):
            if _is_choice(parent, node, elts, context):
                for index, one in enumerate(elts):
                    yield "elts", f"without {ast.unparse(one)}", _without(elts, index)
        case ast.Match(cases=cases) if len(cases) > 1:
            for index, case in enumerate(cases):
                yield "cases", f"without case {ast.unparse(case.pattern)}", _without(cases, index)
        case ast.match_case(guard=ast.expr() as guard):
            yield "guard", f"without if {ast.unparse(guard)}", None
        case ast.MatchOr(patterns=patterns) if len(patterns) > 2:
            for index, pattern in enumerate(patterns):
                yield "patterns", f"without | {ast.unparse(pattern)}", _without(patterns, index)
        case ast.comprehension(ifs=ifs):
            for index, one in enumerate(ifs):
                yield "ifs", f"without if {ast.unparse(one)}", _without(ifs, index)
        case ast.JoinedStr(values=values) if len(values) > 1:
            for index, one in enumerate(values):
                if isinstance(one, ast.FormattedValue):
                    what = f"without {{{ast.unparse(one.value)}}}"
                    yield "values", what, _without(values, index)


def _is_choice(parent: ast.AST, node: ast.expr, elts: list[ast.expr], context: _Context) -> bool:
    """A collection of which each member counts for itself, not a record of several values."""
    if isinstance(parent, ast.Compare):
        return any(isinstance(op, (ast.In, ast.NotIn)) for op in parent.ops)
    if isinstance(parent, ast.ExceptHandler):
        return True
    if isinstance(getattr(node, "ctx", ast.Load()), ast.Store):
        return False
    return isinstance(node, ast.Set) or all(
        isinstance(one, ast.Attribute) and context.is_class(one.value) for one in elts
    )


def _without(parts: list[Any], index: int) -> list[Any]:
    return parts[:index] + parts[index + 1 :]


# -- where it is -------------------------------------------------------------------------------


def _head(node: ast.AST) -> str:
    """The first line of a statement, on one line and not too long."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return f"def {node.name}"
    first = ast.unparse(node).strip().splitlines()[0]
    return first if len(first) <= _LONGEST else f"{first[:_LONGEST]}..."


def _span(node: ast.AST) -> range:
    """The lines of a statement itself, without those of the statements in it."""
    if isinstance(node, ast.match_case):
        return range(node.pattern.lineno, node.pattern.end_lineno + 1)
    assert isinstance(node, ast.stmt)
    first, last = node.lineno, node.end_lineno or node.lineno
    match node:
        case ast.Match(subject=subject):
            last = subject.end_lineno or first
        case ast.If() | ast.For() | ast.While() | ast.With() | ast.Try():
            last = max(first, node.body[0].lineno - 1)
    return range(first, last + 1)
