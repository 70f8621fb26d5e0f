"""The shop's two halves, each on a thread: the worker, and the web server on loopback."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connections
from django.http import FileResponse, HttpRequest, HttpResponse

from omniman_payment_core.engine.worker import Worker
from omniman_payment_django.runtime import get_engine
from omniman_payment_django.webhooks.matching import rematch
from omniman_payment_django.webhooks.polling import EventPolling

from .settings import LOOPBACK

log = logging.getLogger("examples.shop")


class PortTakenError(Exception):
    """Somebody else listens there."""


class _Handler(WSGIRequestHandler):
    """Writes no access log; its threads give their database connections back."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def finish(self) -> None:
        super().finish()
        connections.close_all()


class _WithStaticFiles(StaticFilesHandler):
    """Static files straight from the packages: nobody collects them for a demonstration."""

    def serve(self, request: HttpRequest) -> HttpResponse | FileResponse:
        from django.contrib.staticfiles.views import serve

        return serve(request, self.file_path(request.path), insecure=True)


class _Server(ThreadedWSGIServer):
    daemon_threads = True


def bind(port: int, *, or_another: bool = False) -> ThreadedWSGIServer:
    """A server that listens and does not answer yet; port 0 is a free one."""
    try:
        server = _Server((LOOPBACK, port), _Handler)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        if or_another:
            return bind(0)
        raise PortTakenError(f"port {port} of {LOOPBACK} is taken") from None
    server.set_app(_WithStaticFiles(WSGIHandler()))
    return server


def address_of(server: ThreadedWSGIServer) -> str:
    """Where a browser finds it."""
    return f"http://{LOOPBACK}:{server.server_address[1]}"


@contextmanager
def serving(server: ThreadedWSGIServer) -> Iterator[None]:
    """Answer requests until the block ends."""
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="server"
    )
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(slots=True)
class Working:
    """How the worker is."""

    failed: bool = False


@contextmanager
def working(stop: threading.Event) -> Iterator[Working]:
    """Carry out directives until ``stop`` is set; a worker that fails sets it itself."""
    state = Working()
    polling = EventPolling()

    def keep_house() -> None:
        rematch()
        polling.step()

    def work() -> None:
        try:
            engine = get_engine("shop")
            Worker(engine, idle=0.05, maintain_every=1.0, housekeeping=keep_house).run(stop)
            polling.finish()
        except Exception:
            state.failed = True
            log.exception("the worker has ended")
        finally:
            stop.set()
            connections.close_all()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    try:
        yield state
    finally:
        stop.set()
        thread.join()
