"""A shop's view of the Pix simulator: requests over mutual TLS, and an address of its own."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import trustme

from omniman_payment_simulators.pix import PixSimulator
from simulators.tests.account import PATIENCE_SECONDS, Answer

NAME = "{:032x}".format
"""From a number to a txid."""
ALWAYS = {"inicio": "2020-01-01T00:00:00Z", "fim": "2099-01-01T00:00:00Z"}
EMPTY: dict[str, Any] = {}


def tls(simulator: PixSimulator, certificate: Path | None) -> ssl.SSLContext:
    """Trusts the simulator, and shows a certificate if there is one."""
    context = ssl.create_default_context(cafile=str(simulator.ca_certificate))
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


class PixAccount:
    """One account, asked by hand; its token is fetched when it is first needed."""

    def __init__(self, simulator: PixSimulator, name: str = "", key: str = "") -> None:
        self.simulator = simulator
        self.control = simulator.control
        self.client_id = name or simulator.client_id
        self.client_secret = f"secret of {name}" if name else simulator.client_secret
        self.key = key or simulator.pix_key
        self.token: str | None = None

    @classmethod
    def another(cls, simulator: PixSimulator, name: str = "other") -> PixAccount:
        """Another tenant of the same institution."""
        account = cls(simulator, name, f"key-of-{name}@example.com")
        simulator.control.add_account(name, account.client_secret, account.key)
        return account

    # Over the wire

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        query: dict[str, Any] = EMPTY,
        *,
        headers: dict[str, str] = EMPTY,
        timeout: float = PATIENCE_SECONDS,
    ) -> Answer:
        """A request with the account's token; raises what the connection raises."""
        if self.token is None:
            self.token = self.ask_for_token().json["access_token"]
        given = {"Authorization": f"Bearer {self.token}", **headers}
        return self.raw(method, path, body, query, headers=given, timeout=timeout)

    def ask_for_token(self, secret: str | None = None) -> Answer:
        pair = f"{self.client_id}:{self.client_secret if secret is None else secret}"
        basic = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        asked = {"grant_type": "client_credentials"}
        return self.raw("POST", "/oauth/token", asked, headers=basic)

    def raw(
        self,
        method: str,
        path: str,
        body: object = None,
        query: dict[str, Any] = EMPTY,
        *,
        headers: dict[str, str] = EMPTY,
        timeout: float = PATIENCE_SECONDS,
    ) -> Answer:
        """A request with whatever headers; a body of bytes is sent as it is."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPSConnection(
            str(urlsplit(self.simulator.url).netloc),
            timeout=timeout,
            context=tls(self.simulator, self.simulator.certificate),
        )
        try:
            target = f"{path}?{urlencode(query)}" if query else path
            connection.request(
                method, target, sent, {"Content-Type": "application/json", **headers}
            )
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
        finally:
            connection.close()

    # Selling

    def body(self, amount: str = "10.00", **more: Any) -> dict[str, Any]:
        """A charge that may be made."""
        return {
            "calendario": {"expiracao": 3600},
            "valor": {"original": amount},
            "chave": self.key,
            "infoAdicionais": [{"nome": "order_ref", "valor": "A-1"}],
            **more,
        }

    def open(self, number: int = 1, amount: str = "10.00", **more: Any) -> str:
        """An open charge; its txid."""
        made = self.send("PUT", f"/v2/cob/{NAME(number)}", self.body(amount, **more))
        assert made.status == 201, made.text
        return str(made.json["txid"])

    def paid(self, number: int = 1, amount: str = "10.00") -> str:
        """A charge that was paid; the e2eid of its payment."""
        txid = self.open(number, amount)
        return str(self.control.pay(txid, pix_key=self.key)["endToEndId"])

    def read(self, txid: str) -> Any:
        """The charge as it is now."""
        return self.send("GET", f"/v2/cob/{txid}").json

    def give_back(self, e2eid: str, number: str = "1", amount: str = "10.00") -> Answer:
        """Ask for a return."""
        return self.send("PUT", f"/v2/pix/{e2eid}/devolucao/{number}", {"valor": amount})

    def register(self, url: str, *, skip_mtls: bool = False) -> Answer:
        """Have notifications sent there."""
        headers = {"x-skip-mtls-checking": "true"} if skip_mtls else EMPTY
        return self.send("PUT", f"/v2/webhook/{self.key}", {"webhookUrl": url}, headers=headers)

    def advance(self, seconds: int) -> None:
        """Let time pass, which ends tokens as well."""
        self.control.advance(seconds)
        self.token = None

    def movements(self) -> list[tuple[str, int]]:
        """The simulator's own books."""
        return [(m["kind"], m["amount_q"]) for m in self.control.ledger()["movements"]]


@dataclass(frozen=True, slots=True)
class Received:
    """A request that came to the shop's address."""

    path: str
    body: bytes
    certified: bool
    agent: str

    @property
    def pix(self) -> Any:
        return json.loads(self.body)["pix"]


class Hook:
    """A shop's webhook endpoint; ``answers`` are given one after the other, then 200."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.answers: list[int] = []

    def told(self) -> list[Received]:
        """The notifications, without the requests that try the address out."""
        return [one for one in self.received if one.body]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Who is refused while shaking hands is no news."""


@contextmanager
def hook(context: ssl.SSLContext | None = None, path: str = "/hook") -> Iterator[Hook]:
    """Listen on a free port until the block ends, with TLS if there is a context."""
    mine = Hook()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            shown = isinstance(self.connection, ssl.SSLSocket) and self.connection.getpeercert()
            agent = self.headers["User-Agent"]
            mine.received.append(Received(self.path, body, bool(shown), agent))
            self.send_response(mine.answers.pop(0) if mine.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = _Server(("127.0.0.1", 0), Handler)
    scheme = "http"
    if context is not None:
        scheme = "https"
        # The handshake is done in the thread of its connection, not in the one that accepts.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    mine.url = f"{scheme}://127.0.0.1:{server.server_address[1]}{path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield mine
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class ShopCertificates:
    """What vouches for a shop's address, and the certificate that it shows."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca = folder / "shops-ca.pem"
        self._own = folder / "shop.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        made = authority.issue_cert("127.0.0.1")
        made.private_key_and_cert_chain_pem.write_to_path(str(self._own))

    def context(
        self, simulator: PixSimulator, mode: ssl.VerifyMode = ssl.CERT_REQUIRED
    ) -> ssl.SSLContext:
        """For a server that asks for the institution's certificate, or does not."""
        context = ssl.create_default_context(
            ssl.Purpose.CLIENT_AUTH, cafile=str(simulator.webhook_ca_certificate)
        )
        context.load_cert_chain(self._own)
        context.verify_mode = mode
        return context
