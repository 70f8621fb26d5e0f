"""Reads parameters strictly: what an endpoint does not know is refused, and so is a wrong kind."""

from __future__ import annotations

import re
from typing import Any

from .errors import unvalidated

_INTEGER = re.compile(r"-?[0-9]{1,18}")
MOST_KEYS, LONGEST_NAME, LONGEST_VALUE = 50, 40, 500

TEXT, INTEGER, BOOLEAN, METADATA, TEXTS, RANGE, NO_LONGER, NOT_SIMULATED = (
    "text",
    "integer",
    "boolean",
    "metadata",
    "texts",
    "range",
    "no longer",
    "not simulated",
)
Shape = str | dict[str, Any]


def read(form: dict[str, Any], shape: dict[str, Shape], *required: str) -> dict[str, Any]:
    """The parameters with their kinds; raises for an unknown, missing or malformed one."""
    found = _object(form, shape, "")
    for name in required:
        if name not in found:
            raise unvalidated(
                f"Missing required param: {name}.", code="parameter_missing", param=name
            )
    return found


def _object(form: dict[str, Any], shape: dict[str, Shape], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in form.items():
        param = f"{prefix}[{name}]" if prefix else name
        if name not in shape:
            raise unvalidated(
                f"Received unknown parameter: {param}", code="parameter_unknown", param=param
            )
        found[name] = _value(value, shape[name], param)
    return found


def _value(value: Any, shape: Shape, param: str) -> Any:
    if shape == NOT_SIMULATED:
        raise unvalidated(
            f"Stripe knows the parameter {param}, and this simulator does not simulate it: a test "
            "that passed without its effect would prove nothing. Leave it out here.",
            code="parameter_not_simulated",
            param=param,
        )
    if shape == NO_LONGER:
        raise unvalidated(
            f"The `{param}` parameter is no longer supported on this API version. Use "
            "`automatic_payment_methods` or `allowed_payment_method_types` instead.",
            code=f"{param}_no_longer_supported",
            param=param,
        )
    if isinstance(shape, dict):
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise unvalidated("Invalid object", code="parameter_invalid_object", param=param)
        return _object(value, shape, param)
    if shape == METADATA:
        return _metadata(value, param)
    if shape == TEXTS:
        items = value if isinstance(value, list) else [value] if isinstance(value, str) else None
        if items is None or not all(isinstance(item, str) for item in items):
            raise unvalidated("Invalid array", code="parameter_invalid_array", param=param)
        return items
    if shape == RANGE:
        if isinstance(value, dict):
            return _object(value, _BOUNDS, param)
        return {"gte": (number := _value(value, INTEGER, param)), "lte": number}
    if not isinstance(value, str):
        raise unvalidated(
            "Invalid string: must be a string", code="parameter_invalid_string", param=param
        )
    if shape == INTEGER and not value:
        raise unvalidated(
            f"You passed an empty string for '{param}'. We assume empty values are an attempt to "
            f"unset a field; however '{param}' cannot be unset. You should remove '{param}' from "
            "your request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=param,
        )
    if shape == INTEGER:
        if not _INTEGER.fullmatch(value):
            raise unvalidated(
                f"Invalid integer: {value}", code="parameter_invalid_integer", param=param
            )
        return int(value)
    if shape == BOOLEAN:
        if value not in ("true", "false"):
            raise unvalidated(
                f"Invalid boolean: {value}", code="parameter_invalid_boolean", param=param
            )
        return value == "true"
    return value


def _metadata(value: Any, param: str) -> dict[str, str]:
    """The entries; an empty value takes one away, and nothing at all takes every one away."""
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise unvalidated("Invalid object", code="parameter_invalid_object", param=param)
    for name, item in value.items():
        if not isinstance(item, str):
            raise unvalidated(
                "Metadata values must be strings, but for key "
                f"{name} you passed in a value of type object",
                code=None,
                param=param,
            )
        if len(name) > LONGEST_NAME:
            raise unvalidated(
                f"Metadata keys can have up to {LONGEST_NAME} characters, but you passed in a "
                f"key that is {len(name)} characters. Invalid key: {name}",
                code=None,
                param=param,
            )
        if len(item) > LONGEST_VALUE:
            raise unvalidated(
                f"Metadata values can have up to {LONGEST_VALUE} characters, but you passed in a "
                f"value that is {len(item)} characters. Invalid value: {item}",
                code=None,
                param=param,
            )
    if len(value) > MOST_KEYS:
        raise unvalidated(
            f"Metadata can have up to {MOST_KEYS} keys, but you passed in {len(value)}",
            code=None,
            param=param,
        )
    return {name: str(item) for name, item in value.items()}


_BOUNDS: dict[str, Shape] = dict.fromkeys(("gt", "gte", "lt", "lte"), INTEGER)
