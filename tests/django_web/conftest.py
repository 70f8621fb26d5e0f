"""The shop that the web tests deliver to, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omniman_payment_django.runtime import get_registry

from .shop import Shop


@pytest.fixture
def shop(database: object) -> Iterator[Shop]:
    """A shop with an account "shop" on its own mock gateway."""
    yield Shop()
    get_registry().close()
