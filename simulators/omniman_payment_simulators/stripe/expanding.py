"""``expand[]``: objects in the place of their ids: docs.stripe.com/expand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .errors import unvalidated
from .method_objects import method_of
from .objects import charge_of, intent_of
from .records import Method
from .state import State

Json = dict[str, Any]
_DEEPEST = 4


def expand(state: State, rendered: Json, paths: Iterable[str]) -> Json:
    """The object with everything in it that the paths name."""
    for path in paths:
        pieces = path.split(".")
        if len(pieces) > _DEEPEST:
            raise unvalidated(
                f"You cannot expand more than {_DEEPEST} levels of a property",
                code=None,
                param="expand",
            )
        _expand(state, rendered, pieces, path)
    return rendered


def _expand(state: State, inside: Json, pieces: list[str], path: str) -> None:
    head, rest = pieces[0], pieces[1:]
    if head == "data" and isinstance(inside.get("data"), list):
        for item in inside["data"]:
            _expand(state, item, rest, path)
        return
    if inside.get("object") == "charge" and head == "refunds":
        inside.setdefault(
            "refunds", charge_of(state.charges[inside["id"]], refunds=True)["refunds"]
        )
    elif head not in _FINDERS or head not in inside:
        raise unvalidated(
            f"This property cannot be expanded ({path}).",
            code="property_not_expandable",
            param="expand",
        )
    elif isinstance(inside[head], str):
        inside[head] = _FINDERS[head](state, inside[head])
    below = inside[head]
    if rest and isinstance(below, dict):
        _expand(state, below, rest, path)


def _method(state: State, number: str) -> Json | None:
    method = state.methods.get(number)
    if method is None:
        charge = next((c for c in state.charges.values() if c.method == number), None)
        if charge is None:
            return None
        method = Method(number, charge.card, charge.created)
    return method_of(method)


_FINDERS = {
    "charge": lambda state, number: charge_of(state.charges[number]),
    "latest_charge": lambda state, number: charge_of(state.charges[number]),
    "payment_intent": lambda state, number: intent_of(state, state.intents[number]),
    "payment_method": _method,
}
