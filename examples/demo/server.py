"""Serves the demo's URLs on a free port of this machine, so that gateways can reach the shop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connections

HOST = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    """Writes no access log; its threads give their database connections back."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def finish(self) -> None:
        super().finish()
        connections.close_all()


@contextmanager
def serving() -> Iterator[str]:
    """The shop's address, until the block ends."""
    server = ThreadedWSGIServer((HOST, 0), _Handler)
    server.daemon_threads = True
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
