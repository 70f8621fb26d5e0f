"""The process that takes the gateway's notifications; its socket outlives it."""

from __future__ import annotations

import socket

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connections

from .project import ACCOUNT

PATH = f"/payments/webhooks/{ACCOUNT}/"


class _QuietHandler(WSGIRequestHandler):
    """Writes no access log; its threads give their database connections back."""

    timeout = 20

    def log_message(self, format: str, *args: object) -> None:
        pass

    def finish(self) -> None:
        super().finish()
        connections.close_all()


def open_door() -> socket.socket:
    """Where notifications come in. Whoever knocks while nobody listens waits for the next."""
    return socket.create_server(("127.0.0.1", 0), backlog=256)


def listen(door: socket.socket) -> None:
    """Take notifications until somebody ends the process."""
    server = ThreadedWSGIServer(door.getsockname(), _QuietHandler, bind_and_activate=False)
    server.socket.close()
    server.socket = door
    server.server_name, server.server_port = door.getsockname()
    server.setup_environ()
    server.daemon_threads = True
    server.set_app(WSGIHandler())
    server.serve_forever()
