"""Notifications: how an address is tried out, where they go, with what, and until when."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.pix.control import ControlError
from simulators.tests.account import until
from simulators.tests.pix_account import (
    ALWAYS,
    NAME,
    Hook,
    PixAccount,
    ShopCertificates,
    hook,
)


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


def _delivered(account: PixAccount) -> None:
    assert account.control.flush()


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
        _delivered(account)
        assert (len(other.told()), plain.told()) == (1, [])
        assert account.send("DELETE", path).status == 204
        account.paid(2)
        _delivered(account)
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


# What is told


def test_a_payment_is_told_at_the_address_with_a_suffix(account: PixAccount, plain: Hook) -> None:
    e2eid = account.paid()
    _delivered(account)
    (told,) = plain.told()
    assert told.path == "/hook/pix"
    assert told.agent.startswith("API Pix Efi")
    assert told.pix == [account.send("GET", f"/v2/pix/{e2eid}").json]


def test_the_suffix_stands_at_the_very_end(account: PixAccount) -> None:
    with hook(path="/hook?hmac=abc&ignorar=") as mine:
        account.register(mine.url, skip_mtls=True)
        account.paid()
        _delivered(account)
        assert [one.path for one in mine.received] == [
            "/hook?hmac=abc&ignorar=",
            "/hook?hmac=abc&ignorar=/pix",
        ]
        assert account.control.webhook(NAME(1))["query"] == "hmac=abc&ignorar=/pix"


def test_notifications_come_with_the_institutions_certificate(
    account: PixAccount, shop: ShopCertificates
) -> None:
    with hook(shop.context(account.simulator)) as mine:
        account.register(mine.url)
        account.paid()
        _delivered(account)
        (told,) = mine.told()
        assert told.certified


def test_every_change_of_a_return_is_told(account: PixAccount, plain: Hook) -> None:
    account.control.returns("wait")
    e2eid = account.paid()
    account.give_back(e2eid, "1", "4.00")
    account.give_back(e2eid, "2", "5.00")
    account.control.settle_return(e2eid, "1", "DEVOLVIDO")
    _delivered(account)
    account.control.settle_return(e2eid, "2", "NAO_REALIZADO")
    _delivered(account)
    paid, first, second = plain.told()
    assert "devolucoes" not in paid.pix[0]
    assert [r["status"] for r in first.pix[0]["devolucoes"]] == ["DEVOLVIDO", "EM_PROCESSAMENTO"]
    assert [r["status"] for r in second.pix[0]["devolucoes"]] == ["DEVOLVIDO", "NAO_REALIZADO"]
    assert second.pix[0]["devolucoes"][1]["motivo"]


@pytest.mark.parametrize("mode", ["at_once", "refuse"])
def test_a_return_that_ends_at_once_is_told_as_well(
    account: PixAccount, plain: Hook, mode: str
) -> None:
    account.control.returns(mode)
    e2eid = account.paid()
    _delivered(account)
    made = account.give_back(e2eid).json
    _delivered(account)
    assert plain.told()[-1].pix[0]["devolucoes"] == [made]


def test_what_is_done_in_efis_app_is_told(account: PixAccount, plain: Hook) -> None:
    account.paid()
    account.control.refund_outside(NAME(1), 100)
    _delivered(account)
    assert plain.told()[-1].pix[0]["devolucoes"][0]["valor"] == "1.00"


def test_nobody_is_told_of_anothers_payments(account: PixAccount, plain: Hook) -> None:
    other = PixAccount.another(account.simulator)
    other.paid()
    account.open()
    _delivered(account)
    assert plain.told() == []


def test_a_notification_can_be_had_without_being_delivered(
    account: PixAccount, plain: Hook
) -> None:
    txid = account.open()
    with pytest.raises(ControlError, match="nobody has paid"):
        account.control.webhook(txid)
    account.control.pay(txid)
    account.control.pay(txid, 1, in_flight=True)
    had = account.control.webhook(txid)
    assert [p["valor"] for p in json.loads(had["body"])["pix"]] == ["10.00", "0.01"]
    _delivered(account)
    assert len(plain.told()) == 2


# Until when


@pytest.mark.parametrize("status", [302, 400, 429, 500])
def test_a_notification_comes_until_it_is_taken(
    account: PixAccount, plain: Hook, status: int
) -> None:
    plain.answers = [status, 201]
    account.paid()
    _delivered(account)
    first, second = plain.told()
    assert first == second


def test_a_notification_that_is_not_taken_keeps_coming(account: PixAccount, plain: Hook) -> None:
    plain.answers = [500] * 3
    account.paid()
    assert not account.control.flush(0.05)
    until(lambda: len(plain.told()) == 4, "the notification was repeated until it was taken")
    _delivered(account)


def test_notifications_wait_while_they_are_paused(account: PixAccount, plain: Hook) -> None:
    account.control.pause()
    first, second = account.paid(1), account.paid(2)
    _delivered(account)
    assert plain.told() == []
    account.control.resume()
    _delivered(account)
    assert sorted(one.pix[0]["endToEndId"] for one in plain.told()) == sorted([first, second])


def test_several_payments_can_come_in_one_notification(account: PixAccount, plain: Hook) -> None:
    account.control.pause()
    paid = [account.paid(number) for number in (1, 2, 3)]
    account.control.resume(together=True)
    _delivered(account)
    (told,) = plain.told()
    assert [payment["endToEndId"] for payment in told.pix] == paid


def test_everything_can_come_once_more(account: PixAccount, plain: Hook) -> None:
    account.paid(1)
    account.paid(2)
    _delivered(account)
    account.control.repeat()
    _delivered(account)
    bodies = [one.body for one in plain.told()]
    assert sorted(bodies[:2]) == sorted(bodies[2:])
    account.control.reset()
    account.control.repeat()
    _delivered(account)
    assert len(plain.told()) == 4


def test_the_shop_asks_for_notifications_once_more(account: PixAccount, plain: Hook) -> None:
    first, second = account.paid(1), account.paid(2)
    _delivered(account)
    asked = {"tipo": "PIX_RECEBIDO", "e2eids": [first, second, first]}
    answer = account.send("POST", "/v2/gn/webhook/reenviar", asked)
    assert (answer.status, answer.text) == (202, "")
    _delivered(account)
    assert [p["endToEndId"] for p in plain.told()[-1].pix] == [first, second]


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"tipo": "PIX_RECEBIDO"}, "json_invalido"),
        ({"tipo": "PIX_RECEBIDO", "e2eids": []}, "json_invalido"),
        ({"tipo": "PIX_RECEBIDO", "e2eids": ["short"]}, "json_invalido"),
        ({"tipo": "PIX_RECEBIDO", "e2eids": ["E" * 32]}, "pix_nao_encontrado"),
        ({"tipo": "PIX_ENVIADO", "e2eids": ["E" * 32]}, "nao_simulado"),
    ],
)
def test_asking_once_more_is_taken_strictly(
    account: PixAccount, plain: Hook, asked: object, word: str
) -> None:
    refused = account.send("POST", "/v2/gn/webhook/reenviar", asked)
    assert (refused.status, refused.json["nome"]) == (400, word)
    _delivered(account)
    assert plain.told() == []
