"""The shop that the web tests deliver to, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from omniman_payment_django import runtime

from .shop import Shop


@pytest.fixture(autouse=True)
def _urls() -> Iterator[None]:
    with override_settings(ROOT_URLCONF="tests.django_web.urls"):
        yield


@pytest.fixture
def shop(database: object) -> Iterator[Shop]:
    """A shop with an account "shop" on its own mock gateway."""
    yield Shop()
    runtime.reset()
