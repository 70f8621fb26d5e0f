"""Running: side by side, as a process of its own, and as a fixture in somebody else's tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import stripe

from omniman_payment_simulators.stripe import StripeControl, StripeSimulator
from simulators.tests.account import Account, receiver

COMMAND = (sys.executable, "-m", "omniman_payment_simulators", "stripe", "--port")


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The simulator as a process, and the address that it announces."""
    started = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert started.stdout is not None
        said = started.stdout.readline()
        assert said.startswith("stripe simulator on http://127.0.0.1:"), said
        yield started, said.rsplit(" ", 1)[1].strip()
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def test_two_simulators_know_nothing_of_each_other() -> None:
    with StripeSimulator() as one, StripeSimulator("sk_test_two") as other:
        first, second = Account(one), Account(other)
        paid = first.open("visa")
        second.control.decline_next()
        second.control.fault(kind="error", path="/v1/account")
        assert first.control.moved("A-1") == 1000
        assert second.control.ledger()["movements"] == []
        with pytest.raises(stripe.InvalidRequestError):
            second.intents.retrieve(paid.id)
        assert first.send("GET", "/v1/account").status == 200
        assert second.send("GET", "/v1/account").status == 500
        assert second.send("GET", "/v1/account", secret=one.api_key).status == 401


def test_what_was_stopped_listens_no_more() -> None:
    with StripeSimulator() as running:
        account = Account(running)
        account.open()
    with pytest.raises(ConnectionRefusedError):
        account.send("GET", "/v1/account")


def test_a_port_that_is_taken_is_told() -> None:
    with (
        StripeSimulator() as running,
        pytest.raises(OSError, match="address already in use"),
        StripeSimulator(port=int(running.url.rsplit(":", 1)[1])),
    ):
        raise AssertionError("two servers on one port")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_process_serves_until_it_is_told_to_end(how: signal.Signals) -> None:
    with (
        receiver() as hook,
        process(
            *("0", "--api-key", "sk_test_mine", "--publishable-key", "pk_test_mine"),
            *("--webhook-url", hook.url, "--webhook-secret", "whsec_mine"),
        ) as (started, url),
    ):
        sdk = stripe.StripeClient("sk_test_mine", base_addresses={"api": url})
        control = StripeControl(url)
        opened = sdk.v1.payment_intents.create({"amount": 1000, "currency": "brl"})
        assert control.pay(opened.id)["status"] == "succeeded"
        assert control.moved("") == 1000
        assert control.flush()
        sdk.construct_event(hook.received[0].body, hook.received[0].signature, "whsec_mine")
        started.send_signal(how)
        out, err = started.communicate(timeout=15)
        assert (started.returncode, out, err) == (0, "", "")


def test_a_process_says_that_its_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = subprocess.run([*COMMAND, port], capture_output=True, text=True, timeout=15)
    assert ended.returncode == 1
    assert f"cannot listen on port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_process_that_is_asked_for_another_gateway_says_what_there_is() -> None:
    command = [*COMMAND[:3], "nobody"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=15)
    assert ended.returncode == 2
    assert "stripe" in ended.stderr


def test_a_stranger_s_tests_get_the_fixture_by_installing_the_distribution(
    pytester_folder: str,
) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", pytester_folder]
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=pytester_folder,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


@pytest.fixture
def pytester_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A project of somebody else, whose two tests must not see each other's payments."""
    folder = tmp_path_factory.mktemp("stranger")
    folder.joinpath("pytest.ini").write_text("[pytest]\n")
    test = """
import json
import urllib.request


def _pay(simulator):
    assert simulator.control.ledger()["movements"] == []
    request = urllib.request.Request(
        simulator.url + "/v1/payment_intents",
        b"amount=1000&currency=brl",
        {"Authorization": f"Bearer {simulator.api_key}"},
    )
    with urllib.request.urlopen(request) as answer:
        simulator.control.pay(json.load(answer)["id"])
    assert simulator.control.moved("") == 1000


def test_one(stripe_simulator):
    _pay(stripe_simulator)


def test_two(stripe_simulator):
    _pay(stripe_simulator)
"""
    folder.joinpath("test_shop.py").write_text(test)
    return str(folder)
