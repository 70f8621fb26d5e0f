"""Imports one plugin and checks what it registers; every failure names the plugin and the cause."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pluggy

from ..contracts import BackendRegistration
from ..errors import BackendLoadError
from ..secrets import Scrubber
from .hooks import REGISTER, check_hooks, describe, new_manager
from .registrations import problems_of
from .wording import listed

_scrub = Scrubber().text


def import_module_of(value: str, label: str, distribution: str) -> Any:
    """What an entry point's value names: a module, or an attribute of one."""
    name, _, attribute = value.partition("[")[0].strip().partition(":")
    module = import_by_name(name, label, f"pip install --force-reinstall {distribution}")
    return attribute_of(module, attribute, label) if attribute else module


def import_by_name(name: str, label: str, remedy: str) -> ModuleType:
    """Import a module; tells a module that is missing itself from one that misses another."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing and (name == missing or name.startswith(f"{missing}.")):
            message = f'{label} cannot be loaded: its module "{name}" does not exist; {remedy}'
        elif missing:
            message = (
                f'{label} cannot be loaded: it needs the Python module "{missing}", which is not '
                "installed"
            )
        else:
            message = f"{label} cannot be loaded: {describe(error, _scrub)}"
        raise BackendLoadError(message) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # A plugin that calls sys.exit() while it is imported is broken like any other.
        raise BackendLoadError(f"{label} cannot be loaded: {describe(error, _scrub)}") from error


def attribute_of(module: ModuleType, path: str, label: str) -> Any:
    """An attribute of an imported module, by its dotted path."""
    found: Any = module
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise BackendLoadError(
                f'{label} cannot be loaded: module "{module.__name__}" has no "{path}"'
            ) from error
    return found


def registration_from(module: Any, name: str, label: str) -> BackendRegistration:
    """What a backend module registers, checked; ``name`` is the entry point's."""
    manager = new_manager()
    hooks = check_hooks(manager, module, label)
    if REGISTER not in hooks:
        raise BackendLoadError(f"{label} registers nothing: it has no @hookimpl {REGISTER}()")
    if len(hooks) > 1:
        other = min(hooks - {REGISTER})
        raise BackendLoadError(
            f'{label} implements "{other}" beside "{REGISTER}"; put it into a module of its own '
            'in the entry-point group "omniman_payment.hooks"'
        )
    try:
        manager.register(module, name)
    except pluggy.PluginValidationError as error:
        raise BackendLoadError(f"{label} does not fit its hook: {error}") from error
    [implementation] = manager.hook.register_backend.get_hookimpls()
    try:
        registration: Any = implementation.function()
    except Exception as error:
        raise BackendLoadError(
            f"{label} failed in {REGISTER}(): {describe(error, _scrub)}"
        ) from error
    problems = problems_of(registration)
    if not problems and registration.name != name:
        problems = [
            f'it registers the name "{registration.name}"; the entry point calls it "{name}"'
        ]
    if problems:
        raise BackendLoadError(listed(f"{label} registers a backend wrongly", problems))
    checked: BackendRegistration = registration
    return checked
