"""Notifications of the Pix simulator: where they go, with what, and until when."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.pix.control import ControlError
from simulators.tests.account import until
from simulators.tests.pix_account import (
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
