"""Registers the name ``stripe``; must not import the gateway's SDK, only the core.

This version has no gateway code. The name is registered all the same, so that an account
that selects it gets a plain answer instead of a guess about what is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from omniman_payment_core.contracts import BackendRegistration
from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.hookspecs import hookimpl


def _build(config: Mapping[str, Any]) -> NoReturn:
    raise ConfigurationError(
        'backend "stripe": this version of omniman-payment-stripe has no gateway code yet, so it '
        'cannot move money. In OMNIMAN["PAYMENT_BACKENDS"], select another backend for this '
        "account, or install a later version of omniman-payment-stripe."
    )


@hookimpl
def register_backend() -> BackendRegistration:
    """Register the backend under the name ``stripe``."""
    return BackendRegistration(name="stripe", build=_build)
