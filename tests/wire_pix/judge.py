"""Judges what goes over the wire by the published documents of API Pix.

They are not part of this repository: they lie where :mod:`tests.wire.documents` says. Efi's is
Banco Central's with the prefix ``/v2``, Efi's own error shape and statuses, OAuth and the QR code,
and without the mistakes that make the original refuse its own examples.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.wire import documents

EFIS = "efi-flavoured-openapi.yaml"
BANCO_CENTRALS = "pix-openapi.yaml"
HERE = "http://localhost"

Exchange = dict[str, Any]
"""A request and its answer, in the form in which the simulator's control API shows them."""


def load(name: str) -> Judge:
    """The judge by this document; skips the test that asks where the document is absent."""
    path = documents.folder() / name
    if not path.is_file():
        pytest.skip(
            f"contract document {name} is absent from {path.parent}: set {documents.VARIABLE}"
        )
    document = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    # Banco Central leaves to every institution where its API begins.
    document["servers"] = [{"url": HERE if name == EFIS else f"{HERE}/v2"}]
    return Judge(document)


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
        return _faults(lambda: self._openapi.validate_request(_request(exchange)))

    def answer(self, exchange: Exchange) -> list[str]:
        """Against the answers that the call has, by their status."""
        body = exchange["response"]
        response = MockResponse(
            b"" if body is None else json.dumps(body).encode(),
            status_code=exchange["status"],
            content_type=exchange["content_type"],
        )
        return _faults(lambda: self._openapi.validate_response(_request(exchange), response))


def call_of(exchange: Exchange) -> str:
    """Which call it was and how it ended, without what is named in its path."""
    route = re.sub(
        r"/(v2/cob|v2/pix|v2/loc|v2/webhook|devolucao)/[^/]+", r"/\1/ID", exchange["path"]
    )
    return f"{exchange['method']} {route} {exchange['status']}"


def _faults(validate: Callable[[], object]) -> list[str]:
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
        HERE,
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
