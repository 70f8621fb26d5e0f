"""Checks the frame of a list and of a search's result, which the SDK leaves untyped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jsonschema import Draft202012Validator

from .schemas import violations

_FRAME: dict[str, Any] = {
    "data": {"type": "array"},
    "has_more": {"type": "boolean"},
    "url": {"type": "string", "pattern": "^/v1/"},
}


def _page(kind: str, **more: Any) -> Draft202012Validator:
    return Draft202012Validator(
        {
            "type": "object",
            "properties": {"object": {"const": kind}, **_FRAME, **more},
            "required": ["object", *_FRAME],
            "additionalProperties": False,
        }
    )


PAGES = {
    "list": _page("list"),
    "search_result": _page(
        "search_result", next_page={"type": ["string", "null"]}, total_count={"type": "integer"}
    ),
}


def page_violations(page: dict[str, Any], judge: Callable[[Any], list[str]]) -> list[str]:
    """What is wrong with the frame, and what ``judge`` finds in the objects inside it."""
    kind = page["object"]
    found = violations(PAGES[kind], page, kind)
    items = page.get("data")
    return found + [
        line for item in (items if isinstance(items, list) else ()) for line in judge(item)
    ]
