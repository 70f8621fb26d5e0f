"""Fixtures for shops that test against the mock. Imports nothing before a fixture is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .backend import MockPaymentBackend
    from .gateway import MockGateway

_numbers = count(1)


@dataclass
class MockChannel:
    """A channel as far as payments care: its code and its config."""

    code: str = "mock"
    config: dict[str, Any] = field(
        default_factory=lambda: {"payment_backend": "mock", "payment_flow": "authorize_capture"}
    )


@dataclass
class MockOrder:
    """An order as far as payments care."""

    ref: str
    channel: MockChannel
    currency: str = "BRL"
    total_q: int = 1000
    status: str = "new"
    data: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def mock_gateway() -> MockGateway:
    """A far side of its own for each test."""
    from .gateway import MockGateway

    return MockGateway()


@pytest.fixture
def mock_payment(
    mock_gateway: MockGateway, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MockPaymentBackend]:
    """A mock backend that ``get_payment_backend`` answers with, for every channel."""
    from omniman_payment_core import plugins

    from .backend import MockPaymentBackend
    from .plugin import register_backend

    class MockRegistry(plugins.PaymentRegistry):
        """Serves every channel with one account."""

        def account_for(self, channel: Any) -> plugins.Account:
            return self.account("mock")

    backend = MockPaymentBackend(gateway=mock_gateway)
    registry = MockRegistry({}, hooks=plugins.PaymentHooks())
    registry.use("mock", backend, register_backend())
    # Below current_registry(): whoever imported that function long ago gets the mock as well.
    monkeypatch.setattr(plugins, "_current", registry)
    yield backend
    registry.close()


@pytest.fixture
def mock_channel() -> MockChannel:
    """A channel that selects the mock."""
    return MockChannel()


@pytest.fixture
def order(mock_channel: MockChannel) -> MockOrder:
    """An order nobody else has."""
    return MockOrder(ref=f"ORD-{next(_numbers)}", channel=mock_channel)
