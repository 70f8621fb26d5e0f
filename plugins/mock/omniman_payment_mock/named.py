"""Gateways known by name: every backend of this process that names one meets the same."""

from __future__ import annotations

import threading
from typing import Any

from .gateway import MockGateway

_gateways: dict[tuple[str, str], MockGateway] = {}
_lock = threading.Lock()


def named_gateway(name: str, *, state_file: str = "", **settings: Any) -> MockGateway:
    """The gateway of this name, made on first use with ``settings``.

    With ``state_file`` its books are in that file, and other processes share them.
    """
    with _lock:
        found = _gateways.get((name, state_file))
        if found is None:
            if state_file:
                from .sqlite_store import SqliteStore

                settings["store"] = SqliteStore(state_file)
            found = _gateways[name, state_file] = MockGateway(name, **settings)
        return found


def reset_gateways() -> None:
    """Forget every named gateway; state files stay where they are."""
    with _lock:
        for gateway in _gateways.values():
            gateway.close()
        _gateways.clear()
