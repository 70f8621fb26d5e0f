"""One shop for all the visits of this folder, each with cookies of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .process import Running, Visitor, running_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_shop(tmp_path_factory.mktemp("shop")) as running:
        yield running


@pytest.fixture
def visitor(shop: Running) -> Visitor:
    return Visitor(shop)
