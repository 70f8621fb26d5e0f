"""The Stripe backend passes the conformance kit against the simulator, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from omniman_payment_core.conformance import BackendConformance
from omniman_payment_core.contracts import BackendRegistration
from omniman_payment_simulators.stripe import StripeSimulator
from omniman_payment_stripe import StripeBackend
from omniman_payment_stripe.plugin import register_backend
from stripe_testing.clock import Clock

KEY = "sk_test_51AbCdEfGhIjKlMnOplanted"
SIGNING = "whsec_planted0123456789abcdef"

_DECLINES = {"card_declined": "generic_decline"}


class StripeDriver:
    """The kit's hands at the simulator."""

    def __init__(self, simulator: StripeSimulator, clock: Clock) -> None:
        self.control = simulator.control
        self.clock = clock

    def pay(self, transaction_id: str) -> None:
        self.control.pay(transaction_id)

    def moved_q(self, order_ref: str) -> int:
        return self.control.moved(order_ref)

    def held_q(self, order_ref: str) -> int:
        return self.control.held(order_ref)

    def decline_next(self, code: str) -> None:
        self.control.decline_next(_DECLINES.get(code, code))

    def lose_next(self, when: str) -> None:
        self.control.fault(kind="drop", when=when, method="POST")

    def refund_outside(self, transaction_id: str, amount_q: int) -> None:
        self.control.refund_outside(transaction_id, amount_q)

    def fail_refund(self, reference: str) -> None:
        self.control.settle_refund(reference, "failed")

    def dispute(self, transaction_id: str, amount_q: int) -> None:
        self.control.dispute(transaction_id, amount_q)

    def advance(self, period: timedelta) -> None:
        self.clock.ahead += period.total_seconds()
        if period > timedelta(0):
            self.control.advance(round(period.total_seconds()))

    def webhook(self, transaction_id: str) -> tuple[Mapping[str, str], bytes]:
        signed = self.control.webhook(transaction_id)
        return signed["headers"], signed["body"].encode()


@pytest.fixture(scope="module")
def running() -> Iterator[StripeSimulator]:
    with StripeSimulator(KEY, webhook_secret=SIGNING) as running:
        yield running


class TestStripeConformance(BackendConformance):
    """A card that the shop brings."""

    planted_secrets = (KEY, SIGNING)
    odd_amounts = (1999, 115, 820, 50)
    payment_method: ClassVar[Mapping[str, Any]] = {
        "type": "card",
        "payment_method_id": "pm_card_visa",
    }
    options: ClassVar[Mapping[str, Any]] = {"multicapture": True}

    @pytest.fixture
    def simulator(self, running: StripeSimulator) -> StripeSimulator:
        running.control.reset()
        running.control.set_index_delay(0)
        return running

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def registration(self) -> BackendRegistration:
        return register_backend()

    @pytest.fixture
    def driver(self, simulator: StripeSimulator, clock: Clock) -> StripeDriver:
        return StripeDriver(simulator, clock)

    @pytest.fixture
    def make_backend(self, simulator: StripeSimulator, clock: Clock) -> Callable[[], StripeBackend]:
        config = {
            "api_key": KEY,
            "webhook_secret": SIGNING,
            "base_url": simulator.url,
            "timeout_seconds": 5,
            **self.options,
        }
        return lambda: StripeBackend(config, clock=clock)


class TestStripeConformanceInYen(TestStripeConformance):
    """A currency without decimals."""

    currency = "JPY"


class TestStripeConformanceInKronur(TestStripeConformance):
    """A currency that Stripe writes with two decimals too many."""

    currency = "ISK"
    odd_amounts = (1999, 115, 820, 7)

    @pytest.fixture
    def driver(self, simulator: StripeSimulator, clock: Clock) -> StripeDriver:
        return InHundredths(simulator, clock)


class InHundredths(StripeDriver):
    """Counts kronur where the simulator counts hundredths of them."""

    def moved_q(self, order_ref: str) -> int:
        return super().moved_q(order_ref) // 100

    def held_q(self, order_ref: str) -> int:
        return super().held_q(order_ref) // 100

    def refund_outside(self, transaction_id: str, amount_q: int) -> None:
        super().refund_outside(transaction_id, amount_q * 100)

    def dispute(self, transaction_id: str, amount_q: int) -> None:
        super().dispute(transaction_id, amount_q * 100)
