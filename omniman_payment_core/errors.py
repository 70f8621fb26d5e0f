"""Every error of the payment layer, sorted by what to do next.

::

    PaymentError
    ├── ConfigurationError            nothing can work for this account: pause, tell the operator
    │   ├── BackendNotFoundError      no such account or plugin
    │   ├── BackendConflictError      two distributions claim one name
    │   ├── BackendLoadError          installed, but broken
    │   └── BackendOptionsError       options missing, unknown or wrong (all at once)
    ├── InvalidRequestError           we asked wrongly: a bug, flagged
    │   └── TransactionNotFoundError  the gateway knows no such transaction
    ├── NotAttemptedError             certainly not carried out: again later, same key
    │   ├── RateLimitedError          the same, and the gateway said when
    │   └── VetoError                 a wrapper forbade the call
    ├── OutcomeUnknownError           perhaps carried out: look before anything is repeated
    └── WebhookError                  a delivery that cannot be taken
        ├── WebhookVerificationError  not authentic
        └── WebhookPayloadError       authentic, but not understood
"""

from __future__ import annotations

from collections.abc import Sequence


class PaymentError(Exception):
    """Base of everything the payment layer raises on purpose."""


class ConfigurationError(PaymentError):
    """Nothing can work for this account until a person changes something."""


class BackendNotFoundError(ConfigurationError):
    """A name that no configured account or installed plugin has."""

    def __init__(self, message: str, *, name: str, known: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.known = tuple(known)


class BackendConflictError(ConfigurationError):
    """One backend name claimed by two distributions; choosing would be guessing with money."""

    def __init__(self, message: str, *, name: str, distributions: Sequence[str]) -> None:
        super().__init__(message)
        self.name = name
        self.distributions = tuple(distributions)


class BackendLoadError(ConfigurationError):
    """A plugin is installed and cannot be used; the cause is chained."""


class BackendOptionsError(ConfigurationError):
    """An account's options are wrong. ``problems`` names every one, never a value."""

    def __init__(self, message: str, *, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class InvalidRequestError(PaymentError):
    """The gateway, or we ourselves, found the request wrong; repeating it cannot help."""


class TransactionNotFoundError(InvalidRequestError):
    """The gateway says it knows no such transaction."""


class NotAttemptedError(PaymentError):
    """The request certainly had no effect (it never left, or was turned away at the door)."""


class RateLimitedError(NotAttemptedError):
    """Turned away for now; ``retry_after`` is in seconds where the gateway told."""

    def __init__(self, message: str = "rate limited", *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class VetoError(NotAttemptedError):
    """A wrapper of the gateway call forbade it."""


class OutcomeUnknownError(PaymentError):
    """The request may have been carried out: a timeout after sending, a broken answer."""


class WebhookError(PaymentError):
    """A webhook delivery that cannot be accepted."""


class WebhookVerificationError(WebhookError):
    """Not authentic: signature, certificate, age or secret does not fit."""


class WebhookPayloadError(WebhookError):
    """Authentic, but its content cannot be understood."""
