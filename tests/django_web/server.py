"""A real HTTP server on a free loopback port, and raw bytes sent to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connections


class _QuietHandler(WSGIRequestHandler):
    """Writes no access log; its threads give their database connections back."""

    timeout = 20

    def log_message(self, format: str, *args: object) -> None:
        pass

    def finish(self) -> None:
        super().finish()
        connections.close_all()


class Server:
    """Where a gateway would connect to."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address

    def connect(self) -> socket.socket:
        """A connection that gives up rather than hang."""
        connection = socket.create_connection(self.address, timeout=20)
        connection.settimeout(20)
        return connection

    def send(self, *pieces: bytes, half_close: bool = True) -> bytes:
        """Send the pieces one by one; everything that is answered."""
        with self.connect() as connection:
            for piece in pieces:
                try:
                    connection.sendall(piece)
                except OSError:
                    break
            if half_close:
                # The server may have answered and hung up already.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
            return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side is done."""
    answer = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return answer
        if not piece:
            return answer
        answer += piece


def status_of(answer: bytes) -> int:
    """The HTTP status of an answer."""
    return int(answer.split(b" ", 2)[1])


@contextmanager
def running_server() -> Iterator[Server]:
    """Serve the project's URLs until the block ends."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), _QuietHandler)
    server.daemon_threads = True
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Server(server.server_address[:2])  # type: ignore[arg-type]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
