"""Who comes in: client certificates, tokens, and accounts that never see each other."""

from __future__ import annotations

import http.client
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.pix.control import ControlError
from simulators.tests.pix_account import ALWAYS, NAME, PixAccount, tls


@pytest.fixture
def account(pix_simulator: PixSimulator) -> PixAccount:
    return PixAccount(pix_simulator)


def _ask(simulator: PixSimulator, context: ssl.SSLContext) -> int:
    connection = http.client.HTTPSConnection(
        str(urlsplit(simulator.url).netloc), timeout=15, context=context
    )
    try:
        connection.request("GET", "/v2/cob")
        return connection.getresponse().status
    finally:
        connection.close()


# Certificates


def test_nobody_comes_in_without_a_certificate(pix_simulator: PixSimulator) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _ask(pix_simulator, tls(pix_simulator, None))
    assert pix_simulator.control.requests() == []
    assert _ask(pix_simulator, tls(pix_simulator, pix_simulator.certificate)) == 401


def test_nobody_comes_in_with_a_strangers_certificate(
    pix_simulator: PixSimulator, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.pem"
    made = trustme.CA().issue_cert("client.simulator.invalid")
    made.private_key_and_cert_chain_pem.write_to_path(str(stranger))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _ask(pix_simulator, tls(pix_simulator, stranger))
    assert pix_simulator.control.requests() == []


def test_plain_http_is_not_understood(pix_simulator: PixSimulator) -> None:
    parts = urlsplit(pix_simulator.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=15) as plain:
        plain.sendall(b"GET /v2/cob HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP/1.1 200" not in plain.recv(1000)
    assert pix_simulator.control.requests() == []


def test_its_own_certificate_is_only_vouched_for_by_its_own_authority(
    pix_simulator: PixSimulator,
) -> None:
    context = ssl.create_default_context(cafile=str(pix_simulator.webhook_ca_certificate))
    context.load_cert_chain(pix_simulator.certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        _ask(pix_simulator, context)


def test_keys_are_readable_for_their_owner_only(pix_simulator: PixSimulator) -> None:
    made = pix_simulator.certificates
    for path in (made.client, made.server, made.webhook):
        assert path.stat().st_mode & 0o077 == 0


# Tokens


def test_a_token_is_given_for_an_hour(account: PixAccount) -> None:
    given = account.ask_for_token()
    assert given.status == 200
    assert (given.json["token_type"], given.json["expires_in"]) == ("Bearer", 3600)
    txid = account.open()
    account.control.advance(3599)
    assert account.send("GET", f"/v2/cob/{txid}").status == 200
    account.control.advance(1)
    refused = account.send("GET", f"/v2/cob/{txid}")
    assert (refused.status, refused.error) == (401, "invalid_token")


@pytest.mark.parametrize("secret", ["", "wrong", "é"])
def test_wrong_credentials_get_no_token(account: PixAccount, secret: str) -> None:
    refused = account.ask_for_token(secret)
    assert (refused.status, refused.error) == (401, "invalid_client")
    assert account.control.tokens_issued() == 0


@pytest.mark.parametrize("header", ["", "Basic", "Basic %%%", "Basic /w==", "Bearer x"])
def test_no_credentials_get_no_token(account: PixAccount, header: str) -> None:
    asked = {"grant_type": "client_credentials"}
    refused = account.raw("POST", "/oauth/token", asked, headers={"Authorization": header})
    assert (refused.status, refused.error) == (401, "invalid_client")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nobody", "Basic eDp5"])
def test_no_call_is_answered_without_a_token(account: PixAccount, header: str) -> None:
    account.open()
    refused = account.raw("GET", f"/v2/cob/{NAME(1)}", headers={"Authorization": header})
    assert (refused.status, refused.error) == (401, "invalid_token")


def test_another_grant_is_not_known(account: PixAccount) -> None:
    account.ask_for_token()
    basic = "Basic " + "Q2xpZW50X0lkX3NpbXVsYXRvcjpDbGllbnRfU2VjcmV0X3NpbXVsYXRvcg=="
    asked = {"grant_type": "password"}
    refused = account.raw("POST", "/oauth/token", asked, headers={"Authorization": basic})
    assert (refused.status, refused.error) == (400, "unsupported_grant_type")


def test_tokens_can_be_ended_and_are_counted(account: PixAccount) -> None:
    txid = account.open()
    assert account.control.tokens_issued() == 1
    account.control.expire_tokens()
    assert account.send("GET", f"/v2/cob/{txid}").status == 401
    account.token = None
    assert account.send("GET", f"/v2/cob/{txid}").status == 200
    assert account.control.tokens_issued() == 2


def test_the_log_shows_neither_credentials_nor_tokens(account: PixAccount) -> None:
    account.open()
    log = str(account.control.requests())
    assert account.token is not None
    for secret in (account.token, account.client_secret, "Authorization", "access_token"):
        assert secret not in log
    token, charge = account.control.requests()
    assert (token["path"], token["response"]["expires_in"]) == ("/oauth/token", 3600)
    assert (charge["method"], charge["path"]) == ("PUT", f"/v2/cob/{NAME(1)}")
    assert charge["body"]["valor"] == charge["response"]["valor"] == {"original": "10.00"}
    assert (charge["status"], charge["content_type"]) == (201, "application/json")


# What there is not


def test_a_path_that_nothing_listens_on_is_not_found(account: PixAccount) -> None:
    missing = account.send("GET", "/v2/elsewhere")
    assert (missing.status, missing.json["status"]) == (404, 404)
    assert missing.headers["Content-Type"].startswith("application/problem+json")
    assert account.send("DELETE", f"/v2/cob/{NAME(1)}").status == 405
    assert account.send("GET", "/oauth/token").status == 405


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(account: PixAccount, body: bytes) -> None:
    refused = account.send("PUT", f"/v2/cob/{NAME(1)}", body)
    assert (refused.status, refused.json["nome"]) == (400, "json_invalido")


# Accounts


def test_nobody_sees_or_changes_what_is_another_accounts(
    account: PixAccount, pix_simulator: PixSimulator
) -> None:
    other = PixAccount.another(pix_simulator)
    e2eid = account.paid()
    open_one = account.open(2)
    location = account.read(open_one)["loc"]["id"]
    for method, path, body, word in (
        ("GET", f"/v2/cob/{open_one}", None, "cobranca_nao_encontrada"),
        ("PATCH", f"/v2/cob/{open_one}", {"valor": {"original": "1.00"}}, None),
        ("GET", f"/v2/pix/{e2eid}", None, "pix_nao_encontrado"),
        ("PUT", f"/v2/pix/{e2eid}/devolucao/1", {"valor": "1.00"}, "pix_nao_encontrado"),
        ("GET", f"/v2/pix/{e2eid}/devolucao/1", None, "pix_nao_encontrado"),
        ("GET", f"/v2/loc/{location}", None, "location_nao_encontrada"),
        ("GET", f"/v2/loc/{location}/qrcode", None, "location_nao_encontrada"),
        ("GET", f"/v2/webhook/{account.key}", None, "chave_invalida"),
        ("PUT", f"/v2/webhook/{account.key}", {"webhookUrl": "https://a.example"}, None),
        ("DELETE", f"/v2/webhook/{account.key}", None, "chave_invalida"),
        ("POST", "/v2/gn/webhook/reenviar", {"tipo": "PIX_RECEBIDO", "e2eids": [e2eid]}, None),
    ):
        refused = other.send(method, path, body)
        assert refused.status == 400, path
        if word is not None:
            assert refused.json["nome"] == word, path
    for path, name in (("/v2/cob", "cobs"), ("/v2/pix", "pix"), ("/v2/loc", "loc")):
        assert other.send("GET", path, query=ALWAYS).json[name] == []
    assert account.read(open_one)["valor"] == {"original": "10.00"}


def test_two_accounts_may_give_a_charge_the_same_name(
    account: PixAccount, pix_simulator: PixSimulator
) -> None:
    other = PixAccount.another(pix_simulator)
    txid = account.open(amount="10.00")
    assert other.open(amount="30.00") == txid
    with pytest.raises(ControlError, match="name the pix_key"):
        account.control.pay(txid)
    theirs = account.control.pay(txid, pix_key=other.key)["endToEndId"]
    assert (account.read(txid)["status"], other.read(txid)["status"]) == ("ATIVA", "CONCLUIDA")
    assert other.give_back(theirs, amount="5.00").status == 201
    assert {m["chave"] for m in account.control.ledger()["movements"]} == {other.key}
    assert account.give_back(theirs, amount="5.00").json["nome"] == "pix_nao_encontrado"


def test_a_key_of_another_account_receives_nothing(
    account: PixAccount, pix_simulator: PixSimulator
) -> None:
    other = PixAccount.another(pix_simulator)
    refused = account.send("PUT", f"/v2/cob/{NAME(1)}", account.body(chave=other.key))
    assert (refused.status, refused.json["nome"]) == (400, "chave_invalida")
    txid = account.open()
    refused = account.send("PATCH", f"/v2/cob/{txid}", {"chave": other.key})
    assert (refused.status, refused.json["nome"]) == (400, "chave_invalida")


def test_an_account_cannot_be_added_twice(account: PixAccount, pix_simulator: PixSimulator) -> None:
    PixAccount.another(pix_simulator)
    with pytest.raises(ControlError, match="there is an account other already"):
        account.control.add_account("other", "secret", "another key")
    with pytest.raises(ControlError, match="belongs to one account"):
        account.control.add_account("third", "secret", account.key)
