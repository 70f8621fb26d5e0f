"""A backend that interrupts the main thread ends the worker at most; the next one goes on."""

from __future__ import annotations

import _thread
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.engine.worker import Worker
from omniman_payment_django.models import Directive, Payment
from omniman_payment_django.runtime import get_registry, reset
from omniman_payment_mock import MockPaymentBackend
from tests.django.shop import Shop


class Interrupting(MockPaymentBackend):
    """Presses Ctrl-C for the shop's owner, once in each method."""

    when = "before"
    methods: tuple[str, ...] = ("authorize",)

    def _send(self, method: str, *args: Any) -> Any:
        strikes = method in self.methods and self.gateway.count(f"interrupt-{method}") == 1
        if strikes and self.when == "before":
            _thread.interrupt_main()
        answer = super()._send(method, *args)
        if strikes and self.when == "after":
            _thread.interrupt_main()
        return answer


@pytest.fixture
def shop(sqlite_database: object) -> Iterator[Shop]:
    yield Shop()
    reset()


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupted_worker_leaves_everything_to_the_next_one(shop: Shop, when: str) -> None:
    backend = Interrupting(gateway=shop.gateway)
    backend.when = when
    get_registry().use("mock", backend)
    orders = [shop.order() for _ in range(6)]
    shop.clock.advance(timedelta(days=365))
    with pytest.raises(KeyboardInterrupt):
        Worker(shop.engine, slots=2, idle=0.005).run_until_idle()
    for _ in range(4):
        shop.clock.advance(timedelta(minutes=5))
        Worker(shop.engine, slots=2, idle=0.005).run_until_idle()
    assert set(Directive.objects.values_list("status", flat=True)) == {"completed"}
    assert set(Payment.objects.values_list("status", flat=True)) == {"authorized"}
    assert len(shop.gateway.transactions()) == len(orders)
    assert all(shop.gateway.held_q(order.ref) == order.total_q for order in orders)
