"""Checks a request that was sent to Stripe's API against Stripe's own schema of its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from . import differences
from .forms import Form, as_boolean, as_integer, as_list, nested
from .schemas import violations

_FORM = "application/x-www-form-urlencoded"


class RequestSchemas:
    """The requests that a contract document describes, each ready to be checked."""

    def __init__(self, document: Any) -> None:
        self._operations: dict[tuple[str, str], Draft202012Validator] = {}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                schema = _parameters(operation)
                differences.add_newer_parameters(schema)
                self._operations[method.upper(), path] = Draft202012Validator(schema)
        # A path without a placeholder wins over one that has it: /search over /{intent}.
        self._patterns = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path)
            for path in sorted(document["paths"], key=lambda path: path.count("{"))
        ]

    def covers(self, path: str) -> bool:
        """Whether the document says anything about this path."""
        return self._template(path) is not None

    def violations(self, method: str, path: str, form: Form) -> list[str]:
        """What Stripe would not accept in this request; ``form`` is its body or its query."""
        template = self._template(path)
        validator = self._operations.get((method.upper(), template or ""))
        if validator is None:
            return [f"{method} {path}: no such operation"]
        value = _read(nested(form), validator.schema)
        return violations(validator, value, f"{method} {template}")

    def _template(self, path: str) -> str | None:
        found = (template for pattern, template in self._patterns if pattern.fullmatch(path))
        return next(found, None)


def _parameters(operation: dict[str, Any]) -> dict[str, Any]:
    """The schema of everything that an operation takes, from its body and from its query."""
    body = operation["requestBody"]["content"][_FORM]["schema"]
    query = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
    return {
        "type": "object",
        "properties": body["properties"] | {each["name"]: each["schema"] for each in query},
        "required": [
            *body.get("required", ()),
            *(each["name"] for each in query if each["required"]),
        ],
        "additionalProperties": False,
    }


def _read(value: Any, schema: Any) -> Any:
    """The value that Stripe sees when it reads a form's strings by this schema."""
    branches = schema.get("anyOf")
    if branches:
        readings = [_read(value, branch) for branch in branches]
        fitting = zip(readings, branches, strict=True)
        return next(
            (read for read, branch in fitting if Draft202012Validator(branch).is_valid(read)),
            readings[0],
        )
    match schema.get("type"):
        case "integer":
            return as_integer(value)
        case "boolean":
            return as_boolean(value)
        case "array":
            items = as_list(value)
            if isinstance(items, list):
                return [_read(item, schema.get("items", {})) for item in items]
        case "object" if isinstance(value, dict):
            return dict(_read_names(value, schema))
    return value


def _read_names(value: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, inner in value.items():
        known = properties.get(name, others if isinstance(others, dict) else {})
        yield name, _read(inner, known)
