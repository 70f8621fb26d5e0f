"""Addresses for notifications: how the Pix simulator tries them out, and what it keeps of them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from omniman_payment_simulators.pix import PixSimulator
from simulators.tests.pix_account import ALWAYS, Hook, PixAccount, ShopCertificates, hook


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ShopCertificates:
    return ShopCertificates(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def account(shop: ShopCertificates) -> Iterator[PixAccount]:
    with PixSimulator(shops_ca=str(shop.ca)) as running:
        yield PixAccount(running)


@pytest.fixture
def plain(account: PixAccount) -> Iterator[Hook]:
    """An address on this machine, registered."""
    with hook() as mine:
        assert account.register(mine.url, skip_mtls=True).status == 201
        yield mine


# Trying out


def test_an_address_that_demands_our_certificate_is_registered(
    account: PixAccount, shop: ShopCertificates
) -> None:
    with hook(shop.context(account.simulator)) as mine:
        made = account.register(mine.url)
        assert (made.status, made.json) == (201, {"webhookUrl": mine.url})
        # The first request ends while shaking hands; the second has no body to be read.
        (tried,) = mine.received
        assert (tried.path, tried.body, tried.certified) == ("/hook", b"", True)


def test_an_address_may_refuse_with_a_status_who_shows_no_certificate(
    account: PixAccount, shop: ShopCertificates
) -> None:
    with hook(shop.context(account.simulator, ssl.CERT_OPTIONAL)) as mine:
        mine.answers = [403, 200]
        assert account.register(mine.url).status == 201
        assert [one.certified for one in mine.received] == [False, True]


def test_an_address_that_lets_everybody_in_is_not_registered(
    account: PixAccount, shop: ShopCertificates
) -> None:
    with hook(shop.context(account.simulator, ssl.CERT_OPTIONAL)) as mine:
        refused = account.register(mine.url)
        assert (refused.status, refused.json["nome"]) == (400, "webhook_invalido")
        assert "TLS mútuo" in refused.json["mensagem"]
        assert [one.certified for one in mine.received] == [False]
    assert account.send("GET", f"/v2/webhook/{account.key}").status == 404


def test_whoever_checks_by_himself_is_tried_once_with_our_certificate(
    account: PixAccount, shop: ShopCertificates
) -> None:
    with hook(shop.context(account.simulator, ssl.CERT_OPTIONAL)) as mine:
        assert account.register(mine.url, skip_mtls=True).status == 201
        assert [one.certified for one in mine.received] == [True]


def test_an_address_on_this_machine_without_tls_has_to_say_that_it_checks_by_itself(
    account: PixAccount,
) -> None:
    with hook() as mine:
        assert "TLS mútuo" in account.register(mine.url).json["mensagem"]
        assert account.register(mine.url, skip_mtls=True).status == 201


@pytest.mark.parametrize("status", [301, 404, 500])
def test_an_address_that_does_not_take_the_trial_is_not_registered(
    account: PixAccount, status: int
) -> None:
    with hook() as mine:
        mine.answers = [status]
        refused = account.register(mine.url, skip_mtls=True)
        assert (refused.status, refused.json["nome"]) == (400, "webhook_invalido")


def test_an_address_where_nobody_listens_is_not_registered(account: PixAccount) -> None:
    with hook() as mine:
        gone = mine.url
    refused = account.register(gone, skip_mtls=True)
    assert (refused.status, refused.json["nome"]) == (400, "webhook_invalido")
    assert "inacessível" in refused.json["mensagem"]


def test_an_address_whose_certificate_nobody_vouches_for_is_not_registered(
    account: PixAccount, tmp_path: Path
) -> None:
    stranger = ShopCertificates(tmp_path)
    with hook(stranger.context(account.simulator)) as mine:
        assert account.register(mine.url).json["nome"] == "webhook_invalido"
        assert mine.received == []


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook",
        "http://127.0.0.1.example/hook",
        "http://127.0.0.1:80@shop.example/hook",
        "ftp://127.0.0.1/hook",
        "/hook",
        "https://",
        "https://[::1",
        "https://127.0.0.1:port/",
        "",
    ],
)
def test_only_https_and_this_machine_are_addresses(account: PixAccount, url: str) -> None:
    refused = account.register(url, skip_mtls=True)
    assert (refused.status, refused.json["nome"]) == (400, "valor_invalido")


@pytest.mark.parametrize(
    "body", [{}, {"webhookUrl": 1}, {"webhookUrl": None}, {"url": "https://a"}]
)
def test_an_address_is_registered_strictly(account: PixAccount, body: object) -> None:
    refused = account.send("PUT", f"/v2/webhook/{account.key}", body)
    assert (refused.status, refused.json["nome"]) == (400, "json_invalido")


def test_a_file_that_vouches_for_nobody_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PixSimulator(shops_ca=str(tmp_path / "missing.pem"))


# What is registered


def test_an_address_is_shown_listed_replaced_and_removed(account: PixAccount, plain: Hook) -> None:
    path = f"/v2/webhook/{account.key}"
    shown = account.send("GET", path).json
    assert (shown["webhookUrl"], shown["chave"]) == (plain.url, account.key)
    assert account.send("GET", "/v2/webhook", query=ALWAYS).json["webhooks"] == [shown]
    with hook(path="/another") as other:
        account.register(other.url, skip_mtls=True)
        assert account.send("GET", path).json["webhookUrl"] == other.url
        account.paid()
        assert account.control.flush()
        assert (len(other.told()), plain.told()) == (1, [])
        assert account.send("DELETE", path).status == 204
        account.paid(2)
        assert account.control.flush()
        assert len(other.told()) == 1
    for method in ("GET", "DELETE"):
        missing = account.send(method, path)
        assert (missing.status, missing.json["nome"]) == (404, "webhook_nao_encontrado")
    assert account.send("GET", "/v2/webhook", query=ALWAYS).json["webhooks"] == []


def test_an_address_that_is_refused_leaves_the_old_one(account: PixAccount, plain: Hook) -> None:
    plain.answers = [500]
    assert account.register(plain.url + "/new", skip_mtls=True).status == 400
    shown = account.send("GET", f"/v2/webhook/{account.key}").json
    assert shown["webhookUrl"] == plain.url
