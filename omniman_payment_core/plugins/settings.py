"""Reads the payment part of the ``OMNIMAN`` settings. Imports no plugin and shows no value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..errors import BackendOptionsError
from ..secrets import Secret
from .wording import kind_of, listed, nearest, quoted

BACKENDS = "PAYMENT_BACKENDS"
DEFAULT = "DEFAULT_PAYMENT_BACKEND"
DISABLED = "PAYMENT_HOOKS_DISABLED"
KEYS = (BACKENDS, DEFAULT, DISABLED)
ENTRY_KEYS = ("class", "plugin", "config", "distribution", "version")

DOCUMENTED_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "omniman.contrib.payment.adapters.stripe.StripeBackend": "stripe",
        "omniman.contrib.payment.adapters.efi.EfiBackend": "efi",
        "omniman.contrib.payment.adapters.mock.MockPaymentBackend": "mock",
    }
)
"""The documentation's own paths, which have always meant these gateways."""

_MISSPELT = 0.85
"""How like one of ours a key must be: OMNIMAN has keys of other parts too."""

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION = re.compile(r"[0-9]+(\.[A-Za-z0-9]+)*")
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One entry of ``PAYMENT_BACKENDS``: ``plugin`` or ``class_path``, and its ``config``."""

    name: str
    plugin: str | None = None
    class_path: str | None = None
    config: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    """Every value is wrapped: which ones are secret only the plugin can say."""
    distribution: str | None = None
    """The only distribution that may bring the plugin, where the settings name one."""
    version: str | None = None
    """Its version, or the beginning of it: 1.2 stands for every 1.2.x."""

    @property
    def place(self) -> str:
        """Where it stands, for error texts."""
        return place_of(self.name)


@dataclass(frozen=True, slots=True)
class PaymentSettings:
    """Everything the settings say about payments."""

    accounts: Mapping[str, AccountSettings]
    default: str | None = None
    hooks_disabled: frozenset[str] = frozenset()


def place_of(account: str, *keys: str) -> str:
    """``OMNIMAN["PAYMENT_BACKENDS"]["x"]``, for error texts."""
    return f'OMNIMAN["{BACKENDS}"]["{account}"]' + "".join(f'["{key}"]' for key in keys)


def read_settings(settings: object) -> PaymentSettings:
    """Parse the ``OMNIMAN`` dict; raises :class:`BackendOptionsError` naming every problem.

    Keys of others in the same dict are left alone, unless they look like a misspelling.
    """
    problems: list[str] = []
    if not isinstance(settings, Mapping):
        raise _error([f"OMNIMAN is {kind_of(settings)}, not a dict"])
    for key in settings:
        hint = "" if key in KEYS else nearest(str(key), KEYS, _MISSPELT)
        if hint:
            problems.append(f'OMNIMAN["{key}"] is not known.{hint}')
    accounts = _accounts(settings.get(BACKENDS), problems)
    default = settings.get(DEFAULT)
    if default is not None and (not isinstance(default, str) or not default):
        problems.append(f'OMNIMAN["{DEFAULT}"] is {_shape(default)}, not an account\'s name')
        default = None
    disabled = settings.get(DISABLED, ())
    if not isinstance(disabled, (list, tuple, set, frozenset)) or not all(
        isinstance(name, str) for name in disabled
    ):
        problems.append(f'OMNIMAN["{DISABLED}"] is not a list of observer names')
        disabled = ()
    if problems:
        raise _error(problems)
    return PaymentSettings(MappingProxyType(accounts), default, frozenset(disabled))


def _error(problems: list[str]) -> BackendOptionsError:
    return BackendOptionsError(listed("payment settings are wrong", problems), problems=problems)


def _shape(value: object) -> str:
    return "empty" if value == "" else kind_of(value)


def _accounts(backends: object, problems: list[str]) -> dict[str, AccountSettings]:
    if backends is None:
        return {}
    if not isinstance(backends, Mapping):
        problems.append(f'OMNIMAN["{BACKENDS}"] is {kind_of(backends)}, not a dict')
        return {}
    accounts = {}
    for name, entry in backends.items():
        if not isinstance(name, str) or not _ACCOUNT.fullmatch(name):
            shown = f'"{name}"' if isinstance(name, str) else kind_of(name)
            problems.append(
                f'OMNIMAN["{BACKENDS}"] has {shown} as an account\'s name; '
                "it can have letters, digits, - and _, at most 64"
            )
            continue
        accounts[name] = _account(name, entry, problems)
    return accounts


def _account(name: str, entry: object, problems: list[str]) -> AccountSettings:
    place = place_of(name)
    if not isinstance(entry, Mapping):
        problems.append(f"{place} is {kind_of(entry)}, not a dict")
        return AccountSettings(name)
    for key in entry:
        if key not in ENTRY_KEYS:
            problems.append(
                f"{place} has an unknown key {quoted([str(key)])}.{nearest(str(key), ENTRY_KEYS)} "
                f"Known: {quoted(ENTRY_KEYS)}"
            )
    plugin, class_path = _selection(name, entry, problems)
    return AccountSettings(
        name,
        plugin,
        class_path,
        _config(name, entry.get("config"), problems),
        _pin(name, entry, "distribution", _DISTRIBUTION, class_path, problems),
        _pin(name, entry, "version", _VERSION, class_path, problems),
    )


def _pin(
    name: str,
    entry: Mapping[Any, Any],
    key: str,
    form: re.Pattern[str],
    class_path: str | None,
    problems: list[str],
) -> str | None:
    stated = entry.get(key)
    if stated is None:
        return None
    if class_path is not None:
        problems.append(f'{place_of(name, key)} is for a plugin, and "class" names none')
    elif not isinstance(stated, str) or not form.fullmatch(stated):
        shown = f'"{stated}"' if isinstance(stated, str) and stated else _shape(stated)
        problems.append(f"{place_of(name, key)} is {shown}, not the {key} that a plugin is from")
    else:
        return stated
    return None


def _selection(
    name: str, entry: Mapping[Any, Any], problems: list[str]
) -> tuple[str | None, str | None]:
    """The plugin or the class an entry names; neither means the plugin named like the account."""
    plugin, class_path = entry.get("plugin"), entry.get("class")
    if plugin is not None and class_path is not None:
        problems.append(f'{place_of(name)} has both "class" and "plugin"; one of them decides')
        return None, None
    if plugin is not None:
        if isinstance(plugin, str) and plugin:
            return plugin, None
        problems.append(f"{place_of(name, 'plugin')} is {_shape(plugin)}, not a plugin's name")
        return None, None
    if class_path is None:
        return name, None
    if not isinstance(class_path, str) or not _DOTTED.fullmatch(class_path):
        problems.append(
            f"{place_of(name, 'class')} is not a dotted path such as "
            '"shop.payments.MyBackend"; for an installed plugin write "plugin" instead'
        )
        return None, None
    documented = DOCUMENTED_CLASSES.get(class_path)
    return (documented, None) if documented else (None, class_path)


def _config(name: str, config: object, problems: list[str]) -> Mapping[str, Secret]:
    if config is None:
        return MappingProxyType({})
    if not isinstance(config, Mapping):
        problems.append(f"{place_of(name, 'config')} is {kind_of(config)}, not a dict")
        return MappingProxyType({})
    wrapped = {}
    for key, value in config.items():
        if isinstance(key, str):
            wrapped[key] = value if isinstance(value, Secret) else Secret(deepcopy(value))
        else:
            problems.append(f"{place_of(name, 'config')} has a key that is not a text")
    return MappingProxyType(wrapped)
