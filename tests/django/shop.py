"""A shop on the default database, paid through a mock gateway of its own."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import count
from typing import Any

from omniman_payment_core.engine import Engine
from omniman_payment_core.testing import ManualClock
from omniman_payment_django import sessions
from omniman_payment_django.models import Channel, Order, Session
from omniman_payment_django.runtime import get_registry, new_id
from omniman_payment_django.store import DjangoStore
from omniman_payment_mock import MockGateway, MockPaymentBackend

ITEMS = [{"sku": "coffee", "name": "Coffee", "qty": 2, "price_q": 450}]
CARD = {"type": "card", "token": "tok_1"}

_numbers = count(1)


class Shop:
    """Sessions, orders and an engine whose clock the test moves."""

    def __init__(self, orders: Any = None) -> None:
        self.clock = ManualClock()
        self.gateway = MockGateway("shop", clock=self.clock)
        registry = get_registry()
        registry.use("mock", MockPaymentBackend(gateway=self.gateway))
        self.store = DjangoStore(orders=orders, clock=self.clock)
        self.engine = Engine(
            self.store,
            registry,
            registry.hooks,
            registry.scrubber,
            clock=self.clock,
            new_id=new_id,
            rng=random.Random(1),
            owner="w1",
        )

    def channel(self, **config: Any) -> Channel:
        return Channel.objects.create(code=f"channel-{next(_numbers)}", config=config)

    def session(self, items: Any = None, channel: Channel | None = None, **config: Any) -> Session:
        return Session.objects.create(
            key=f"session-{next(_numbers)}",
            channel=channel or self.channel(**config),
            items=ITEMS if items is None else items,
        )

    def order(self, **config: Any) -> Order:
        session = self.session(**config)
        return sessions.commit_session(session, commit_key=session.key, payment_method=CARD)

    def run(self) -> int:
        """Everything that is due; directives are enqueued by the real clock, ours follows it."""
        ahead = datetime.now(UTC) - self.clock.now()
        if ahead.total_seconds() > 0:
            self.clock.advance(ahead)
        return self.engine.run_until_idle()
