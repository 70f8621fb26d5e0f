"""The address of notifications: set and read back, and its secret told to Efi alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from efi_testing.account import WEBHOOK_SECRET, account, options
from efi_testing.objects import PIX_KEY
from efi_testing.scripted_server import Answer, Request, ScriptedServer
from omniman_payment_core.errors import ConfigurationError, PaymentError
from omniman_payment_core.values import WebhookRegistration
from omniman_payment_efi import EfiBackend

URL = "https://loja.test/payments/webhooks/efi/"
REGISTERED = f"{URL}?hmac={WEBHOOK_SECRET}&ignorar="
NONE = Answer(400, {"nome": "webhook_nao_encontrado", "mensagem": "nenhum"})


class Register:
    """What Efi keeps under the account's key."""

    def __init__(self) -> None:
        self.url: str | None = None
        self.answer_to_put = Answer(201, {"webhookUrl": "x"})

    def __call__(self, request: Request) -> Answer:
        assert request.path == f"/v2/webhook/{PIX_KEY}"
        if request.method == "PUT":
            self.url = request.body["webhookUrl"]
            return self.answer_to_put
        if self.url is None:
            return NONE
        if request.method == "DELETE":
            self.url = None
            return Answer(204)
        shown = {"webhookUrl": self.url, "chave": PIX_KEY, "criacao": "2026-11-23T12:00:00.358Z"}
        return Answer(200, shown)


@pytest.fixture
def register(server: ScriptedServer) -> Register:
    register = Register()
    server.answers = register
    return register


def make(server: ScriptedServer, folder: Path, mode: str | None = "hmac") -> EfiBackend:
    more: dict[str, Any] = {"webhook_mode": mode, "webhook_secret": [WEBHOOK_SECRET]}
    return account(server, folder, webhook_proxies=["10.0.0.1"], **more)


@pytest.fixture
def backend(server: ScriptedServer, tmp_path: Path) -> Iterator[EfiBackend]:
    backend = make(server, tmp_path)
    yield backend
    backend.close()


def test_the_secret_goes_to_efi_and_to_nobody_else(
    server: ScriptedServer, register: Register, backend: EfiBackend
) -> None:
    registered = backend.register_webhook(URL)
    put = server.requests[0]
    assert (put.method, put.body) == ("PUT", {"webhookUrl": REGISTERED})
    assert put.headers["x-skip-mtls-checking"] == "true"
    assert registered.url == f"{URL}?hmac=...&ignorar=..."
    assert WEBHOOK_SECRET not in repr(registered)
    assert registered.created_at is not None
    assert registered.created_at.isoformat() == "2026-11-23T12:00:00.358000+00:00"
    assert backend.registered_webhook() == registered


def test_with_a_certificate_the_address_is_registered_as_it_is(
    server: ScriptedServer, register: Register, tmp_path: Path
) -> None:
    backend = make(server, tmp_path, "mtls")
    assert backend.register_webhook(URL).url == URL
    assert server.requests[0].headers["x-skip-mtls-checking"] == "false"
    assert register.url == URL
    backend.close()


@pytest.mark.parametrize(
    "answer", [Answer(200, {}), Answer(201, b""), Answer(201, b"Webhook cadastrado"), Answer(204)]
)
def test_what_efi_says_of_its_success_does_not_matter_what_it_keeps_does(
    register: Register, backend: EfiBackend, answer: Answer
) -> None:
    register.answer_to_put = answer
    assert backend.register_webhook(URL).url.startswith(URL)


