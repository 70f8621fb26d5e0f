"""Judges what goes over the wire by Banco Central's document of API Pix, as Efi serves it.

The document is not part of this repository: it lies where :mod:`tests.wire.documents` says. It
adds to Banco Central's the prefix ``/v2``, Efi's own error shape and status codes, OAuth and the
QR code; and mends what made the original refuse its own examples.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.wire import documents

DOCUMENT = "efi-flavoured-openapi.yaml"

Exchange = dict[str, Any]


def load() -> Judge:
    """The judge; skips the test that asks where the document is absent."""
    path: Path = documents.folder() / DOCUMENT
    if not path.is_file():
        pytest.skip(
            f"contract document {DOCUMENT} is absent from {path.parent}: set {documents.VARIABLE}"
        )
    return Judge(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))


class Judge:
    """Says what is wrong with a request or an answer; nothing is a good sign."""

    def __init__(self, document: dict[str, Any]) -> None:
        # The document has a default of the wrong type, which is nobody's fault here.
        config = Config(
            spec_validator_cls=None,
            extra_media_type_deserializers={"application/problem+json": json.loads},
        )
        self._openapi = OpenAPI.from_dict(document, config=config)

    def request(self, exchange: Exchange) -> list[str]:
        """Against the parameters and the body that the call takes."""
        return self._faults(lambda: self._openapi.validate_request(_request(exchange)))

    def answer(self, exchange: Exchange) -> list[str]:
        """Against the answers that the call has, by their status."""
        response = MockResponse(
            json.dumps(exchange["response"]).encode(),
            status_code=exchange["status"],
            content_type=exchange["content_type"],
        )
        return self._faults(lambda: self._openapi.validate_response(_request(exchange), response))

    def _faults(self, validate: Any) -> list[str]:
        try:
            with warnings.catch_warnings():
                # It knows no OAuth by client credentials; the tokens are tested elsewhere.
                warnings.filterwarnings("ignore", message="Unsupported scheme type")
                validate()
        except Exception as error:
            return list(_told(error))
        return []


def _request(exchange: Exchange) -> MockRequest:
    body = exchange["body"]
    return MockRequest(
        "http://localhost",
        exchange["method"],
        exchange["path"],
        args=exchange["query"],
        headers=exchange["headers"],
        data=None if body is None else json.dumps(body).encode(),
    )


def _told(error: BaseException) -> Iterator[str]:
    """Down to the rule that was broken."""
    found = False
    at: BaseException | None = error
    while at is not None:
        for each in getattr(at, "schema_errors", ()):
            found = True
            yield f"{'.'.join(map(str, each.absolute_path))}: {each.message}"
        at = at.__cause__
    if not found:
        yield f"{type(error).__name__}: {error}"
