"""Pytest fixtures: a simulator of its own for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .pix import PixSimulator
    from .stripe import StripeSimulator

# The simulators are imported when they are asked for: this module is loaded with every run of
# pytest.


@pytest.fixture
def stripe_simulator() -> Iterator[StripeSimulator]:
    """Stripe on a free port, with empty books."""
    from .stripe import StripeSimulator

    with StripeSimulator() as running:
        yield running


@pytest.fixture
def pix_simulator() -> Iterator[PixSimulator]:
    """A Pix institution on free ports, with certificates of its own and empty books."""
    from .pix import PixSimulator

    with PixSimulator() as running:
        yield running
