"""Turns an OpenAPI 3.0 schema into JSON Schema, and tells what a value breaks in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError


def as_json_schema(schema: Any) -> Any:
    """The same schema with ``nullable`` spelled as JSON Schema does, and closed.

    Closed: an object with named properties has no others, so that a misspelled name is found.
    """
    if isinstance(schema, list):
        return [as_json_schema(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        word: (
            {name: as_json_schema(inner) for name, inner in value.items()}
            if word == "properties"
            else as_json_schema(value)
        )
        for word, value in schema.items()
        if word not in _NOT_RULES
    }
    if plain.get("properties"):
        plain.setdefault("additionalProperties", False)
    if schema.get("nullable"):
        _allow_null(plain)
    return plain


def violations(validator: Draft202012Validator, value: Any, name: str) -> list[str]:
    """Every rule that ``value`` breaks, each with the path to what breaks it."""
    return [line for error in validator.iter_errors(value) for line in _told(error, name)]


_NOT_RULES = frozenset({"description", "title", "nullable", "x-expansionResources", "format"})


def _allow_null(schema: dict[str, Any]) -> None:
    if "anyOf" in schema:
        schema["anyOf"].append({"type": "null"})
        return
    schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]


def _told(error: ValidationError, name: str) -> Iterator[str]:
    if error.validator != "anyOf":
        path = "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path
        )
        yield f"{name}{path}: {error.message[:200]}"
        return
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    here = error.absolute_path
    # The branch that was meant takes this kind of value, and has least to say against it.
    meant = [
        found
        for found in branches.values()
        if not any(e.validator == "type" and e.absolute_path == here for e in found)
    ]
    for inner in min(meant or branches.values(), key=len):
        yield from _told(inner, name)
