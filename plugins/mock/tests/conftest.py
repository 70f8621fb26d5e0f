"""What the mock's tests share: a clock that only moves when told, and the plugin's fixtures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from omniman_payment_mock import MockGateway, MockPaymentBackend, pytest_plugin


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **period: float) -> None:
        self.now += timedelta(**period)


def pytest_configure(config: pytest.Config) -> None:
    # Installed, the plugin is registered by its entry point already.
    if not config.pluginmanager.is_registered(pytest_plugin):
        config.pluginmanager.register(pytest_plugin)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gateway(clock: Clock) -> MockGateway:
    return MockGateway(clock=clock)


@pytest.fixture
def backend(gateway: MockGateway, clock: Clock) -> MockPaymentBackend:
    return MockPaymentBackend(gateway=gateway, clock=clock)
