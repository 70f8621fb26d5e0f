"""Checks what a plugin says of its backend, so that a mistake shows at start and not in a sale."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..contracts import FEATURES, PROTOCOL_VERSION, BackendRegistration, Feature, Option
from ..currencies import KNOWN
from .wording import kind_of, nearest, quoted

KINDS: tuple[type, ...] = (str, int, bool, list, dict)
"""What an option can be."""


def problems_of(registration: Any) -> list[str]:
    """Everything that is wrong with a registration; the protocol's version first and alone."""
    if not isinstance(registration, BackendRegistration):
        return [f"register_backend() returned {kind_of(registration)}, not a BackendRegistration"]
    version: object = registration.protocol_version
    if isinstance(version, bool) or not isinstance(version, int):
        return [f"protocol_version is {kind_of(version)}, not a number"]
    if version > PROTOCOL_VERSION:
        return [
            f"it was written for protocol {version} and this core speaks {PROTOCOL_VERSION}; "
            "upgrade the core: pip install --upgrade omniman-payment-core"
        ]
    if version < PROTOCOL_VERSION:
        return [
            f"it was written for protocol {version} and this core speaks {PROTOCOL_VERSION}; "
            "upgrade the plugin"
        ]
    problems = []
    if not isinstance(registration.name, str) or not registration.name:
        problems.append("name is not a text")
    for name in ("build", "check"):
        value = getattr(registration, name)
        if not callable(value) and not (name == "check" and value is None):
            problems.append(f"{name} is {kind_of(value)}, not callable")
    for name in ("key_window", "absence_after"):
        window = getattr(registration, name)
        if window is not None and not (isinstance(window, timedelta) and window >= timedelta()):
            problems.append(f"{name} is not a timedelta of zero or more, nor None")
    return [
        *problems,
        *_options(registration.options),
        *_features(registration.features),
        *_currencies(registration.currencies),
    ]


def _options(options: Any) -> list[str]:
    if options is None:
        return []
    if not isinstance(options, (tuple, list)):
        return [f"options is {kind_of(options)}, not a tuple of Option"]
    problems: list[str] = []
    seen: set[str] = set()
    for option in options:
        if not isinstance(option, Option):
            problems.append(f"options holds {kind_of(option)}, not an Option")
        elif option.name in seen:
            problems.append(f'option "{option.name}" is declared twice')
        else:
            seen.add(option.name)
            problems += _option(option)
    return problems


def _option(option: Any) -> list[str]:
    if not isinstance(option.name, str) or not option.name:
        return ["an option has no name"]
    problems = []
    if option.kind not in KINDS:
        known = ", ".join(kind.__name__ for kind in KINDS)
        problems.append(f'option "{option.name}" has an unknown kind; it can be {known}')
    if option.check is not None and not callable(option.check):
        problems.append(f'option "{option.name}" has a check that is not callable')
    return problems


def _features(features: Any) -> list[str]:
    if not isinstance(features, Mapping):
        return [f"features is {kind_of(features)}, not a mapping"]
    problems = []
    for name, feature in features.items():
        if name not in FEATURES:
            problems.append(
                f'feature "{name}" is not known.{nearest(str(name), FEATURES)} '
                f"Known: {quoted(FEATURES)}"
            )
        elif not isinstance(feature, Feature):
            problems.append(f'feature "{name}" is {kind_of(feature)}, not a Feature')
    return problems


def _currencies(currencies: Any) -> list[str]:
    if currencies is None:
        return []
    if not isinstance(currencies, (frozenset, set)):
        return [f"currencies is {kind_of(currencies)}, not a frozenset"]
    unknown = sorted(str(code) for code in currencies if code not in KNOWN)
    if unknown:
        return [f"currencies has no ISO 4217 code in upper case: {quoted(unknown)}"]
    return []
