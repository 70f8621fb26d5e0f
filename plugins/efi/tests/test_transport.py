"""Calls: every way in which the network, TLS or an answer can go wrong ends in the right error."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from efi_testing.account import CLIENT_ID, CLIENT_SECRET, options
from efi_testing.certificates import DAY, as_text, authority, make_client
from efi_testing.clock import Seconds
from efi_testing.objects import TXID, cob
from efi_testing.scripted_server import Answer, ScriptedServer, ca_file, scripted_server
from omniman_payment_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    PaymentError,
    RateLimitedError,
    TransactionNotFoundError,
)
from omniman_payment_efi import endpoints
from omniman_payment_efi.config import read_config
from omniman_payment_efi.endpoints import Endpoint
from omniman_payment_efi.errors import RefusedError, TakenError
from omniman_payment_efi.transport import LARGEST_ANSWER, Transport

READ, CHANGE = endpoints.READ_CHARGE, endpoints.CREATE_CHARGE
PLACE = {"txid": TXID}


def make(url: str, folder: Path, *, ca: str = "Efi", **more: Any) -> Transport:
    clocks = {
        "now": more.pop("now", lambda: datetime.now(UTC)),
        "monotonic": more.pop("monotonic", time.monotonic),
    }
    config = {"base_url": url, "ca_certificate": ca_file(folder, ca), "timeout_seconds": 5}
    return Transport(read_config(options(**{**config, **more})), **clocks)


@contextmanager
def calling(url: str, folder: Path, **more: Any) -> Iterator[Transport]:
    transport = make(url, folder, **more)
    try:
        yield transport
    finally:
        transport.close()


@pytest.fixture
def transport(server: ScriptedServer, tmp_path: Path) -> Iterator[Transport]:
    with calling(server.url, tmp_path) as transport:
        yield transport


@pytest.fixture
def impatient(server: ScriptedServer, tmp_path: Path) -> Iterator[Transport]:
    """Its token is there already, so that only the call itself can go wrong."""
    with calling(server.url, tmp_path, timeout_seconds=1) as transport:
        transport.call(READ, PLACE)
        server.requests.clear()
        yield transport


def ask(transport: Transport, endpoint: Endpoint) -> dict[str, Any]:
    body = {"valor": {"original": "10.00"}} if endpoint.changes else None
    return transport.call(endpoint, PLACE, body=body)


# -- what is sent --------------------------------------------------------------------------


def test_a_call_carries_the_token_and_json(server: ScriptedServer, transport: Transport) -> None:
    server.answers = [Answer(201, cob())]
    assert ask(transport, CHANGE) == cob()
    (request,) = server.requests
    assert (request.method, request.path) == ("PUT", f"/v2/cob/{TXID}")
    assert request.headers["Authorization"] == "Bearer token-1"
    assert request.headers["Content-Type"] == "application/json"
    assert request.body == {"valor": {"original": "10.00"}}
    (token,) = server.token_requests
    assert token.method == "POST"
    assert token.body == {"grant_type": "client_credentials"}
    assert token.headers["Authorization"].startswith("Basic ")
    assert token.headers["Content-Type"] == "application/json"


def test_what_only_reads_has_no_body_and_a_quoted_query(
    server: ScriptedServer, transport: Transport
) -> None:
    transport.call(endpoints.LIST_CHARGES, query={"inicio": "2026-11-23T00:00:00Z", "x": "a&b=c+d"})
    (request,) = server.requests
    assert request.body is None
    assert "Content-Type" not in request.headers
    assert request.query == {"inicio": "2026-11-23T00:00:00Z", "x": "a&b=c+d"}


def test_a_header_of_the_call_is_sent(server: ScriptedServer, transport: Transport) -> None:
    transport.call(
        endpoints.SET_WEBHOOK, {"chave": "a@b.c"}, body={}, headers={"x-skip-mtls-checking": "true"}
    )
    (request,) = server.requests
    assert request.headers["x-skip-mtls-checking"] == "true"
    assert request.raw_path == "/v2/webhook/a%40b.c"
    assert request.body == {}


# -- no answer -----------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", [READ, CHANGE])
def test_without_a_connection_nothing_was_attempted(tmp_path: Path, endpoint: Endpoint) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{closed.getsockname()[1]}"
    with calling(url, tmp_path) as transport, pytest.raises(NotAttemptedError):
        ask(transport, endpoint)


@pytest.mark.parametrize("endpoint", [READ, CHANGE])
def test_a_gateway_that_is_gone_since_the_last_call_was_not_reached(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    with scripted_server() as server, calling(server.url, tmp_path) as transport:
        transport.call(READ, PLACE)
        transport.close()
        server.shutdown()
        server.server_close()
        with pytest.raises(NotAttemptedError, match="no connection to Efi"):
            ask(transport, endpoint)


@pytest.mark.parametrize(
    ("endpoint", "kind"), [(CHANGE, OutcomeUnknownError), (READ, NotAttemptedError)]
)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(cut=True),
        Answer(silent=True),
        # Each byte comes well within the time for a byte; together they would take a minute.
        Answer(body={"a": "x" * 200}, drip=0.3),
        Answer(body={}, headers={"X-Long": "x" * 200}, drip_head=0.3),
        Answer(body=b"x" * 100, headers={"Content-Encoding": "gzip"}),
    ],
    ids=["reset", "silent", "dripping body", "dripping head", "not the encoding it says"],
)
def test_an_answer_that_never_comes_leaves_a_change_unknown_and_a_read_harmless(
    server: ScriptedServer,
    impatient: Transport,
    endpoint: Endpoint,
    kind: type[Exception],
    answer: Answer,
) -> None:
    server.answers = [answer]
    began = time.monotonic()
    with pytest.raises(kind, match="no answer from Efi") as caught:
        ask(impatient, endpoint)
    assert type(caught.value) is kind
    assert time.monotonic() - began < 4
    # Sent once: whoever repeats a change looks first.
    assert len(server.requests) == 1


def test_an_answer_that_ends_early_is_none(server: ScriptedServer, impatient: Transport) -> None:
    server.answers = [Answer(body=b"{}", headers={"Content-Length": "500"})]
    with pytest.raises(OutcomeUnknownError, match="no answer from Efi"):
        ask(impatient, CHANGE)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_answer_is_not_read_to_its_end(
    server: ScriptedServer, transport: Transport, chunked: bool
) -> None:
    huge = b'{"a": "' + b"x" * (LARGEST_ANSWER * 2) + b'"}'
    server.answers = [Answer(200, huge, chunked=chunked), Answer(200, {})]
    with pytest.raises(OutcomeUnknownError, match="Efi answered 200"):
        ask(transport, CHANGE)
    # And what was left unread is in nobody's way.
    assert ask(transport, READ) == {}


# -- answers that are none -----------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"<html>502</html>",
        b"",
        b"{",
        b'"text"',
        b"[1]",
        b"null",
        b"7",
        b"[" * 50_000,
        b"\xff\xfe",
        b"9" * 5000,
    ],
)
@pytest.mark.parametrize(
    ("endpoint", "kind"), [(CHANGE, OutcomeUnknownError), (READ, NotAttemptedError)]
)
def test_a_success_that_is_no_object_is_not_believed(
    server: ScriptedServer,
    transport: Transport,
    body: bytes,
    endpoint: Endpoint,
    kind: type[Exception],
) -> None:
    server.answers = [Answer(200, body)]
    with pytest.raises(kind, match="Efi answered 200") as caught:
        ask(transport, endpoint)
    assert type(caught.value) is kind


def test_no_content_is_an_answer(server: ScriptedServer, transport: Transport) -> None:
    server.answers = [Answer(204)]
    assert transport.call(endpoints.DELETE_WEBHOOK, {"chave": "a@b.c"}) == {}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_not_followed(
    server: ScriptedServer, transport: Transport, status: int
) -> None:
    server.answers = [Answer(status, {}, {"Location": server.url + "/elsewhere"}), Answer(200, {})]
    with pytest.raises(OutcomeUnknownError, match=f"Efi answered {status}"):
        ask(transport, CHANGE)
    assert [request.path for request in server.requests] == [f"/v2/cob/{TXID}"]


def test_nobody_is_sent_to_another_place_with_the_credentials(
    server: ScriptedServer, transport: Transport
) -> None:
    server.token_answers = [Answer(307, {}, {"Location": server.url + "/elsewhere"})]
    with pytest.raises(NotAttemptedError):
        ask(transport, READ)
    assert (len(server.token_requests), server.requests) == (1, [])


# -- errors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, {"nome": "acesso_negado", "mensagem": "sem escopo"}, ConfigurationError),
        (
            404,
            {"type": "x/CobNaoEncontrada", "title": "t", "status": 404},
            TransactionNotFoundError,
        ),
        (400, {"nome": "cobranca_nao_encontrada", "mensagem": "m"}, TransactionNotFoundError),
        (400, {"nome": "json_invalido", "mensagem": "m", "erros": []}, InvalidRequestError),
        (409, {"nome": "txid_duplicado", "mensagem": "m"}, TakenError),
        (422, {"nome": "x", "mensagem": "m"}, RefusedError),
        (500, {"nome": "erro_aplicacao", "mensagem": "m"}, OutcomeUnknownError),
        (502, b"<html>Bad Gateway</html>", OutcomeUnknownError),
        (503, b"", OutcomeUnknownError),
    ],
)
def test_an_error_is_sorted_and_the_connection_serves_on(
    server: ScriptedServer, transport: Transport, status: int, body: Any, kind: type[Exception]
) -> None:
    server.answers = [Answer(status, body), Answer(200, {"a": 1})]
    with pytest.raises(kind) as caught:
        ask(transport, CHANGE)
    assert type(caught.value) is kind
    assert f"Efi answered {status}" in str(caught.value)
    assert ask(transport, READ) == {"a": 1}
    assert server.handshakes == 1


def test_when_to_come_again_is_told(server: ScriptedServer, tmp_path: Path) -> None:
    moment = datetime(2026, 11, 23, 12, tzinfo=UTC)
    later = format_datetime(moment + timedelta(seconds=42), usegmt=True)
    fixed = {"certificate": as_text(make_client(begins=-3650 * DAY, ends=3650 * DAY).pem)}
    with calling(server.url, tmp_path, now=lambda: moment, **fixed) as transport:
        for header, seconds in (("7", 7), (later, 42)):
            server.answers = [Answer(429, {}, {"Retry-After": header})]
            with pytest.raises(RateLimitedError) as caught:
                ask(transport, CHANGE)
            assert caught.value.retry_after == seconds


# -- the token -----------------------------------------------------------------------------


def test_a_token_that_is_refused_once_is_replaced_and_the_request_sent_again(
    server: ScriptedServer, transport: Transport
) -> None:
    server.answers = [Answer(401, {"error": "invalid_token"}), Answer(201, cob())]
    assert ask(transport, CHANGE) == cob()
    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == ["Bearer token-1", "Bearer token-2"]
    assert server.requests[0].body == server.requests[1].body


def test_a_token_that_is_refused_twice_means_that_the_credentials_are(
    server: ScriptedServer, transport: Transport
) -> None:
    server.answers = [Answer(401, {"error": "invalid_token", "error_description": "não"})]
    with pytest.raises(ConfigurationError, match="client_id, client_secret and certificate"):
        ask(transport, CHANGE)
    assert (len(server.requests), len(server.token_requests)) == (2, 2)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, {"error": "invalid_client", "error_description": "d"}), ConfigurationError),
        (Answer(400, {"error": "invalid_request"}), ConfigurationError),
        (Answer(403, {}), ConfigurationError),
        (Answer(429, {}, {"Retry-After": "3"}), RateLimitedError),
        (Answer(500, {}), NotAttemptedError),
        (Answer(502, b"<html>"), NotAttemptedError),
        (Answer(200, b"<html>"), NotAttemptedError),
        (Answer(200, {}), NotAttemptedError),
        (Answer(200, {"access_token": ""}), NotAttemptedError),
        (Answer(200, {"access_token": "planted\r\nX: y", "expires_in": 9}), NotAttemptedError),
        (Answer(200, {"access_token": "plantéd\u20ac"}), NotAttemptedError),
        (Answer(200, {"access_token": ["planted"]}), NotAttemptedError),
        (Answer(204), NotAttemptedError),
        (Answer(cut=True), NotAttemptedError),
        (Answer(silent=True), NotAttemptedError),
    ],
)
@pytest.mark.parametrize("endpoint", [READ, CHANGE])
def test_without_a_token_nothing_was_attempted(
    server: ScriptedServer,
    tmp_path: Path,
    answer: Answer,
    kind: type[Exception],
    endpoint: Endpoint,
) -> None:
    server.token_answers = [answer]
    with (
        calling(server.url, tmp_path, timeout_seconds=1) as transport,
        pytest.raises(kind) as caught,
    ):
        ask(transport, endpoint)
    assert type(caught.value) is kind
    assert "planted" not in str(caught.value)
    assert server.requests == []


def test_the_environment_in_question_is_named(server: ScriptedServer, transport: Transport) -> None:
    server.token_answers = [Answer(401, {"error": "invalid_client"})]
    with pytest.raises(ConfigurationError, match=r"one application of the test environment"):
        ask(transport, READ)


@pytest.mark.parametrize("seconds", ["3600", None, True, 3600.5, [], -1, 0, 5])
def test_a_token_of_any_life_serves(
    server: ScriptedServer, transport: Transport, seconds: Any
) -> None:
    server.token_seconds = seconds
    assert ask(transport, READ) == {}


def test_a_token_is_renewed_before_it_ends(server: ScriptedServer, tmp_path: Path) -> None:
    clock = Seconds()
    with calling(server.url, tmp_path, monotonic=clock) as transport:
        ask(transport, READ)
        clock.passed += 3400
        ask(transport, READ)
        ask(transport, READ)
    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]


# -- TLS -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "more", "said"),
    [
        ({"server_ca": "Mallory"}, {}, "has a certificate that is not vouched for"),
        ({"host": "efi.example"}, {}, "has a certificate that is not vouched for"),
    ],
)
def test_a_server_that_nobody_vouches_for_gets_nothing(
    tmp_path: Path, how: dict[str, str], more: dict[str, Any], said: str
) -> None:
    with (
        scripted_server(**how) as server,
        calling(server.url, tmp_path, **more) as transport,
    ):
        with pytest.raises(ConfigurationError, match=said):
            ask(transport, CHANGE)
        assert (server.handshakes, server.requests, server.token_requests) == (0, [], [])


@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("endpoint", [READ, CHANGE])
def test_a_client_certificate_that_is_not_accepted_is_told_as_such(
    tmp_path: Path, tls: ssl.TLSVersion, endpoint: Endpoint
) -> None:
    foreign = as_text(make_client(signed_by="Mallory").pem)
    with (
        scripted_server(tls=tls) as server,
        calling(server.url, tmp_path, certificate=foreign) as transport,
    ):
        with pytest.raises(ConfigurationError, match='does not accept option "certificate"'):
            ask(transport, endpoint)
        assert server.requests == []


@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_gateway_sees_our_certificate(tmp_path: Path, tls: ssl.TLSVersion) -> None:
    with scripted_server(tls=tls) as server, calling(server.url, tmp_path) as transport:
        assert ask(transport, READ) == {}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"certificate": "/nowhere.pem"}, 'option "certificate" names a file that does not exist'),
        ({"ca_certificate": "/nowhere.pem"}, 'option "ca_certificate"'),
        (
            {"certificate": as_text(make_client(begins=-2 * DAY, ends=-DAY).pem)},
            'option "certificate" expired on',
        ),
    ],
)
def test_a_certificate_that_went_bad_stops_payments_and_not_the_process(
    server: ScriptedServer, tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    with (
        calling(server.url, tmp_path, **more) as transport,
        pytest.raises(ConfigurationError) as caught,
    ):
        ask(transport, READ)
    assert str(caught.value).startswith(said)
    assert server.connections == 0


def test_a_certificate_that_was_put_right_is_taken_up_by_the_next_call(
    server: ScriptedServer, tmp_path: Path
) -> None:
    path = tmp_path / "efi.pem"
    with calling(server.url, tmp_path, certificate=str(path)) as transport:
        with pytest.raises(ConfigurationError):
            ask(transport, READ)
        path.write_bytes(make_client().pem)
        assert ask(transport, READ) == {}


# -- connections ---------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True])
def test_one_handshake_serves_many_calls(
    server: ScriptedServer, transport: Transport, chunked: bool
) -> None:
    server.answers = [Answer(200, {"a": "b" * 5000}, chunked=chunked)]
    for _ in range(20):
        ask(transport, READ)
        ask(transport, CHANGE)
    assert (len(server.requests), len(server.token_requests)) == (40, 1)
    assert server.handshakes == 1


def test_eight_threads_share_token_and_pool(server: ScriptedServer, transport: Transport) -> None:
    server.answers = lambda request: Answer(200, {"path": request.path})
    together = threading.Barrier(8)

    def work(number: int) -> None:
        together.wait(20)
        for place in range(10):
            txid = f"{number}{place}".ljust(32, "a")
            assert transport.call(READ, {"txid": txid}) == {"path": f"/v2/cob/{txid}"}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(server.requests) == 80
    assert len(server.token_requests) == 1
    assert server.handshakes <= 8


def test_after_closing_a_call_opens_anew_and_closing_twice_is_harmless(
    server: ScriptedServer, transport: Transport
) -> None:
    transport.close()
    ask(transport, READ)
    transport.close()
    transport.close()
    ask(transport, READ)
    assert server.handshakes == 2
    assert len(server.token_requests) == 1


def test_proxies_and_netrc_of_the_machine_are_not_used(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(netrc))
    with calling(server.url, tmp_path) as transport:
        assert ask(transport, READ) == {}
    assert server.requests[0].headers["Authorization"] == "Bearer token-1"
    credentials = as_text(f"{CLIENT_ID}:{CLIENT_SECRET}".encode())
    assert server.token_requests[0].headers["Authorization"] == f"Basic {credentials}"


def test_no_authority_but_the_one_of_the_option_is_believed(tmp_path: Path) -> None:
    assert authority("Efi") is not authority("Mallory")
    with (
        scripted_server() as server,
        calling(server.url, tmp_path, ca="Mallory") as transport,
        pytest.raises(ConfigurationError, match="not vouched for"),
    ):
        ask(transport, READ)


def test_every_error_of_a_call_is_one_of_the_payment_layers() -> None:
    # The two that are not never leave the plugin; test_backend.py holds it to that.
    assert not issubclass(RefusedError, PaymentError)
    assert not issubclass(TakenError, PaymentError)
