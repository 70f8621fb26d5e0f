"""Running the Pix simulator: side by side, as a process, as a fixture, and from the start again."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from omniman_payment_simulators.pix import PixControl, PixSimulator
from simulators.tests.pix_account import ALWAYS, NAME, PixAccount, hook

COMMAND = (sys.executable, "-m", "omniman_payment_simulators", "pix")


@dataclass(frozen=True)
class Process:
    """What a simulator in another process says of itself."""

    started: subprocess.Popen[str]
    url: str
    control: PixControl
    folder: Path
    client_id: str = "mine"
    client_secret: str = "secret of mine"
    pix_key: str = "mine@example.com"

    @property
    def certificate(self) -> Path:
        return self.folder / "client.pem"

    @property
    def ca_certificate(self) -> Path:
        return self.folder / "ca.pem"


@contextmanager
def process(*arguments: str) -> Iterator[Process]:
    """The simulator as a process, on ports of its own."""
    started = subprocess.Popen(
        [*COMMAND, "--port", "0", "--control-port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stdout is not None
        said = [started.stdout.readline().rstrip("\n") for _ in range(3)]
        assert said[0].startswith("pix simulator on https://127.0.0.1:"), said
        assert said[1].startswith("control on http://127.0.0.1:"), said
        assert said[2].startswith("certificates in "), said
        url, control, folder = (line.rsplit(" ", 1)[1] for line in said)
        yield Process(started, url, PixControl(control), Path(folder))
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def test_two_simulators_know_nothing_of_each_other(tmp_path: Path) -> None:
    with PixSimulator() as one, PixSimulator(folder=tmp_path / "two") as other:
        first, second = PixAccount(one), PixAccount(other)
        first.paid()
        second.control.fault(kind="error", path="/v2/loc*")
        assert first.control.moved("A-1") == 1000
        assert second.control.ledger()["movements"] == []
        assert first.send("GET", "/v2/loc", query=ALWAYS).status == 200
        context = ssl.create_default_context(cafile=str(other.ca_certificate))
        context.load_cert_chain(one.certificate)
        connection = http.client.HTTPSConnection(one.url[8:], timeout=15, context=context)
        with closing(connection), pytest.raises(ssl.SSLCertVerificationError):
            connection.connect()


def test_certificates_go_with_the_simulator_unless_a_folder_was_named(tmp_path: Path) -> None:
    with PixSimulator() as running:
        certificate = running.certificate
        assert certificate.exists()
    assert not certificate.parent.exists()
    with PixSimulator(folder=tmp_path / "kept") as running:
        assert running.certificate.parent == tmp_path / "kept"
    assert running.certificate.exists()


def test_what_was_stopped_listens_no_more() -> None:
    with PixSimulator() as running:
        account = PixAccount(running)
        account.open()
        control = account.control
        url = running.url
    with pytest.raises(OSError, match="Connection refused"):
        control.ledger()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=15).close()


@pytest.mark.parametrize("which", ["port", "control_port"])
def test_a_port_that_is_taken_is_told_and_nothing_is_left(which: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        simulator = PixSimulator(**{which: taken.getsockname()[1]})
        with pytest.raises(OSError, match="address already in use"):
            simulator.__enter__()
    assert not simulator.certificate.parent.exists()


def test_a_reset_is_a_new_start(pix_simulator: PixSimulator) -> None:
    account = PixAccount(pix_simulator)
    other = PixAccount.another(pix_simulator)
    with hook() as mine:
        account.register(mine.url, skip_mtls=True)
        account.paid()
        other.paid()
        account.control.returns("refuse")
        account.control.decline_next()
        account.control.fault(kind="error", times=9)
        account.control.pause()
        account.control.reset()
        assert account.control.requests() == []
        assert account.control.ledger() == {"movements": [], "orders": {}}
        assert account.control.tokens_issued() == 0
        assert account.raw("GET", "/v2/cob", headers={"Authorization": "Bearer x"}).status == 401
        assert other.ask_for_token().status == 401
        account.token = None
        assert account.give_back(account.paid()).json["status"] == "DEVOLVIDO"
        assert account.send("GET", f"/v2/webhook/{account.key}").status == 404


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_process_serves_until_it_is_told_to_end(how: signal.Signals) -> None:
    with process(
        *("--client-id", "mine", "--client-secret", "secret of mine"),
        *("--pix-key", "mine@example.com", "--auto-pay"),
    ) as running:
        account = PixAccount(running)  # type: ignore[arg-type]
        small, large = account.open(1, "10.00"), account.open(2, "10.01")
        assert account.read(small)["status"] == "CONCLUIDA"
        running.control.pay(large)
        assert running.control.moved("A-1") == 2001
        running.started.send_signal(how)
        out, err = running.started.communicate(timeout=15)
        assert (running.started.returncode, out, err) == (0, "", "")
        assert not running.folder.exists()


def test_a_process_leaves_its_certificates_where_it_was_told_to(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    with process("--certificates", str(folder)) as running:
        assert running.folder == folder
        running.started.terminate()
        running.started.communicate(timeout=15)
    names = {path.name for path in folder.iterdir()}
    assert {"client.pem", "ca.pem", "webhook-ca.pem"} <= names


def test_a_process_says_that_its_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for option, other in (("--port", "--control-port"), ("--control-port", "--port")):
            ended = subprocess.run(
                [*COMMAND, option, port, other, "0"], capture_output=True, text=True, timeout=15
            )
            assert ended.returncode == 1
            assert "cannot listen on" in ended.stderr
            assert port in ended.stderr
            assert "Traceback" not in ended.stderr


def test_a_process_says_that_it_cannot_use_a_file(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    ended = subprocess.run(
        [*COMMAND, "--shops-ca", missing], capture_output=True, text=True, timeout=15
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("cannot use these certificates: ")
    assert "Traceback" not in ended.stderr


def test_a_strangers_tests_get_the_fixture_by_installing_the_distribution(tmp_path: Path) -> None:
    tmp_path.joinpath("pytest.ini").write_text("[pytest]\n")
    tmp_path.joinpath("test_shop.py").write_text("""
import pytest


@pytest.mark.parametrize("once", [1, 2])
def test_its_books_are_empty(pix_simulator, once):
    assert pix_simulator.control.ledger()["movements"] == []
    assert pix_simulator.control.requests() == []
    pix_simulator.control.add_account("the same", "each", "time")
""")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=30, cwd=tmp_path, env=environment
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_the_control_api_takes_objects_only(pix_simulator: PixSimulator) -> None:
    for body in (b"[1]", b"1", b"{", b'"a"'):
        request = urllib.request.Request(
            f"{pix_simulator.control_url}/_simulator/cob/{NAME(1)}/pay", body, method="POST"
        )
        with pytest.raises(urllib.error.HTTPError, match="400") as caught:
            urllib.request.urlopen(request, timeout=15)
        caught.value.close()
