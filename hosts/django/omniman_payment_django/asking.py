"""Calls of a backend outside the engine, whose own border does this for every payment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from omniman_payment_core.errors import OutcomeUnknownError, PaymentError
from omniman_payment_core.plugins.hooks import describe

from .runtime import get_registry

_T = TypeVar("_T")


def asked(call: Callable[[], _T]) -> _T:
    """The answer, or one of our own errors: what else a plugin raises may tell what it knows."""
    try:
        return call()
    except PaymentError:
        raise
    except Exception as error:
        told = describe(error, get_registry().scrubber.text)
    # Raised here, so that the plugin's own exception is no part of any traceback.
    raise OutcomeUnknownError(f"the backend misbehaved with {told}")
