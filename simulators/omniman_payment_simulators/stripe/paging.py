"""Lists as Stripe pages them: newest first, from and to an object, within a span of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .errors import ApiError, missing_resource, unvalidated
from .objects import list_of

Json = dict[str, Any]
LONGEST = 100


def page(url: str, kind: str, found: Iterable[Json], given: Json) -> Json:
    """One page of what was found; ``found`` is oldest first."""
    newest, limit = list(found)[::-1], limit_of(given)
    after, before = given.get("starting_after"), given.get("ending_before")
    if after is not None and before is not None:
        raise unvalidated(
            "You may only specify one of these parameters: ending_before, starting_after.",
            code=None,
            param="ending_before",
        )
    if before is not None:
        newer = newest[: _place(newest, before, kind, "ending_before")]
        return list_of(url, newer[-limit:], len(newer) > limit)
    if after is not None:
        newest = newest[_place(newest, after, kind, "starting_after") + 1 :]
    return list_of(url, newest[:limit], len(newest) > limit)


def search_page(url: str, found: Iterable[Json], given: Json) -> Json:
    """One page of what a search found; its pages have names of their own."""
    newest, limit = list(found)[::-1], limit_of(given)
    start = _start(given.get("page"), len(newest))
    more = len(newest) > start + limit
    return {
        **list_of(url, newest[start : start + limit], more),
        "object": "search_result",
        "next_page": f"page_{start + limit}" if more else None,
    }


def limit_of(given: Json) -> int:
    """How many are wanted."""
    limit = given.get("limit", 10)
    if not 1 <= limit <= LONGEST:
        bound = "less than or equal to 100" if limit > LONGEST else "greater than or equal to 1"
        raise unvalidated(
            f"This value must be {bound}.", code="parameter_invalid_integer", param="limit"
        )
    return int(limit)


def in_span(at: int, given: Json) -> bool:
    """Whether a time is within what ``created`` asks for."""
    return all(_BOUNDS[name](at, bound) for name, bound in given.get("created", {}).items())


_BOUNDS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda at, bound: at > bound,
    "gte": lambda at, bound: at >= bound,
    "lt": lambda at, bound: at < bound,
    "lte": lambda at, bound: at <= bound,
}


def _place(newest: list[Json], number: str, kind: str, param: str) -> int:
    for place, item in enumerate(newest):
        if item["id"] == number:
            return place
    raise missing_resource(kind, number, param, status=400)


def _start(name: str | None, length: int) -> int:
    if not name:
        return 0
    number = name.removeprefix("page_")
    if number == name or not number.isdecimal() or int(number) > length:
        raise _no_such_page(name)
    return int(number)


def _no_such_page(name: str) -> ApiError:
    return unvalidated(f"Invalid page: {name}", code=None, param="page")
