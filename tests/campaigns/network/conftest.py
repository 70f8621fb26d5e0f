"""The simulators behind their proxies, for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .sides import Side, efi_side, stripe_side


@pytest.fixture(scope="module")
def stripe_behind_proxy() -> Iterator[Side]:
    with stripe_side() as side:
        yield side


@pytest.fixture(scope="module")
def efi_behind_proxy() -> Iterator[Side]:
    with efi_side() as side:
        yield side
