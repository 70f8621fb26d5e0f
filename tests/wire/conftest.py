"""The judges of the wire, each built once: by contract documents and by the SDK's own types."""

from __future__ import annotations

import pytest

from . import documents
from .examples import Examples
from .requests_ import RequestSchemas
from .responses import ResponseSchemas


@pytest.fixture(scope="session")
def request_schemas() -> RequestSchemas:
    return RequestSchemas(documents.load(documents.REQUESTS))


@pytest.fixture(scope="session")
def response_schemas() -> ResponseSchemas:
    return ResponseSchemas(documents.load(documents.RESPONSES))


@pytest.fixture(scope="session")
def examples() -> Examples:
    return Examples(documents.load(documents.FIXTURES))