def test_an_address_that_efi_took_and_does_not_show_is_an_error(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [Answer(201, {}), NONE]
    with pytest.raises(ConfigurationError, match="shows none"):
        backend.register_webhook(URL)


def test_another_address_than_the_one_given_is_an_error(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    shown = {"webhookUrl": "https://old.test/?hmac=planted-old", "criacao": None}
    server.answers = [Answer(201, {}), Answer(200, shown)]
    with pytest.raises(ConfigurationError, match="shows another") as caught:
        backend.register_webhook(URL)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://loja.test/efi/",
        "ftp://127.0.0.1/efi/",
        "loja.test/efi/",
        "",
        URL + "?a=b",
        URL + "?",
        URL + "#x",
        "https://",
        "https://[::1",
        "https://user:planted@loja.test/",
    ],
)
def test_an_address_that_efi_cannot_use_is_refused_before_it_is_told(
    server: ScriptedServer, backend: EfiBackend, url: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        backend.register_webhook(url)
    assert "planted" not in str(caught.value)
    assert server.connections == 0


def test_only_a_simulator_is_told_an_address_without_tls(
    register: Register, backend: EfiBackend
) -> None:
    url = "http://127.0.0.1:8000/payments/webhooks/efi/"
    assert backend.register_webhook(url).url.startswith(url)
    real = EfiBackend(options(webhook_mode="hmac", webhook_secret=[WEBHOOK_SECRET]))
    with pytest.raises(ConfigurationError, match="not an https address"):
        real.register_webhook(url)


def test_without_a_mode_no_address_is_told(server: ScriptedServer, tmp_path: Path) -> None:
    backend = make(server, tmp_path, None)
    with pytest.raises(ConfigurationError, match='option "webhook_mode" is missing'):
        backend.register_webhook(URL)
    assert server.connections == 0


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"nome": "webhook_invalido", "mensagem": "A URL informada está inacessível"}),
        (400, {"nome": "valor_invalido", "mensagem": "URL inválida"}),
        (422, {"title": "Webhook inválido"}),
        (409, {}),
        (403, {"nome": "sem_escopo"}),
        (404, {}),
    ],
)
def test_an_address_that_efi_refuses_is_a_matter_of_configuration(
    server: ScriptedServer, backend: EfiBackend, status: int, body: Any
) -> None:
    server.answers = [Answer(status, body)]
    with pytest.raises(ConfigurationError, match=f"Efi answered {status}") as caught:
        backend.register_webhook(URL)
    assert WEBHOOK_SECRET not in str(caught.value)


def test_no_address_is_none(server: ScriptedServer, backend: EfiBackend) -> None:
    for answer in (NONE, Answer(404, {"title": "x"})):
        server.answers = [answer]
        assert backend.registered_webhook() is None
        backend.remove_webhook()


def test_an_address_is_removed(register: Register, backend: EfiBackend) -> None:
    backend.register_webhook(URL)
    backend.remove_webhook()
    assert register.url is None
    assert backend.registered_webhook() is None
    backend.remove_webhook()


@pytest.mark.parametrize("made", [None, "", "2026-11-23T12:00:00Z"])
def test_of_a_query_only_its_names_are_told(
    server: ScriptedServer, backend: EfiBackend, made: Any
) -> None:
    shown = {"webhookUrl": "https://a.test/x?hmac=planted&b", "criacao": made}
    server.answers = [Answer(200, shown)]
    registered = backend.registered_webhook()
    assert isinstance(registered, WebhookRegistration)
    assert registered.url == "https://a.test/x?hmac=...&b=..."
    assert (registered.created_at is None) == (not made)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"webhookUrl": None},
        {"webhookUrl": ["x"]},
        {"webhookUrl": "https://[::1"},
        {"webhookUrl": URL, "criacao": "soon"},
        {"webhookUrl": URL, "criacao": 7},
        {"webhookUrl": URL, "criacao": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_whatever_efi_answers_only_errors_of_the_payment_layer_leave(
    server: ScriptedServer, backend: EfiBackend, body: Any
) -> None:
    for status in (200, 400, 401, 409, 422, 429, 500):
        server.answers = [Answer(status, body)]
        for call in (
            lambda: backend.register_webhook(URL),
            backend.registered_webhook,
            backend.remove_webhook,
        ):
            with suppress(PaymentError):
                call()
