"""Connections: reused, one for each thread, two accounts side by side, and closed when told to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from requests.adapters import HTTPAdapter

from omniman_payment_core.errors import InvalidRequestError, NotAttemptedError, OutcomeUnknownError
from omniman_payment_core.values import PaymentStatus
from omniman_payment_stripe import StripeBackend
from omniman_payment_stripe.config import API_VERSION
from stripe_testing.objects import held
from stripe_testing.scripted_server import Answer, ScriptedServer, scripted_server


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        server.answers = [Answer(200, held())]
        yield server


def account(server: ScriptedServer, key: str = "sk_test_one1", **more: Any) -> StripeBackend:
    return StripeBackend({"api_key": key, "base_url": server.url, **more})


def test_a_connection_is_used_again(server: ScriptedServer) -> None:
    backend = account(server)
    for _ in range(10):
        assert backend.get_status("pi_1").status == PaymentStatus.AUTHORIZED
    assert (len(server.requests), server.connections) == (10, 1)
    backend.close()


def test_every_thread_has_a_connection_of_its_own_and_all_are_closed(
    server: ScriptedServer,
) -> None:
    backend = account(server)
    together = threading.Barrier(8)

    def ask(_: int) -> None:
        together.wait()
        for _ in range(5):
            assert backend.get_status("pi_1").status == PaymentStatus.AUTHORIZED

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert (len(server.requests), server.connections) == (40, 8)
    backend.close()
    backend.close()
    assert backend.get_status("pi_1").success
    assert server.connections == 9
    backend.close()


def test_two_accounts_work_side_by_side(server: ScriptedServer) -> None:
    one, other = account(server), account(server, "sk_test_two2", api_version="2025-03-31.basil")
    for backend in (one, other, one):
        backend.get_status("pi_1")
    sent = [(h["Authorization"], h["Stripe-Version"]) for _, _, h, _ in server.requests]
    assert sent == [
        ("Bearer sk_test_one1", API_VERSION),
        ("Bearer sk_test_two2", "2025-03-31.basil"),
        ("Bearer sk_test_one1", API_VERSION),
    ]
    one.close()
    other.close()


def test_nothing_about_the_machine_is_told_or_written(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    backend = account(server)
    for _ in range(3):
        backend.get_status("pi_1")
    backend.close()
    assert list(tmp_path.iterdir()) == []
    told = " ".join(str(headers) for _, _, headers, _ in server.requests)
    assert "Telemetry" not in told
    assert "telemetry_id" not in told


def test_a_netrc_file_never_takes_the_place_of_the_key(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    backend = account(server)
    backend.get_status("pi_1")
    backend.close()
    assert server.requests[0][2]["Authorization"] == "Bearer sk_test_one1"


def test_a_call_that_changes_something_carries_the_engines_key(server: ScriptedServer) -> None:
    backend = account(server)
    backend.capture("pi_1", 1000, currency="BRL", idempotency_key="omp_pay-1_capture_1")
    backend.close()
    ((_, path, headers, body),) = server.requests
    assert path == "/v1/payment_intents/pi_1/capture"
    assert headers["Idempotency-Key"] == "omp_pay-1_capture_1"
    assert "amount_to_capture=1000" in body


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_not_followed(server: ScriptedServer, status: int) -> None:
    with scripted_server() as elsewhere:
        elsewhere.answers = [Answer(200, held())]
        for place in (server.url, elsewhere.url):
            server.requests.clear()
            server.answers = [Answer(status, {}, {"Location": f"{place}/v1/payment_intents/pi_2"})]
            backend = account(server)
            with pytest.raises(OutcomeUnknownError):
                backend.capture("pi_1", 1000, currency="BRL", idempotency_key="k")
            backend.close()
            assert [path for _, path, _, _ in server.requests] == [
                "/v1/payment_intents/pi_1/capture"
            ]
        assert elsewhere.requests == []


def test_certificates_are_verified_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "")
    sent: list[dict[str, Any]] = []

    def send(self: HTTPAdapter, request: Any, **how: Any) -> Any:
        sent.append(how)
        raise requests.exceptions.ConnectTimeout

    monkeypatch.setattr(HTTPAdapter, "send", send)
    backend = StripeBackend({"api_key": "sk_test_one1"})
    with pytest.raises(NotAttemptedError):
        backend.get_status("pi_1")
    assert sent
    assert sent[0]["verify"] == stripe.ca_bundle_path


def test_the_sdk_writes_nothing_of_our_calls_and_all_of_the_shops_own(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [Answer(200, held()), Answer(400, {"error": {"message": "No such card"}})]
    backend = account(server)
    backend.get_status("pi_1")
    with pytest.raises(InvalidRequestError):
        backend.capture("pi_1", 1000, currency="BRL", idempotency_key="k")
    backend.close()
    assert [record for record in caplog.records if record.name == "stripe"] == []
    own = stripe.StripeClient("sk_test_shop", base_addresses={"api": server.url})
    with pytest.raises(stripe.InvalidRequestError):
        own.v1.payment_intents.retrieve("pi_1")
    assert [record for record in caplog.records if record.name == "stripe"]
