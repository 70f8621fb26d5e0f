"""One shop on each database, with a Pix simulator of its own, over mutual TLS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omniman_payment_simulators.pix import PixSimulator

from .shop import Shop, pix_shop


@pytest.fixture
def simulator() -> Iterator[PixSimulator]:
    # One for each test: its time only moves forward.
    with PixSimulator() as running:
        yield running


@pytest.fixture
def shop(database: object, simulator: PixSimulator) -> Iterator[Shop]:
    with pix_shop(simulator) as opened:
        yield opened
