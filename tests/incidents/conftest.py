"""One shop on each database, at Stripe's simulator or at Efi's, over real HTTP both ways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.stripe import StripeSimulator
from tests.pix_shop.shop import Shop as PixShop
from tests.pix_shop.shop import pix_shop
from tests.stripe_shop.shop import Shop, stripe_shop


@pytest.fixture
def shop(database: object) -> Iterator[Shop]:
    with StripeSimulator() as simulator, stripe_shop(simulator) as opened:
        yield opened


@pytest.fixture
def pix(database: object) -> Iterator[PixShop]:
    with PixSimulator() as simulator, pix_shop(simulator) as opened:
        yield opened
