"""A project with the pay page, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from omniman_payment_django import runtime

from .shop import Shop


@pytest.fixture(autouse=True)
def _project() -> Iterator[None]:
    with override_settings(ROOT_URLCONF="tests.pay.urls", STATIC_URL="/static/"):
        yield


@pytest.fixture
def shop(database: object) -> Iterator[Shop]:
    """A shop with an account "shop" on its own mock gateway."""
    yield Shop()
    runtime.reset()
