"""The judges of the wire, each built once: by contract documents and by the SDK's own types."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from . import documents
from .examples import Examples
from .requests_ import RequestSchemas
from .responses import ResponseSchemas


@pytest.fixture(scope="session", autouse=True)
def _no_telemetry() -> Iterator[None]:
    """The SDK would write a file into the home folder of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe, "enable_telemetry", False)
        yield


@pytest.fixture(scope="session")
def request_schemas() -> RequestSchemas:
    return RequestSchemas(documents.load(documents.REQUESTS))


@pytest.fixture(scope="session")
def response_schemas() -> ResponseSchemas:
    return ResponseSchemas(documents.load(documents.RESPONSES))


@pytest.fixture(scope="session")
def examples() -> Examples:
    return Examples(documents.load(documents.FIXTURES))
