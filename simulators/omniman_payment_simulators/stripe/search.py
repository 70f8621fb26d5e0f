"""The part of Stripe's search language that finds PaymentIntents: docs.stripe.com/search."""

from __future__ import annotations

import re
from collections.abc import Callable

from .errors import unvalidated
from .records import Intent

_CLAUSE = re.compile(
    r"""\s*(?:(?P<meta>metadata)\[(?P<q>["'])(?P<name>(?:\\.|(?!(?P=q)).)*)(?P=q)\]|(?P<field>\w+))
    \s*:\s*(?P<v>["'])(?P<value>(?:\\.|(?!(?P=v)).)*)(?P=v)\s*""",
    re.VERBOSE | re.DOTALL,
)
_AND = re.compile(r"AND(?=\s)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_FIELDS = ("status", "currency", "customer")


def matcher(query: str) -> Callable[[Intent], bool]:
    """What a query asks of an intent; raises for one that cannot be read."""
    clauses: list[Callable[[Intent], bool]] = []
    place = 0
    while True:
        found = _CLAUSE.match(query, place)
        if found is None or (found["field"] and found["field"] not in _FIELDS):
            raise unvalidated(
                "We were unable to parse your search query. Try a query of the form "
                "`metadata['name']:'value'`.",
                code=None,
                param="query",
            )
        clauses.append(_clause(found))
        place = found.end()
        if place == len(query):
            return lambda intent: all(clause(intent) for clause in clauses)
        joined = _AND.match(query, place)
        if joined is None:
            raise unvalidated("Clauses are joined with AND.", code=None, param="query")
        place = joined.end()


def _clause(found: re.Match[str]) -> Callable[[Intent], bool]:
    value = _ESCAPE.sub(r"\1", found["value"])
    if found["meta"]:
        name = _ESCAPE.sub(r"\1", found["name"])
        return lambda intent: intent.metadata.get(name, "").casefold() == value.casefold()
    field = found["field"]
    return lambda intent: getattr(intent, field) == value
