"""Stripe for Omniman Payments: cards, 3-D Secure, refunds and disputes.

``StripeBackend`` is imported when it is first asked for, and the SDK with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import StripeBackend

__all__ = ["StripeBackend"]


def __getattr__(name: str) -> Any:
    if name == "StripeBackend":
        from .backend import StripeBackend

        return StripeBackend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
