"""Secrets: in no message, repr, log or traceback, whatever goes wrong; and nothing on the disk."""

from __future__ import annotations

import logging
import tempfile
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from efi_testing.account import (
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    WEBHOOK_SECRET,
    account,
)
from efi_testing.certificates import as_text, client, make_client
from efi_testing.objects import TXID, cob, paid
from efi_testing.scripted_server import Answer, ScriptedServer, scripted_server
from omniman_payment_efi import EfiBackend

TOKEN = "planted-token-0123456789"
BASIC = as_text(f"{CLIENT_ID}:{CLIENT_SECRET}".encode())


def secrets() -> list[str]:
    texts = [CLIENT_SECRET, PASSWORD, WEBHOOK_SECRET, TOKEN, BASIC, BASIC[:40]]
    return [*texts, *client().secret_texts(), as_text(client().p12(PASSWORD))[:60]]


def leaks(told: str) -> list[str]:
    return [secret for secret in secrets() if secret in told]


def everything_about(error: BaseException) -> str:
    """What a log, a page for developers or an error tracker would show, causes included."""
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    seen: BaseException | None = error
    while seen is not None:
        told += repr(seen.args) + str(seen)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return told


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go, and home, and the working directory."""
    folder = tmp_path / "watched"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name in ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.chdir(folder)
    return folder


def make(server: ScriptedServer, tmp_path: Path, **more: Any) -> EfiBackend:
    given = {
        "certificate": as_text(client().p12(PASSWORD)),
        "certificate_password": PASSWORD,
        "webhook_mode": "hmac",
        "webhook_secret": [WEBHOOK_SECRET],
        "timeout_seconds": 1,
        **more,
    }
    return account(server, tmp_path, **given)


@pytest.fixture
def backend(server: ScriptedServer, tmp_path: Path) -> Iterator[EfiBackend]:
    server.token_answers = [Answer(200, {"access_token": TOKEN, "expires_in": 3600})]
    backend = make(server, tmp_path)
    yield backend
    backend.close()


CALLS: list[Callable[[EfiBackend], Any]] = [
    lambda backend: backend.charge(1000, "BRL", "O1", {}, idempotency_key="k"),
    lambda backend: backend.refund(TXID, 300, idempotency_key="k"),
    lambda backend: backend.cancel(TXID),
    lambda backend: backend.get_status(TXID),
    lambda backend: backend.list_transactions(datetime.now(UTC) - timedelta(hours=1)),
    lambda backend: backend.register_webhook("https://loja.test/efi/"),
    lambda backend: backend.registered_webhook(),
]

ANSWERS = {
    "fine": Answer(200, paid()),
    "reset": Answer(cut=True),
    "silent": Answer(silent=True),
    "html": Answer(200, b"<html>"),
    "unknown": Answer(500, {"nome": "erro_aplicacao", "mensagem": "x"}),
    "refused token": Answer(401, {"error": "invalid_token"}),
    "forbidden": Answer(403, {}),
    "wrong": Answer(400, {"nome": "json_invalido", "mensagem": "x"}),
    "other charge": Answer(200, cob(txid="a" * 32)),
    "limited": Answer(429, {}, {"Retry-After": "3"}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_goes_wrong_no_secret_is_told(
    server: ScriptedServer,
    backend: EfiBackend,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    for call in CALLS[:1] if name == "silent" else CALLS:
        server.answers = [ANSWERS[name]]
        try:
            told += repr(call(backend))
        except Exception as error:
            told += everything_about(error)
    told += "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert told
    assert leaks(told) == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401, {"error": "invalid_client", "error_description": "x"}),
        Answer(200, {"access_token": TOKEN + "\r\nX: y"}),
        Answer(200, {"access_token": TOKEN + "\u20ac"}),
        Answer(200, TOKEN.encode()),
        Answer(500, {}),
        Answer(cut=True),
    ],
)
def test_whatever_is_wrong_with_the_token_no_secret_is_told(
    server: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    caplog.set_level(logging.DEBUG)
    server.token_answers = [answer]
    backend = make(server, tmp_path)
    with pytest.raises(Exception, match="Efi") as caught:
        backend.get_status(TXID)
    backend.close()
    assert leaks(everything_about(caught.value) + caplog.text) == []


@pytest.mark.parametrize(
    "more",
    [
        {"certificate_password": "wrong"},
        {"certificate_password": None},
        {"certificate": as_text(client().key_pem * 2), "certificate_password": None},
        {"certificate": as_text(client().pem + b"x")[:-9], "certificate_password": None},
        {"certificate": client().pem.decode()[:-60], "certificate_password": None},
        {"certificate": as_text(client().encrypted_key_pem(PASSWORD) + client().chain_pem)},
        {"ca_certificate": "/nowhere.pem"},
    ],
)
def test_whatever_is_wrong_with_the_certificate_no_secret_is_told(
    server: ScriptedServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    more: dict[str, Any],
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [Answer(200, paid())]
    backend = make(server, tmp_path, **more)
    told = ""
    try:
        told = repr(backend.get_status(TXID))
    except Exception as error:
        told = everything_about(error)
    backend.close()
    assert leaks(told + caplog.text) == []


def test_a_foreign_gateway_learns_and_tells_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted_server(server_ca="Mallory") as server:
        backend = make(server, tmp_path)
        with pytest.raises(Exception, match="not vouched for") as caught:
            backend.get_status(TXID)
        backend.close()
        assert (server.requests, server.token_requests) == ([], [])
    assert leaks(everything_about(caught.value) + caplog.text) == []


def test_no_part_of_a_backend_shows_a_secret(server: ScriptedServer, backend: EfiBackend) -> None:
    server.answers = [Answer(200, paid())]
    backend.get_status(TXID)
    told, waiting, seen = "", [backend], set()
    while waiting:
        part: Any = waiting.pop()
        told += repr(part)
        seen.add(id(part))
        if type(part).__module__.startswith("omniman_payment_efi"):
            inner = list(getattr(part, "__dict__", {}).values())
            inner = [each for each in inner if not isinstance(each, str | tuple)]
            waiting += [each for each in inner if id(each) not in seen]
    assert "Config(" in told
    assert leaks(told) == []


def test_nothing_is_left_on_the_disk(server: ScriptedServer, tmp_path: Path, folder: Path) -> None:
    other = as_text(make_client(signed_by="Mallory").pem)
    server.answers = [Answer(200, paid())]
    for more in ({}, {"certificate": other, "certificate_password": None}):
        backend = make(server, tmp_path, **more)
        try:
            backend.get_status(TXID)
        except Exception:
            assert more
        backend.close()
    assert list(folder.rglob("*")) == []
