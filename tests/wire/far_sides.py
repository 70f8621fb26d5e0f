"""Two servers that play Stripe, asked in the same way: our simulator and localstripe."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import requests
import stripe

from omniman_payment_simulators.stripe import StripeSimulator

_DEADLINE = 10.0
_UNKNOWN_TO_LOCALSTRIPE = re.compile(
    r"(automatic_payment_methods|return_url|description|reason|cancellation_reason)(\[|$)"
)
"""Parameters that Stripe documents and that localstripe refuses as unexpected."""


@dataclass(frozen=True, slots=True)
class Side:
    """One server that plays Stripe."""

    name: str
    url: str
    api_key: str
    publishable_key: str
    client: Any
    """A StripeClient; untyped, because it is made to ask what its types forbid."""

    def with_key(self, api_key: str) -> Any:
        """A client of this server with another key."""
        return _client(self.url, api_key, stripe.RequestsClient(timeout=_DEADLINE))

    def authenticate(self, intent: Any, *, success: bool) -> None:
        """The shopper answers the 3-D Secure question."""
        if self.name == "localstripe":
            path, answer = (
                f"v1/payment_intents/{intent.id}/_authenticate",
                {
                    "key": self.publishable_key,
                    "client_secret": intent.client_secret,
                    "success": "true" if success else "false",
                },
            )
            self._send("POST", path, data=answer, accept=(200, 402))
            return
        path = f"_simulator/payment_intents/{intent.id}/authenticate"
        self._send("POST", path, json={"success": success})

    def notify(self, url: str, secret: str) -> None:
        """Ask for notifications, signed with ``secret``, from now on."""
        path = (
            "_config/webhooks/shop"
            if self.name == "localstripe"
            else ("_simulator/webhook_endpoints")
        )
        self._send("POST", path, json={"url": url, "secret": secret})

    def forget(self) -> None:
        """Begin again with nothing."""
        if self.name == "localstripe":
            self._send("DELETE", "_config/data")
        else:
            self._send("POST", "_simulator/reset")

    def _send(
        self, method: str, path: str, accept: tuple[int, ...] = (200,), **content: Any
    ) -> None:
        answer = requests.request(method, f"{self.url}/{path}", timeout=_DEADLINE, **content)
        assert answer.status_code in accept, f"{method} {path}: {answer.text}"


@contextmanager
def simulator() -> Iterator[Side]:
    """Our simulator."""
    with StripeSimulator() as running:
        http = stripe.RequestsClient(timeout=_DEADLINE)
        client = _client(running.url, running.api_key, http)
        yield Side("simulator", running.url, running.api_key, running.publishable_key, client)


@contextmanager
def localstripe() -> Iterator[Side]:
    """localstripe in a process of its own; skips where it is not installed."""
    if importlib.util.find_spec("localstripe") is None:
        pytest.skip("localstripe is not installed: pip install -r requirements-dev.txt")
    program = Path(__file__).with_name("localstripe_server.py")
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            assert port, "localstripe ended before it listened"
            url = f"http://127.0.0.1:{port}"
            client = _client(url, "sk_test_localstripe", _Shim(timeout=_DEADLINE))
            yield Side("localstripe", url, "sk_test_localstripe", "pk_test_localstripe", client)
        finally:
            process.terminate()
            process.wait(_DEADLINE)


def _client(url: str, api_key: str, http: stripe.HTTPClient) -> stripe.StripeClient:
    return stripe.StripeClient(api_key, base_addresses={"api": url}, http_client=http)


class _Shim(stripe.RequestsClient):
    """Drops the parameters that localstripe does not know."""

    def request(
        self, method: str, url: str, headers: Any, post_data: Any = None, **usage: Any
    ) -> Any:
        if post_data:
            known = [
                (name, value)
                for name, value in parse_qsl(post_data, keep_blank_values=True)
                if not _UNKNOWN_TO_LOCALSTRIPE.match(name)
            ]
            post_data = urlencode(known)
        return super().request(method, url, headers, post_data, **usage)
