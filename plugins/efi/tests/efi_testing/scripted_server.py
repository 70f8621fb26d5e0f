"""An HTTPS server that demands a client certificate and answers as it is told.

So every way in which an answer, or a handshake, can go wrong is real.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .certificates import authority

TOKEN_PATH = "/oauth/token"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``body`` is JSON, or bytes as they are.

    ``cut`` resets the connection, ``silent`` never answers, ``drip`` sends the body byte by byte
    with so many seconds in between, ``drip_head`` the status line and headers as well; ``chunked``
    tells no length.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    silent: bool = False
    drip: float = 0
    drip_head: float = 0
    chunked: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    raw_path: str


Script = list[Answer] | Callable[[Request], Answer]


class ScriptedServer(ThreadingHTTPServer):
    """Gives its answers one after the other, then the last one again.

    Tokens are given by themselves (``token-1``, ``token-2``, ...) unless ``token_answers`` says
    otherwise; ``requests`` holds the other requests only.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.context = context
        self.answers: Script = [Answer(200, {})]
        self.token_answers: Script | None = None
        self.token_seconds: Any = 3600
        self.requests: list[Request] = []
        self.token_requests: list[Request] = []
        self.connections = 0
        self.handshakes = 0
        self.released = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self.lock:
            self.connections += 1
        wrapped = self.context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        return wrapped, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut, or turned away, is what the test wanted."""

    def next_answer(self, request: Request) -> Answer:
        with self.lock:
            if request.path == TOKEN_PATH:
                self.token_requests.append(request)
                if self.token_answers is None:
                    token = f"token-{len(self.token_requests)}"
                    return Answer(200, {"access_token": token, "expires_in": self.token_seconds})
                script = self.token_answers
            else:
                self.requests.append(request)
                script = self.answers
            if not callable(script):
                return script.pop(0) if len(script) > 1 else script[0]
        return script(request)


def _linger(connection: ssl.SSLSocket) -> None:
    """Let the alert arrive: closing on what the client has sent meanwhile would reset it away."""
    with socket.socket(fileno=os.dup(connection.fileno())) as plain, suppress(OSError):
        plain.settimeout(5)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(65536):
            pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: ScriptedServer
    connection: ssl.SSLSocket

    def setup(self) -> None:
        self.request.settimeout(30)
        try:
            self.request.do_handshake()
        except ssl.SSLError:
            _linger(self.request)
            raise
        with self.server.lock:
            self.server.handshakes += 1
        super().setup()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        body = json.loads(content) if content else None
        request = Request(self.command, parts.path, query, dict(self.headers), body, self.path)
        self._give(self.server.next_answer(request))

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815

    def _give(self, answer: Answer) -> None:
        if answer.silent:
            self.server.released.wait(30)
        if answer.cut or answer.silent:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        content = answer.content
        head = [f"HTTP/1.1 {answer.status} Scripted"]
        head += [f"{name}: {value}" for name, value in answer.headers.items()]
        if answer.chunked:
            head.append("Transfer-Encoding: chunked")
            content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
        elif answer.status != 204:
            head.append(f"Content-Length: {len(content)}")
        else:
            content = b""
        self._send("\r\n".join([*head, "", ""]).encode(), answer.drip_head)
        self._send(content, answer.drip)

    def _send(self, content: bytes, drip: float) -> None:
        step = 1 if drip else len(content) or 1
        for place in range(0, len(content), step):
            self.wfile.write(content[place : place + step])
            self.wfile.flush()
            if drip and self.server.released.wait(drip):
                self.close_connection = True
                return

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


def server_context(
    *,
    server_ca: str = "Efi",
    client_ca: str = "Efi",
    host: str = "127.0.0.1",
    tls: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> ssl.SSLContext:
    """TLS as the gateway has it: nobody comes in without a certificate that it knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = tls
    context.verify_mode = ssl.CERT_REQUIRED
    authority(server_ca).issue_cert(host).configure_cert(context)
    authority(client_ca).configure_trust(context)
    return context


@contextmanager
def scripted_server(**how: Any) -> Iterator[ScriptedServer]:
    """A server on a free port of this machine, gone afterwards."""
    server = ScriptedServer(server_context(**how))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def ca_file(folder: Path, name: str = "Efi") -> str:
    """The path of an authority's certificate."""
    path = folder / f"{name}-ca.pem"
    authority(name).cert_pem.write_to_path(str(path))
    return str(path)
