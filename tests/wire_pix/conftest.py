"""The judges, and the recorded lives that they judge, each once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from omniman_payment_simulators.pix import PixSimulator

from . import by_hand as story
from . import judge, life
from .client import Client


@pytest.fixture(scope="session")
def efis() -> judge.Judge:
    """Judges by the document of the API as Efi serves it."""
    return judge.load(judge.EFIS)


@pytest.fixture(scope="session")
def banco_centrals() -> judge.Judge:
    """Judges by Banco Central's own document."""
    return judge.load(judge.BANCO_CENTRALS)


class _Taking(BaseHTTPRequestHandler):
    """Takes every notification."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def listening() -> Iterator[str]:
    """An address that can be registered."""
    server = HTTPServer(("127.0.0.1", 0), _Taking)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def by_plugin(listening: str) -> list[judge.Exchange]:
    """What the plugin sent and was answered."""
    with PixSimulator() as simulator:
        life.live(simulator, listening)
        return with_tokens(simulator.control.requests())


@pytest.fixture(scope="session")
def by_hand(listening: str) -> list[judge.Exchange]:
    """What a bare client sent and was answered."""
    with PixSimulator() as simulator:
        client = Client(simulator)
        try:
            story.live(simulator, client, listening)
        finally:
            client.close()
        return client.exchanges


def with_tokens(exchanges: list[judge.Exchange]) -> list[judge.Exchange]:
    """The simulator shows no token; the judge wants one."""
    for exchange in exchanges:
        if exchange["path"] == "/oauth/token" and exchange["status"] == 200:
            exchange["response"]["access_token"] = "not shown"
    return exchanges
