"""The process-wide pieces, made from the settings when they are first asked for."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.signals import setting_changed

from omniman_payment_core.engine import BreakerRules, Engine, Limits
from omniman_payment_core.plugins import PaymentRegistry, current_registry, forget

from . import conf
from .store import DjangoStore

_lock = threading.RLock()
_store: DjangoStore | None = None


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def get_registry() -> PaymentRegistry:
    """The accounts and hooks of ``settings.OMNIMAN``: the process's registry, and no other.

    One registry, so that whoever replaces it (a test's mock) replaces it for the worker too.
    """
    return current_registry()


def get_store() -> DjangoStore:
    """The store on the configured database, with the configured orders."""
    global _store
    with _lock:
        if _store is None:
            using = conf.database()
            _store = DjangoStore(using, conf.order_adapter(using))
        return _store


def get_engine(owner: str | None = None) -> Engine:
    """A new engine; ``owner`` names it on leases and facts."""
    registry = get_registry()
    return Engine(
        get_store(),
        registry,
        registry.hooks,
        registry.scrubber,
        clock=SystemClock(),
        new_id=new_id,
        rng=random.Random(),
        owner=owner or f"{socket.gethostname()}:{os.getpid()}"[:150],
        limits=Limits(breaker=BreakerRules()),
    )


def get_payment_backend(channel: Any) -> Any:
    """The backend that serves a channel, as its config or the default selects it."""
    return get_registry().get_payment_backend(channel)


def new_id(
    milliseconds: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    noise: Callable[[int], bytes] = os.urandom,
) -> str:
    """A UUID (version 7): ids made later sort later, so that they lie together in an index."""
    value = milliseconds() << 80 | int.from_bytes(noise(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value & (1 << 128) - 1:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def reset() -> None:
    """Forget everything made from the settings; the next question reads them again."""
    global _store
    with _lock:
        _store = None
    forget()


def _settings_changed(*, setting: str, **_: Any) -> None:
    if setting in ("OMNIMAN", "DATABASES"):
        reset()


setting_changed.connect(_settings_changed, dispatch_uid="omniman_payment.runtime")
