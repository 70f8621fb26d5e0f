"""Efi for Omniman Payments: Pix charges that a shopper pays from a QR code, and their refunds.

``EfiBackend`` is imported when it is first asked for, and the SDK with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import EfiBackend

__all__ = ["EfiBackend"]


def __getattr__(name: str) -> Any:
    if name == "EfiBackend":
        from .backend import EfiBackend

        return EfiBackend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
