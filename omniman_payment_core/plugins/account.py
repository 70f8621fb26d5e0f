"""One configured account: a plugin, its options, and the backend built from them when needed."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..contracts import Abilities, BackendRegistration, abilities_of
from ..errors import BackendLoadError, ConfigurationError
from ..secrets import Secret
from .hooks import describe
from .options import revealed, sentences
from .wording import kind_of

log = logging.getLogger("omniman_payment.plugins")

LONGEST_FINGERPRINT = 64


@dataclass(frozen=True, slots=True)
class _Built:
    backend: Any
    abilities: Abilities
    fingerprint: str
    livemode: bool


class Account:
    """An account by its name in the settings. The backend is built once, by whoever asks first."""

    __slots__ = (
        "_built",
        "_lock",
        "_options",
        "_scrub",
        "name",
        "origin",
        "plugin",
        "registration",
        "version",
    )

    def __init__(
        self,
        name: str,
        plugin: str,
        registration: BackendRegistration,
        *,
        version: str = "",
        origin: str = "",
        options: Mapping[str, Secret] | None = None,
        scrub: Callable[[str], str],
    ) -> None:
        self.name = name
        self.plugin = plugin
        """The entry-point name, or the dotted path of the class."""
        self.version = version
        """The version of the distribution; empty where there is none."""
        self.origin = origin
        """The distribution and its version, for error texts."""
        self.registration = registration
        self._options = dict(options or {})
        self._scrub = scrub
        self._lock = threading.Lock()
        self._built: _Built | None = None

    def __repr__(self) -> str:
        return f"<Account {self.name} of {self.plugin}>"

    @property
    def backend(self) -> Any:
        """The backend; raises ``ConfigurationError`` where it cannot be built."""
        return (self._built or self._build()).backend

    @property
    def abilities(self) -> Abilities:
        """The methods and keywords that the backend has."""
        return (self._built or self._build()).abilities

    @property
    def fingerprint(self) -> str:
        """Which account at the gateway this is: the backend's ``account_fingerprint``.

        A backend without that property is told apart by account name and plugin only.
        """
        return (self._built or self._build()).fingerprint

    @property
    def livemode(self) -> bool:
        """Whether real money moves: the backend's ``livemode``; one without it counts as test."""
        return (self._built or self._build()).livemode

    def advice(self) -> list[str]:
        """What works today and will not soon, by the plugin's own words; raises nothing."""
        if self.registration.advise is None:
            return []
        return sentences(self.registration.advise, self._options, self._scrub)

    def close(self) -> None:
        """Give the backend's connections back, if it was ever built. Raises nothing."""
        with self._lock:
            built, self._built = self._built, None
        if built is None or "close" not in built.abilities:
            return
        try:
            built.backend.close()
        except Exception as error:
            log.error('account "%s" did not close: %s', self.name, describe(error, self._scrub))

    def _build(self) -> _Built:
        with self._lock:
            if self._built is None:
                built = self._attempt()
                if not isinstance(built, _Built):
                    # Raised here and not where it was caught: a chained traceback would show
                    # the plugin's own text, and its frames hold the options in clear.
                    raise built
                self._built = built
            return self._built

    def _attempt(self) -> _Built | ConfigurationError:
        source = f"{self.plugin} ({self.origin})" if self.origin else self.plugin
        where = f'account "{self.name}" of {source}'
        try:
            backend = self.registration.build(revealed(self._options))
            fingerprint = getattr(backend, "account_fingerprint", None)
            livemode = getattr(backend, "livemode", False)
            abilities = abilities_of(backend)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            text = f"{where} cannot be built: {describe(error, self._scrub)}"
            if isinstance(error, ConfigurationError):
                return ConfigurationError(text)
            return BackendLoadError(text)
        lacks = _lacks(abilities)
        if lacks:
            return BackendLoadError(f"{where} built {kind_of(backend)}, which has no {lacks}")
        if fingerprint is None:
            fingerprint = _fingerprint(self.name, self.plugin)
        if not isinstance(fingerprint, str) or not 0 < len(fingerprint) <= LONGEST_FINGERPRINT:
            return BackendLoadError(
                f"{where} has an account_fingerprint that is no text of 1 to "
                f"{LONGEST_FINGERPRINT} characters"
            )
        if not isinstance(livemode, bool):
            return BackendLoadError(f"{where} has a livemode that is neither True nor False")
        return _Built(backend, abilities, fingerprint, livemode)


def _fingerprint(name: str, plugin: str) -> str:
    return hashlib.sha256(f"{name}\0{plugin}".encode()).hexdigest()[:16]


def _lacks(abilities: Abilities) -> str:
    """What no backend can do without; the rest is an ability like any other.

    A gateway without holds has no ``authorize``, one that only sells has no ``refund``: a
    directive that needs what is not there fails with a sentence saying so.
    """
    if "authorize" not in abilities and "charge" not in abilities:
        return "authorize() and no charge()"
    if "authorize" in abilities and "capture" not in abilities:
        return "capture() for what its authorize() holds"
    return ""
