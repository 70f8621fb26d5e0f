"""The product as it is measured: the core's worker and engine on the Django store."""

from __future__ import annotations

import random

from omniman_payment_core.engine import Engine
from omniman_payment_core.engine.worker import BATCH, SLOTS, Worker
from omniman_payment_core.plugins import PaymentHooks, PaymentRegistry
from omniman_payment_mock.plugin import make_registration

from .databases import Database


def make_worker(
    database: Database, *, latency_ms: int = 0, slots: int = SLOTS, batch: int = BATCH
) -> Worker:
    """A worker with the management command's defaults, and a mock with books of its own."""
    # Models can only be imported once Django is configured.
    from omniman_payment_django.runtime import SystemClock, new_id
    from omniman_payment_django.store import DjangoStore

    registry = PaymentRegistry(
        {"PAYMENT_BACKENDS": {"mock": {"plugin": "mock", "config": {"latency_ms": latency_ms}}}},
        hooks=PaymentHooks(),
    )
    registry.register_backend(make_registration())
    engine = Engine(
        DjangoStore(database.alias),
        registry,
        registry.hooks,
        registry.scrubber,
        clock=SystemClock(),
        new_id=new_id,
        rng=random.Random(1),
        owner="benchmark",
    )
    return Worker(engine, slots=slots, batch=batch)
