"""The part of Stripe's search language that finds PaymentIntents: docs.stripe.com/search.

A query is up to ten clauses, joined by AND or by OR, but not by both. ``field:'value'`` is equal,
``field>5`` compares numbers, a leading ``-`` negates, and ``null`` stands for metadata that is not
there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import eq, ge, gt, le, lt

from .errors import ApiError, unvalidated
from .records import Intent

Fits = Callable[[Intent], bool]
MOST_CLAUSES = 10

_CLAUSE = re.compile(
    r"""\s*(?P<no>-?)
    (?:metadata\[(?P<q>["'])(?P<name>(?:\\.|(?!(?P=q)).)*)(?P=q)\]|(?P<field>\w+))
    \s*(?P<op>:|>=|<=|>|<)\s*
    (?:(?P<v>["'])(?P<value>(?:\\.|(?!(?P=v)).)*)(?P=v)|(?P<bare>null|\d+))\s*""",
    re.VERBOSE | re.DOTALL,
)
_JOIN = re.compile(r"(AND|OR)(?=\s)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_TEXTS = ("currency", "customer", "status")
_NUMBERS = ("amount", "created")
_COMPARE: dict[str, Callable[[int, int], bool]] = {":": eq, ">": gt, "<": lt, ">=": ge, "<=": le}


def matcher(query: str) -> Fits:
    """What a query asks of an intent; raises for one that cannot be read."""
    clauses: list[Fits] = []
    joins: set[str] = set()
    place = 0
    while True:
        found = _CLAUSE.match(query, place)
        if found is None:
            raise _unreadable()
        clauses.append(_clause(found))
        place = found.end()
        if place == len(query):
            break
        joined = _JOIN.match(query, place)
        if joined is None:
            raise unvalidated("Clauses are joined with AND or OR.", code=None, param="query")
        joins.add(joined[1].upper())
        place = joined.end()
    if len(clauses) > MOST_CLAUSES:
        raise unvalidated(f"A query has at most {MOST_CLAUSES} clauses.", code=None, param="query")
    if len(joins) > 1:
        raise unvalidated("A query has AND or OR, not both.", code=None, param="query")
    if "OR" in joins:
        return lambda intent: any(fits(intent) for fits in clauses)
    return lambda intent: all(fits(intent) for fits in clauses)


def _clause(found: re.Match[str]) -> Fits:
    fits = _metadata(found) if found["field"] is None else _field(found)
    if found["no"]:
        return lambda intent: not fits(intent)
    return fits


def _metadata(found: re.Match[str]) -> Fits:
    name = _ESCAPE.sub(r"\1", found["name"])
    if found["op"] != ":":
        raise _unreadable()
    if found["bare"] == "null":
        return lambda intent: name not in intent.metadata
    value = _value(found).casefold()
    return lambda intent: name in intent.metadata and intent.metadata[name].casefold() == value


def _field(found: re.Match[str]) -> Fits:
    field, value = found["field"], _value(found)
    if field in _NUMBERS and value.isdecimal():
        compare, number = _COMPARE[found["op"]], int(value)
        return lambda intent: compare(getattr(intent, field), number)
    if field not in _TEXTS or found["op"] != ":" or found["bare"]:
        raise _unreadable()
    return lambda intent: getattr(intent, field) == value


def _value(found: re.Match[str]) -> str:
    return found["bare"] or _ESCAPE.sub(r"\1", found["value"] or "")


def _unreadable() -> ApiError:
    return unvalidated(
        "We were unable to parse your search query. Try a query of the form "
        "`metadata['name']:'value'`.",
        code=None,
        param="query",
    )
