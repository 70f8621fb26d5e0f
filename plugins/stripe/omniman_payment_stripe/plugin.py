"""Registers Stripe with the payment core: data about the backend, and nothing of the SDK.

The backend, and with it the SDK, is imported when the first account is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from omniman_payment_core.contracts import BackendRegistration, Feature
from omniman_payment_core.hookspecs import hookimpl

from .amounts import CURRENCIES
from .config import OPTIONS, check_together

KEY_WINDOW = timedelta(hours=24)
"""Stripe may forget a key after a day (docs.stripe.com/api/idempotent_requests)."""

ABSENCE_AFTER = timedelta(hours=1)
"""An effect shows at once in what is read by its id; a request may have lain in a queue."""


def _build(config: Mapping[str, Any]) -> Any:
    from .backend import StripeBackend

    return StripeBackend(config)


@hookimpl
def register_backend() -> BackendRegistration:
    """Register the backend under the name ``stripe``."""
    return BackendRegistration(
        name="stripe",
        build=_build,
        options=OPTIONS,
        features={
            "hold": Feature.yes(),
            "partial_capture": Feature.yes(),
            "multiple_captures": Feature.yes(),
            "partial_refund": Feature.yes(),
            "multiple_refunds": Feature.yes(),
            "refund_reads_back": Feature.yes(),
            "unpaid_expiry": Feature.no(
                "Stripe lets a PaymentIntent be paid until it is cancelled, so it is cancelled "
                "when the shopper's time is over."
            ),
        },
        currencies=CURRENCIES,
        key_window=KEY_WINDOW,
        absence_after=ABSENCE_AFTER,
        check=check_together,
    )
