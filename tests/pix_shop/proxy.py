"""A proxy that ends TLS before the shop and verifies client certificates, as nginx would.

Only it says ``X-SSL-Client-Verify``, whatever a client sends. It knows nothing of payments.
"""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HEADER = "X-SSL-Client-Verify"
LOCATION = "/payments/webhooks/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shop: tuple[str, int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        verified = bool(self.connection.getpeercert())  # type: ignore[attr-defined]
        if self.path.startswith(LOCATION) and not verified:
            self._answer(403, b"")
            return
        headers = {n: v for n, v in self.headers.items() if n.lower() != HEADER.lower()}
        headers[HEADER] = "SUCCESS" if verified else "NONE"
        shop = http.client.HTTPConnection(*self.shop, timeout=20)
        try:
            shop.request("POST", self.path, body, headers)
            answer = shop.getresponse()
            self._answer(answer.status, answer.read())
        finally:
            shop.close()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client whose certificate is not accepted is no news."""


@contextmanager
def tls_proxy(shop: tuple[str, int], certificate: Path, clients_ca: Path) -> Iterator[int]:
    """The proxy on a free port, until the block ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(clients_ca)
    # Asked for and verified where one is shown, as for a location among others.
    context.verify_mode = ssl.CERT_OPTIONAL
    handler = type("Handler", (_Handler,), {"shop": shop})
    server = _Server(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
