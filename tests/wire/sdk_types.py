"""Checks plain data against the type annotations of the Stripe SDK's own classes.

Unions are read strictly: where Stripe lists the values of a field, the SDK also allows any other
string, so that tomorrow's values do not break its users. What we send and simulate is today's.
"""

from __future__ import annotations

import functools
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Union

import stripe
import typing_extensions
from stripe._list_object import ListObject
from stripe._request_options import RequestOptions
from stripe._stripe_object import StripeObject, UntypedStripeObject

from .forms import as_boolean, as_integer, as_list, nested

_READERS: dict[Any, Callable[[Any], Any]] = {int: as_integer, bool: as_boolean, list: as_list}
_IMPORTED_AS = {"CardResource": "Card"}
"""Names that the SDK gives to its classes where it needs them for annotations only."""

_OPTIONS = frozenset(RequestOptions.__annotations__)
"""Keys that the SDK's parameter types inherit but that never reach the wire."""


def parameter_violations(params: type, form: Any) -> list[str]:
    """What in a form does not fit the TypedDict of its parameters."""
    return list(_Check(from_form=True).typed(nested(form), params, "", params.__module__))


def object_violations(kind: type[StripeObject], value: Any) -> list[str]:
    """What in an answer does not fit the SDK's class for it."""
    return list(_Check(from_form=False).typed(value, kind, "", kind.__module__))


@functools.cache
def fields_of(kind: type) -> dict[str, Any]:
    """The fields on the wire of a TypedDict or an object of the SDK, with their annotations."""
    fields: dict[str, Any] = {"object": Literal["list"]} if kind is ListObject else {}
    for base in reversed(kind.__mro__[:-1]):
        if base.__module__.startswith("stripe.") and base is not StripeObject:
            fields.update(vars(base).get("__annotations__", {}))
    inherited = _OPTIONS if typing_extensions.is_typeddict(kind) else frozenset[str]()
    return {
        name: hint
        for name, hint in fields.items()
        if not name.startswith("_") and not name.isupper() and name not in inherited
    }


class _Names(Mapping[str, Any]):
    """What a name in an annotation means: its module's, else the SDK's public one."""

    def __init__(self, module: str) -> None:
        self._module = vars(sys.modules[module])

    def __getitem__(self, name: str) -> Any:
        if name in self._module:
            return self._module[name]
        try:
            return getattr(stripe, _IMPORTED_AS.get(name, name))
        except AttributeError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._module)

    def __len__(self) -> int:
        return len(self._module)


class _Check:
    def __init__(self, *, from_form: bool) -> None:
        self._from_form = from_form

    def typed(self, value: Any, wanted: Any, where: str, module: str) -> Iterator[str]:
        if isinstance(wanted, (str, typing.ForwardRef)):
            text = wanted if isinstance(wanted, str) else wanted.__forward_arg__
            wanted = eval(text, {}, _Names(module))  # an annotation of the SDK, as typing does
        origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
        if origin in (typing_extensions.NotRequired, typing_extensions.Required):
            yield from self.typed(value, arguments[0], where, module)
        elif wanted in (Any, object) or isinstance(wanted, typing.TypeVar):
            return
        elif origin in (Union, types.UnionType):
            yield from self._union(value, arguments, where, module)
        elif origin is Literal:
            if value not in arguments:
                yield f"{where}: {value!r} is none of {_few(arguments)}"
        elif origin is list:
            yield from self._list(self._read(value, list), arguments[0], where, module)
        elif origin in (dict, UntypedStripeObject):
            yield from self._mapping(value, arguments[-1], where, module)
        elif origin is ListObject:
            yield from self._fields(value, ListObject, where)
            if isinstance(value, dict):
                items = value.get("data", [])
                yield from self._list(items, arguments[0], f"{where}.data", module)
        elif wanted is types.NoneType:
            if value is not None:
                yield f"{where}: {value!r} is not null"
        elif isinstance(wanted, type) and (
            typing_extensions.is_typeddict(wanted) or issubclass(wanted, StripeObject)
        ):
            yield from self._fields(value, wanted, where)
        else:
            read = self._read(value, wanted)
            if not isinstance(read, wanted) or (isinstance(read, bool) and wanted is not bool):
                yield f"{where}: {value!r} is no {wanted.__name__}"

    def _read(self, value: Any, wanted: Any) -> Any:
        return _READERS.get(wanted, lambda same: same)(value) if self._from_form else value

    def _union(
        self, value: Any, branches: tuple[Any, ...], where: str, module: str
    ) -> Iterator[str]:
        listed = [
            allowed
            for branch in branches
            if typing.get_origin(branch) is Literal
            for allowed in typing.get_args(branch)
        ]
        if any(allowed != "" for allowed in listed):
            branches = tuple(branch for branch in branches if branch is not str)
        answers = [list(self.typed(value, branch, where, module)) for branch in branches]
        if [] not in answers:
            # The branch that accepts the kind of thing and least objects to its inside was meant.
            meant = [found for found in answers if not found[0].startswith(f"{where}: ")]
            yield from min(meant or answers, key=len)

    def _list(self, value: Any, item: Any, where: str, module: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where}: {value!r} is no list"
            return
        for index, inner in enumerate(value):
            yield from self.typed(inner, item, f"{where}[{index}]", module)

    def _mapping(self, value: Any, item: Any, where: str, module: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where}: {value!r} is no mapping"
            return
        for name, inner in value.items():
            yield from self.typed(inner, item, f"{where}.{name}", module)

    def _fields(self, value: Any, kind: type, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where}: {value!r} is no {kind.__name__}"
            return
        fields = fields_of(kind)
        for name, inner in value.items():
            if name not in fields:
                yield f"{where}.{name}: the SDK knows no such name in {kind.__qualname__}"
            else:
                yield from self.typed(inner, fields[name], f"{where}.{name}", kind.__module__)
        for name, hint in fields.items():
            if name not in value and not _may_be_absent(hint):
                yield f"{where}.{name}: is missing"


def _may_be_absent(hint: Any) -> bool:
    if typing.get_origin(hint) is typing_extensions.NotRequired:
        return True
    return typing.get_origin(hint) in (Union, types.UnionType) and types.NoneType in (
        typing.get_args(hint)
    )


def _few(values: tuple[Any, ...]) -> str:
    return ", ".join(map(repr, values[:8])) + (", ..." if len(values) > 8 else "")
