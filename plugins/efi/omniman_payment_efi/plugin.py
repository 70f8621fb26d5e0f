"""Registers Pix through Efi with the payment core: data about the backend, and nothing of the SDK.

The backend, and with it the SDK, is imported when the first account is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from omniman_payment_core.contracts import BackendRegistration, Feature
from omniman_payment_core.hookspecs import hookimpl

from .amounts import CURRENCY
from .config import OPTIONS, advise, check_together

ABSENCE_AFTER = timedelta(minutes=10)
"""A charge shows at once in what is read by its name; a request may have lain in a queue."""

_NO_HOLD = (
    "Pix holds nothing: with authorize_capture the shopper gets an open charge, and "
    "payment.confirm is done once it is paid."
)


def _build(config: Mapping[str, Any]) -> Any:
    from .backend import EfiBackend

    return EfiBackend(config)


@hookimpl
def register_backend() -> BackendRegistration:
    """Register the backend under the name ``efi``."""
    return BackendRegistration(
        name="efi",
        build=_build,
        options=OPTIONS,
        features={
            "hold": Feature.no(_NO_HOLD),
            "partial_capture": Feature.no(_NO_HOLD),
            "multiple_captures": Feature.no(_NO_HOLD),
            "partial_refund": Feature.yes(),
            "multiple_refunds": Feature.yes(),
            "refund_reads_back": Feature.yes(),
            "unpaid_expiry": Feature.yes(),
        },
        currencies=frozenset({CURRENCY}),
        absence_after=ABSENCE_AFTER,
        check=check_together,
        advise=advise,
    )
