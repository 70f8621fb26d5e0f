"""The accounts a project has configured, and which of them a channel is served by."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from ..contracts import BackendRegistration
from ..errors import (
    BackendConflictError,
    BackendLoadError,
    BackendNotFoundError,
    BackendOptionsError,
    ConfigurationError,
)
from ..secrets import Scrubber
from .account import Account
from .classes import derived_registration, registration_of_class
from .discovery import PIP_NAMES, Discovery, installed
from .hooks import PaymentHooks
from .options import checked_options, secret_texts
from .registrations import problems_of
from .settings import BACKENDS, DEFAULT, DISABLED, AccountSettings, place_of, read_settings
from .wording import kind_of, listed, nearest, quoted

__all__ = ["Account", "PaymentRegistry"]


class PaymentRegistry:
    """Finds accounts by name or channel. Loads a plugin when an account of it is first asked for.

    Without ``hooks`` it makes its own and loads the installed observers into them.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        hooks: PaymentHooks | None = None,
        discovery: Discovery | None = None,
    ) -> None:
        self.settings = read_settings(settings)
        self.discovery = discovery or installed
        self.scrubber = Scrubber()
        """Knows the secrets of every account."""
        self._lock = threading.RLock()
        self._accounts: dict[str, Account] = {}
        self._registrations: dict[str, BackendRegistration] = {}
        """What inline plugins and loaded ones registered, by plugin name or class path."""
        self._inline: set[str] = set()
        self._learn()
        self.hooks = hooks if hooks is not None else PaymentHooks()
        self.hooks.scrub = self.scrubber.text
        for name in self.settings.hooks_disabled:
            self.hooks.switch_off(name)
        self._observer_problems = self.discovery.load_observers(self.hooks) if hooks is None else []

    def __repr__(self) -> str:
        return f"<PaymentRegistry of {quoted(self.names())}>"

    # -- finding ---------------------------------------------------------------------------

    def names(self) -> tuple[str, ...]:
        """The configured accounts, and those put in use by code."""
        return tuple(sorted({*self.settings.accounts, *self._accounts}))

    def account(self, name: str) -> Account:
        """The account of this name; raises ``ConfigurationError``."""
        return self._accounts.get(name) or self._open(name, "")

    def account_for(self, channel: Any) -> Account:
        """The account a channel (``code``, ``config``) is served by.

        Its ``payment_backend``, else what a plugin's ``select_backend`` says, else
        ``DEFAULT_PAYMENT_BACKEND``. Raises ``ConfigurationError`` naming the channel.
        """
        config = channel.config
        if not isinstance(config, Mapping):
            raise ConfigurationError(f"{_label(channel)}: config is {kind_of(config)}, not a dict")
        name, source = config.get("payment_backend"), 'config["payment_backend"]'
        if name is None:
            name, source = self.hooks.select_backend(channel), "the plugin hook select_backend"
        if name is None:
            name, source = self.settings.default, f'OMNIMAN["{DEFAULT}"]'
        if name is None:
            raise BackendNotFoundError(
                f'{_label(channel)}: config has no "payment_backend" and there is no '
                f'OMNIMAN["{DEFAULT}"]; accounts: {quoted(self.names())}',
                name="",
                known=self.names(),
            )
        if not isinstance(name, str) or not name.strip():
            shown = kind_of(name) if not isinstance(name, str) else "empty"
            raise BackendNotFoundError(
                f"{_label(channel)}: {source} is {shown}; name one of the accounts "
                f"{quoted(self.names())}",
                name="",
                known=self.names(),
            )
        return self._accounts.get(name) or self._open(name, f"{_label(channel)}: {source}: ")

    def get_payment_backend(self, channel: Any) -> Any:
        """The backend a channel is served by."""
        return self.account_for(channel).backend

    # -- by code: inline plugins, tests ----------------------------------------------------

    def register_backend(self, registration: BackendRegistration) -> None:
        """Add a plugin that is not installed; accounts name it as they name an installed one."""
        problems = problems_of(registration)
        if problems:
            raise BackendLoadError(listed("the registration of an inline plugin", problems))
        with self._lock:
            if registration.name in self._registrations:
                raise BackendLoadError(f'plugin "{registration.name}" is registered already')
            self._registrations[registration.name] = registration
            self._inline.add(registration.name)

    def use(
        self, name: str, backend: Any, registration: BackendRegistration | None = None
    ) -> Account:
        """Serve an account with a ready backend, in place of what is configured under the name."""
        plugin = registration.name if registration else type(backend).__qualname__
        known = registration or derived_registration(plugin, backend, lambda config: backend)
        # Around the declared build: this backend has been built already.
        ready = BackendRegistration(
            name=known.name,
            build=lambda config: backend,
            protocol_version=known.protocol_version,
            options=None,
            features=known.features,
            currencies=known.currencies,
            key_window=known.key_window,
            absence_after=known.absence_after,
        )
        problems = problems_of(ready)
        if problems:
            raise BackendLoadError(listed(f'account "{name}" cannot use its backend', problems))
        account = Account(name, plugin, ready, scrub=self.scrubber.text)
        with self._lock:
            self._accounts[name] = account
        return account

    # -- health ----------------------------------------------------------------------------

    def check(self) -> list[str]:
        """Load and build what is configured, and nothing else; every problem as a sentence."""
        problems: list[str] = []
        wanted = dict.fromkeys(self.settings.accounts)
        if self.settings.default is not None:
            wanted[self.settings.default] = None
        for name in wanted:
            source = "" if name in self.settings.accounts else f'OMNIMAN["{DEFAULT}"]: '
            try:
                (self._accounts.get(name) or self._open(name, source)).backend  # noqa: B018
            except BackendOptionsError as error:
                problems += error.problems
            except ConfigurationError as error:
                problems.append(str(error))
        known = [entry.name for entry in self.discovery.observers()]
        for name in sorted(self.settings.hooks_disabled.difference(known)):
            problems.append(
                f'OMNIMAN["{DISABLED}"] names "{name}", and no such observer is installed.'
                f"{nearest(name, known)} Installed: {quoted(known)}"
            )
        return problems + self._observer_problems

    def advice(self) -> list[str]:
        """What will need a person soon in the accounts that work, each with its place."""
        found: list[str] = []
        for name in self.settings.accounts:
            try:
                account = self._accounts.get(name) or self._open(name, "")
            except ConfigurationError:
                # check() tells of it.
                continue
            found += [f"{place_of(name, 'config')}: {advice}" for advice in account.advice()]
        return found

    def close(self) -> None:
        """Close every backend that was built; a later question builds them anew."""
        with self._lock:
            accounts, self._accounts = self._accounts, {}
        for account in accounts.values():
            account.close()

    # -- inside ----------------------------------------------------------------------------

    def _open(self, name: str, source: str) -> Account:
        with self._lock:
            opened = self._accounts.get(name)
            if opened is None:
                opened = self._load(self._settings_for(name, source))
                # Replaced whole: other threads read it without the lock.
                self._accounts = {**self._accounts, name: opened}
            return opened

    def _settings_for(self, name: str, source: str) -> AccountSettings:
        """An account's settings.

        An installed plugin's own name needs none, but only while the settings declare no
        accounts at all, or name it as the default: a channel is a row that people edit, and
        must not be able to leave the declared accounts for, say, the mock.
        """
        configured = self.settings.accounts.get(name)
        if configured is not None:
            return configured
        shown = self.scrubber.text(name, 100)
        if "." in name or ":" in name:
            raise BackendNotFoundError(
                f'{source}"{shown}" is a path to code, which only OMNIMAN["{BACKENDS}"] can '
                f"name; accounts: {quoted(self.names())}",
                name=shown,
                known=self.names(),
            )
        undeclared = not self.settings.accounts or name == self.settings.default
        if name in self._inline or (undeclared and self.discovery.has(name)):
            return AccountSettings(name, plugin=name)
        plugins = sorted({*self._inline, *(entry.name for entry in self.discovery.backends())})
        message = (
            f'{source}there is no account "{shown}" in OMNIMAN["{BACKENDS}"] and no plugin of '
            f"that name. Accounts: {quoted(self.names())}. Installed plugins: {quoted(plugins)}."
        )
        if name in plugins:
            message = (
                f'{source}there is no account "{shown}" in OMNIMAN["{BACKENDS}"]. Accounts: '
                f"{quoted(self.names())}. The plugin of that name is installed; declare an "
                "account for it in the settings to allow it."
            )
        elif name in PIP_NAMES:
            message += f" Install it: pip install {PIP_NAMES[name]}"
        else:
            message += nearest(name, [*self.names(), *plugins, *PIP_NAMES])
        raise BackendNotFoundError(message, name=shown, known=(*self.names(), *plugins))

    def _load(self, settings: AccountSettings) -> Account:
        version = origin = ""
        plugin = settings.class_path or settings.plugin or settings.name
        registration = self._registrations.get(plugin)
        if registration is None:
            if settings.class_path is not None:
                registration = registration_of_class(settings.class_path, settings.name)
            else:
                registration = self._load_plugin(plugin, settings)
            self._registrations[plugin] = registration
        elif plugin not in self._inline and settings.class_path is None:
            self._check_pins(plugin, settings)
        if settings.class_path is None and plugin not in self._inline:
            entry = self.discovery.find(plugin)
            version, origin = entry.version, entry.origin
        # Before the options are checked: a plugin's check may put a value into its sentence.
        self._learn()
        options = checked_options(registration, settings, self.scrubber.text)
        return Account(
            settings.name,
            plugin,
            registration,
            version=version,
            origin=origin,
            options=options,
            scrub=self.scrubber.text,
        )

    def _load_plugin(self, plugin: str, settings: AccountSettings) -> BackendRegistration:
        try:
            self._check_pins(plugin, settings)
            return self.discovery.load_backend(plugin)
        except BackendNotFoundError as error:
            raise BackendNotFoundError(
                f"{settings.place}: {error}", name=error.name, known=error.known
            ) from None

    def _check_pins(self, plugin: str, settings: AccountSettings) -> None:
        """Before anything of it is imported: whether it is the one that was meant."""
        if settings.distribution is None and settings.version is None:
            return
        entry = self.discovery.find(plugin)
        meant = (settings.distribution or entry.distribution, settings.version or entry.version)
        if not entry.is_meant_by(*meant):
            raise BackendConflictError(
                f'{settings.place} takes plugin "{plugin}" from {" ".join(meant)} only, and '
                f"{entry.origin} brings it",
                name=plugin,
                distributions=[entry.origin],
            )

    def _learn(self) -> None:
        """Tell the scrubber what to hide: until a plugin is loaded, all of its account's config."""
        self.scrubber.know(
            text
            for account in self.settings.accounts.values()
            for text in secret_texts(
                self._registrations.get(account.class_path or account.plugin or account.name),
                account.config,
            )
        )


def _label(channel: Any) -> str:
    return f'channel "{getattr(channel, "code", "?")}"'
