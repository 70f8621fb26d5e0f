"""An offline payment gateway with true rules, and the backend that talks to it.

Names are imported on first use, so that being installed costs an application nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import MockPaymentBackend
    from .gateway import MockGateway
    from .named import named_gateway, reset_gateways

__all__ = ["MockGateway", "MockPaymentBackend", "named_gateway", "reset_gateways"]

_HOMES = {
    "MockGateway": "gateway",
    "MockPaymentBackend": "backend",
    "named_gateway": "named",
    "reset_gateways": "named",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
