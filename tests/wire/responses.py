"""Checks an answer or a notification against Stripe's own schema of the object that it is."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from . import differences
from .pages import PAGES, page_violations
from .schemas import as_json_schema, violations

_URI = "urn:stripe"


class ResponseSchemas:
    """The objects that a contract document describes, brought up to the version we pin."""

    def __init__(self, document: Any) -> None:
        components = as_json_schema(document["components"]["schemas"])
        differences.bring_up_to_date(components)
        root = {"components": {"schemas": components}}
        self._registry: Registry[Any] = Registry().with_resource(
            _URI, Resource.from_contents(root, default_specification=DRAFT202012)
        )
        self.components: dict[str, Any] = components
        self._validators: dict[str, Draft202012Validator] = {}

    def violations(self, answer: Any) -> list[str]:
        """What Stripe would not have sent in this body, judged by its ``object`` field."""
        if not isinstance(answer, dict):
            return [f"{answer!r} is no object"]
        kind = "error" if "error" in answer else answer.get("object")
        if kind in PAGES:
            return page_violations(answer, self.violations)
        if kind not in self.components:
            return [f"object: Stripe knows no {kind!r}"]
        found = violations(self._validator(kind), answer, kind)
        if kind == "event" and isinstance(answer.get("data"), dict):
            found += self.violations(answer["data"].get("object"))
        return found

    def _validator(self, kind: str) -> Draft202012Validator:
        if kind not in self._validators:
            schema = {"$ref": f"{_URI}#/components/schemas/{kind}"}
            self._validators[kind] = Draft202012Validator(schema, registry=self._registry)
        return self._validators[kind]
