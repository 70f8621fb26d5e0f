"""Omniman Payments on Django: orders, directives and the ledger as tables, and what runs them.

Nothing is imported here but the page's own ``get_payment_backend``, and that only when asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .runtime import get_payment_backend

__all__ = ["get_payment_backend"]


def __getattr__(name: str) -> Any:
    # Django imports this package before its settings and models are ready.
    if name == "get_payment_backend":
        from .runtime import get_payment_backend

        return get_payment_backend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
