"""Pytest fixtures: a simulator of its own for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .stripe import StripeSimulator


@pytest.fixture
def stripe_simulator() -> Iterator[StripeSimulator]:
    """Stripe on a free port, with empty books."""
    # Imported when it is asked for: this module is loaded with every run of pytest.
    from .stripe import StripeSimulator

    with StripeSimulator() as running:
        yield running
