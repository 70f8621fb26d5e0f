"""Finding, loading and configuring backends and observers. Imports no plugin by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ConfigurationError
from .account import Account
from .discovery import BACKENDS_GROUP, HOOKS_GROUP, Discovery, Installed, installed
from .hooks import PaymentHooks
from .registry import PaymentRegistry
from .settings import AccountSettings, PaymentSettings, read_settings

__all__ = [
    "BACKENDS_GROUP",
    "HOOKS_GROUP",
    "Account",
    "AccountSettings",
    "Discovery",
    "Installed",
    "PaymentHooks",
    "PaymentRegistry",
    "PaymentSettings",
    "configure",
    "configure_by",
    "current_registry",
    "forget",
    "get_payment_backend",
    "installed",
    "read_settings",
]

_lock = threading.Lock()
_making = threading.Lock()
_current: PaymentRegistry | None = None
_source: Callable[[], Mapping[str, Any]] | None = None


def configure(settings: Mapping[str, Any]) -> PaymentRegistry:
    """Make the process's registry from the ``OMNIMAN`` dict; one made before is closed."""
    global _current
    registry = PaymentRegistry(settings)
    with _lock:
        before, _current = _current, registry
    if before is not None:
        before.close()
    return registry


def configure_by(source: Callable[[], Mapping[str, Any]]) -> None:
    """Let a host say where the ``OMNIMAN`` dict is; it is read at the first question."""
    global _source
    _source = source


def forget() -> None:
    """Close the process's registry; the next question makes another from the host's source."""
    global _current
    with _lock:
        before, _current = _current, None
    if before is not None:
        before.close()


def current_registry() -> PaymentRegistry:
    """The process's registry."""
    registry = _current
    return registry if registry is not None else _made()


def _made() -> PaymentRegistry:
    with _making:
        if _current is not None:
            return _current
        if _source is None:
            raise ConfigurationError(
                "payments are not configured: call "
                "omniman_payment_core.plugins.configure(settings.OMNIMAN) once at start "
                "(a host such as the Django app does it for you)"
            )
        return configure(_source())


def get_payment_backend(channel: Any) -> Any:
    """The backend that serves a channel."""
    return current_registry().get_payment_backend(channel)
