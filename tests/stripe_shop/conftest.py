"""One shop on each database, with a simulator of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omniman_payment_simulators.stripe import StripeSimulator

from .shop import Shop, stripe_shop


@pytest.fixture
def simulator() -> Iterator[StripeSimulator]:
    with StripeSimulator() as running:
        yield running


@pytest.fixture
def shop(database: object, simulator: StripeSimulator) -> Iterator[Shop]:
    with stripe_shop(simulator) as opened:
        yield opened
