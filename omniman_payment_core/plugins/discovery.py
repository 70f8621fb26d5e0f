"""Which plugins are installed, from metadata alone; a plugin is imported only when it is named."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import importlib_metadata

from ..contracts import BackendRegistration
from ..errors import BackendConflictError, BackendNotFoundError, ConfigurationError
from ..secrets import Scrubber
from .hooks import describe
from .loading import import_module_of, registration_from
from .wording import nearest

if TYPE_CHECKING:
    from .hooks import PaymentHooks

log = logging.getLogger("omniman_payment.plugins")

BACKENDS_GROUP = "omniman_payment.backends"
HOOKS_GROUP = "omniman_payment.hooks"

PIP_NAMES = {
    "stripe": "omniman-payment-stripe",
    "efi": "omniman-payment-efi",
    "mock": "omniman-payment-mock",
}
"""Backends we know of, with the distribution that brings each."""

_scrub = Scrubber().text
_HEADER = re.compile(r"^(Name|Version):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Installed:
    """One entry point of an installed distribution."""

    name: str
    value: str
    """The module, as the entry point names it."""
    distribution: str
    version: str

    @property
    def origin(self) -> str:
        """The distribution with its version."""
        return f"{self.distribution} {self.version}"

    def is_meant_by(self, distribution: str, version: str) -> bool:
        """Whether it is of this distribution, in this version or one that begins with it."""
        named = _normalised(self.distribution) == _normalised(distribution)
        return named and (self.version == version or self.version.startswith(f"{version}."))


class Discovery:
    """Reads the metadata of what is installed once, and imports what is asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, tuple[Installed, ...]] | None = None

    def backends(self) -> tuple[Installed, ...]:
        """Every installed backend, sorted by name; nothing is imported."""
        return self._entries(BACKENDS_GROUP)

    def observers(self) -> tuple[Installed, ...]:
        """Every installed observer, sorted by name; nothing is imported."""
        return self._entries(HOOKS_GROUP)

    def forget(self) -> None:
        """Read the metadata again at the next question: something was installed or removed."""
        with self._lock:
            self._found = None

    def _entries(self, group: str) -> tuple[Installed, ...]:
        found = self._found
        if found is None:
            with self._lock:
                found = self._found
                if found is None:
                    found = self._found = _scan()
        return found[group]

    def has(self, name: str) -> bool:
        """Whether any installed distribution brings a backend of this name."""
        return any(entry.name == name for entry in self.backends())

    def find(self, name: str) -> Installed:
        """The one installed backend of this name."""
        entries = [entry for entry in self.backends() if entry.name == name]
        if not entries:
            raise self._unknown(name)
        if len(entries) > 1:
            raise _conflict("payment backend", name, entries)
        return entries[0]

    def load_backend(self, name: str) -> BackendRegistration:
        """Import the one module that brings this backend, and what it registers."""
        entry = self.find(name)
        label = f'payment backend "{name}" ({entry.origin})'
        module = import_module_of(entry.value, label, entry.distribution)
        return registration_from(module, name, label)

    def load_observers(self, hooks: PaymentHooks) -> list[str]:
        """Import and register the observers that are not switched off, each for itself.

        One that cannot be used is logged and counted, and returned as a sentence; the others
        and every payment go on without it.
        """
        problems = []
        entries = self.observers()
        for name in dict.fromkeys(entry.name for entry in entries):
            if name in hooks.disabled:
                continue
            same = [entry for entry in entries if entry.name == name]
            entry = same[0]
            label = f'observer "{name}" ({entry.origin})'
            try:
                if len(same) > 1:
                    raise _conflict("observer", name, same)
                module = import_module_of(entry.value, label, entry.distribution)
                hooks.register(module, name, label=label)
            except ConfigurationError as error:
                problem = hooks.scrub(str(error))
                hooks.count_failure(name, "load")
                log.error("payments go on without an observer: %s", problem)
                problems.append(problem)
        return problems

    def _unknown(self, name: str) -> BackendNotFoundError:
        installed = self.backends()
        known = tuple(dict.fromkeys(entry.name for entry in installed))
        shown = ", ".join(f'"{entry.name}" ({entry.origin})' for entry in installed) or "none"
        message = f'no payment backend "{name}" is installed. Installed: {shown}.'
        if name in PIP_NAMES:
            message += f" Install it: pip install {PIP_NAMES[name]}"
        else:
            message += nearest(name, {**dict.fromkeys(known), **PIP_NAMES})
        return BackendNotFoundError(message, name=name, known=known)


def _conflict(what: str, name: str, entries: list[Installed]) -> BackendConflictError:
    origins = [entry.origin for entry in entries]
    if len({entry.distribution for entry in entries}) == 1:
        message = (
            f'{what} "{name}" is declared {len(entries)} times by {origins[0]}; '
            "that distribution has to be mended or uninstalled"
        )
    else:
        message = (
            f'{what} "{name}" is claimed by {" and ".join(origins)}; '
            "none of them is used: uninstall all but one"
        )
    return BackendConflictError(message, name=name, distributions=origins)


def _scan() -> dict[str, tuple[Installed, ...]]:
    found: dict[str, list[Installed]] = {BACKENDS_GROUP: [], HOOKS_GROUP: []}
    seen: set[str] = set()
    for distribution in importlib_metadata.distributions():
        try:
            mine = _points_of(distribution, seen)
        except Exception as error:
            # One damaged distribution must not hide the others, which take money.
            log.error("a distribution's metadata cannot be read: %s", describe(error, _scrub))
            continue
        for group, entry in mine:
            found[group].append(entry)
    return {
        group: tuple(sorted(entries, key=lambda entry: (entry.name, entry.distribution)))
        for group, entries in found.items()
    }


def _points_of(distribution: Any, seen: set[str]) -> list[tuple[str, Installed]]:
    """The entry points of one distribution that are ours; a copy of one ``seen`` has none."""
    text = distribution.read_text("entry_points.txt")
    # Most distributions have nothing for us: their metadata is not even parsed.
    if not text or "omniman_payment." not in text:
        return []
    name, version = _identity(distribution.read_text)
    normalised = _normalised(name)
    if normalised in seen or not _is_active(name, text):
        return []
    seen.add(normalised)
    return [
        (point.group, Installed(point.name, point.value, name, version))
        for point in distribution.entry_points
        if point.group in (BACKENDS_GROUP, HOOKS_GROUP)
    ]


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _identity(read_text: Callable[[str], str | None]) -> tuple[str, str]:
    """Name and version. The full parser is slow, and these two are all we need."""
    text = read_text("METADATA") or read_text("PKG-INFO") or ""
    headers = {key.lower(): value for key, value in _HEADER.findall(text.partition("\n\n")[0])}
    return headers.get("name", "unknown"), headers.get("version", "unknown")


def _is_active(name: str, entry_points: str) -> bool:
    """Whether this copy is the one Python imports: the first of its name on ``sys.path``."""
    try:
        return importlib_metadata.distribution(name).read_text("entry_points.txt") == entry_points
    except importlib_metadata.PackageNotFoundError:
        return True


installed = Discovery()
"""What is installed in this process; shared, because reading it costs milliseconds."""
