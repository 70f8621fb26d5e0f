"""A backend given by the dotted path of its class, as the specification page has it.

Such a class declares nothing, so little is promised for it: any config, all of it secret;
any currency; "not found" proves nothing. A class attribute ``key_window`` (a timedelta, or
``None`` for ever) says how long its gateway remembers idempotency keys; without one, a day.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from ..contracts import BackendRegistration
from ..errors import BackendLoadError
from .loading import attribute_of, import_by_name
from .registrations import problems_of
from .settings import place_of
from .wording import kind_of, listed

DEFAULT_KEY_WINDOW = timedelta(hours=24)


def registration_of_class(path: str, account: str) -> BackendRegistration:
    """Import the class an account names and derive what a plugin would have registered."""
    place = place_of(account, "class")
    label = f'{place} "{path}"'
    module_name, _, attribute = path.rpartition(".")
    module = import_by_name(module_name, label, "check the path")
    found = attribute_of(module, attribute, label)
    if not inspect.isclass(found):
        raise BackendLoadError(f"{label} is {kind_of(found)}, not a class")
    registration = derived_registration(path, found, _build_with(found))
    problems = problems_of(registration)
    if problems:
        raise BackendLoadError(listed(f"{label} cannot be used", problems))
    return registration


def derived_registration(
    name: str, backend: object, build: Callable[[Mapping[str, Any]], Any]
) -> BackendRegistration:
    """The careful registration of a backend that declares nothing."""
    return BackendRegistration(
        name, build, key_window=getattr(backend, "key_window", DEFAULT_KEY_WINDOW)
    )


def _build_with(backend: Callable[..., Any]) -> Callable[[Mapping[str, Any]], Any]:
    def build(config: Mapping[str, Any]) -> Any:
        if config or _takes_config(backend):
            return backend(dict(config))
        return backend()

    return build


def _takes_config(backend: Callable[..., Any]) -> bool:
    try:
        inspect.signature(backend).bind({})
    except TypeError:
        return False
    return True
