"""Omniman's payment core: contracts, plugin hooks, pure decisions and the engine.

Knows no web framework, ORM or gateway SDK. Everything a shop or a plugin needs is a name of
this module, imported when it is first used, so that importing the core costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contracts import (
        PROTOCOL_VERSION,
        BackendRegistration,
        Feature,
        Option,
        PaymentBackend,
    )
    from .currencies import format_amount
    from .errors import (
        BackendConflictError,
        BackendLoadError,
        BackendNotFoundError,
        BackendOptionsError,
        ConfigurationError,
        InvalidRequestError,
        NotAttemptedError,
        OutcomeUnknownError,
        PaymentError,
        RateLimitedError,
        TransactionNotFoundError,
        VetoError,
        WebhookError,
        WebhookPayloadError,
        WebhookVerificationError,
    )
    from .hookspecs import hookimpl
    from .plugins import configure, current_registry, get_payment_backend
    from .secrets import Secret
    from .values import (
        ActionKind,
        DeclineCode,
        NextAction,
        PaymentFlow,
        PaymentResult,
        PaymentStatus,
        RefundSnapshot,
        RefundStatus,
        WebhookEvent,
    )

__version__ = "0.1.0"

_HOMES = {
    "contracts": (
        "PROTOCOL_VERSION",
        "BackendRegistration",
        "Feature",
        "Option",
        "PaymentBackend",
    ),
    "currencies": ("format_amount",),
    "errors": (
        "BackendConflictError",
        "BackendLoadError",
        "BackendNotFoundError",
        "BackendOptionsError",
        "ConfigurationError",
        "InvalidRequestError",
        "NotAttemptedError",
        "OutcomeUnknownError",
        "PaymentError",
        "RateLimitedError",
        "TransactionNotFoundError",
        "VetoError",
        "WebhookError",
        "WebhookPayloadError",
        "WebhookVerificationError",
    ),
    "hookspecs": ("hookimpl",),
    "plugins": ("configure", "current_registry", "get_payment_backend"),
    "secrets": ("Secret",),
    "values": (
        "ActionKind",
        "DeclineCode",
        "NextAction",
        "PaymentFlow",
        "PaymentResult",
        "PaymentStatus",
        "RefundSnapshot",
        "RefundStatus",
        "WebhookEvent",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PROTOCOL_VERSION",
    "ActionKind",
    "BackendConflictError",
    "BackendLoadError",
    "BackendNotFoundError",
    "BackendOptionsError",
    "BackendRegistration",
    "ConfigurationError",
    "DeclineCode",
    "Feature",
    "InvalidRequestError",
    "NextAction",
    "NotAttemptedError",
    "Option",
    "OutcomeUnknownError",
    "PaymentBackend",
    "PaymentError",
    "PaymentFlow",
    "PaymentResult",
    "PaymentStatus",
    "RateLimitedError",
    "RefundSnapshot",
    "RefundStatus",
    "Secret",
    "TransactionNotFoundError",
    "VetoError",
    "WebhookError",
    "WebhookEvent",
    "WebhookPayloadError",
    "WebhookVerificationError",
    "configure",
    "current_registry",
    "format_amount",
    "get_payment_backend",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
