"""A bare client: sends anything over mutual TLS and keeps what came. It knows no SDK."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from omniman_payment_simulators.pix import PixSimulator

from .judge import Exchange


class Client:
    """One connection, one token, and every exchange so far."""

    def __init__(self, simulator: PixSimulator) -> None:
        tls = ssl.create_default_context(cafile=str(simulator.ca_certificate))
        tls.load_cert_chain(simulator.certificate)
        self._connection = http.client.HTTPSConnection(
            urlsplit(simulator.url).netloc, timeout=20, context=tls
        )
        self.exchanges: list[Exchange] = []
        self.log_in(simulator.client_id, simulator.client_secret)

    def log_in(self, client_id: str, client_secret: str) -> None:
        """Everything from now on is sent by this account."""
        given = self.token(client_id, client_secret)
        self._authorization = f"Bearer {given['response']['access_token']}"

    def token(
        self, client_id: str, client_secret: str, grant: str = "client_credentials"
    ) -> Exchange:
        """Ask for a token, without using it."""
        pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        return self.call(
            "POST", "/oauth/token", {"grant_type": grant}, authorization=f"Basic {pair}"
        )

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        authorization: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Send, and take whatever comes."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent |= headers or {}
        target = quote(path) + (f"?{urlencode(query)}" if query else "")
        self._connection.request(
            method,
            target,
            None if body is None else json.dumps(body).encode(),
            {**sent, "Authorization": authorization or self._authorization},
        )
        answer = self._connection.getresponse()
        text = answer.read()
        kind = answer.headers.get_content_type() if text else ""
        exchange = {
            "method": method,
            "path": path,
            "query": dict(query or {}),
            "headers": sent,
            "body": body,
            "status": answer.status,
            "response": json.loads(text) if kind.endswith("json") else text.decode() or None,
            "content_type": kind,
        }
        self.exchanges.append(exchange)
        return exchange

    def close(self) -> None:
        """Give back the connection."""
        self._connection.close()
