"""The mock passes the kit, with its books in memory and in a file, for cards and for QR codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from omniman_payment_core.conformance import BackendConformance
from omniman_payment_core.contracts import BackendRegistration, Feature
from omniman_payment_mock import MockGateway, MockPaymentBackend
from omniman_payment_mock.plugin import make_registration, register_backend
from omniman_payment_mock.script import Fault
from omniman_payment_mock.sqlite_store import SqliteStore

SECRET = "planted-webhook-secret-of-the-mock"


class MockDriver:
    """The kit's hands at the mock's far side."""

    def __init__(self, gateway: MockGateway, clock: Any) -> None:
        self.gateway = gateway
        self.clock = clock
        self.moved_q = gateway.moved_q
        self.held_q = gateway.held_q
        self.decline_next = gateway.decline_next
        self.pay = gateway.pay
        self.dispute = gateway.dispute

    def lose_next(self, when: str) -> None:
        self.gateway.fail_next(Fault("timeout", on="mutating", when=when))

    def refund_outside(self, transaction_id: str, amount_q: int) -> None:
        self.gateway.refund_outside(transaction_id, amount_q)

    def fail_refund(self, reference: str) -> None:
        self.gateway.settle_refund(reference, ok=False)

    def advance(self, period: timedelta) -> None:
        self.clock.now += period

    def webhook(self, transaction_id: str) -> tuple[Mapping[str, str], bytes]:
        return self.gateway.webhook(transaction_id)


class TestMockConformance(BackendConformance):
    planted_secrets = (SECRET,)

    @pytest.fixture
    def gateway(self, clock: Any) -> MockGateway:
        return MockGateway(clock=clock, webhook_secret=SECRET)

    @pytest.fixture
    def registration(self) -> BackendRegistration:
        return register_backend()

    @pytest.fixture
    def driver(self, gateway: MockGateway, clock: Any) -> MockDriver:
        return MockDriver(gateway, clock)

    @pytest.fixture
    def make_backend(self, gateway: MockGateway, clock: Any) -> Callable[[], MockPaymentBackend]:
        return lambda: MockPaymentBackend({"webhook_secret": SECRET}, gateway=gateway, clock=clock)


class TestMockConformanceWithQrCodes(TestMockConformance):
    """The same for a shopper who pays elsewhere: holds are a card's business."""

    payment_method: ClassVar[Mapping[str, Any]] = {"type": "qr", "behaviour": {"qr": True}}

    @pytest.fixture
    def registration(self) -> BackendRegistration:
        no = Feature.no("A QR code is paid at once; nothing can be held.")
        return make_registration(
            features={"hold": no, "partial_capture": no, "multiple_captures": no}
        )


class TestMockConformanceInAFile(TestMockConformance):
    """The same with the books in SQLite, as several processes share them."""

    @pytest.fixture
    def gateway(self, clock: Any, tmp_path: Path) -> Iterator[MockGateway]:
        gateway = MockGateway(
            clock=clock, webhook_secret=SECRET, store=SqliteStore(tmp_path / "books.sqlite3")
        )
        yield gateway
        gateway.close()
