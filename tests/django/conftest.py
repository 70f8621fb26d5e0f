"""Every store of the contract."""

from __future__ import annotations

import pytest

from .stores import DjangoKit, Kit, MemoryKit


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def kit(request: pytest.FixtureRequest) -> Kit:
    """A store with nothing in it."""
    if request.param == "memory":
        return MemoryKit()
    request.getfixturevalue(f"{request.param}_database")
    return DjangoKit()
