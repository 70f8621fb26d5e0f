"""Charges: their names, what may be asked for, how they end, and what payers scan."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote

import PIL.Image
import pytest
import zxingcpp

from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.pix.control import ControlError
from simulators.tests.pix_account import NAME, PixAccount

REMOVED = {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"}


@pytest.fixture
def account(pix_simulator: PixSimulator) -> PixAccount:
    return PixAccount(pix_simulator)


def _fields(code: str) -> dict[str, str]:
    """A BR Code's fields by their numbers."""
    found = {}
    while code:
        number, length = code[:2], int(code[2:4])
        found[number], code = code[4 : 4 + length], code[4 + length :]
    return found


# Names


def test_a_charge_has_the_name_that_it_was_given(account: PixAccount) -> None:
    asked = account.body(
        devedor={"cpf": "12345678909", "nome": "Ana Lima"}, solicitacaoPagador="Mesa 12: açaí"
    )
    made = account.send("PUT", f"/v2/cob/{NAME(1)}", asked)
    assert made.status == 201
    assert made.json["txid"] == NAME(1)
    assert (made.json["status"], made.json["revisao"]) == ("ATIVA", 0)
    assert made.json["calendario"]["expiracao"] == 3600
    created = datetime.fromisoformat(made.json["calendario"]["criacao"])
    assert created.utcoffset() == timedelta(0)
    assert {k: made.json[k] for k in asked if k != "calendario"} == {
        k: v for k, v in asked.items() if k != "calendario"
    }
    assert account.read(NAME(1)) == made.json


def test_a_name_is_used_once(account: PixAccount) -> None:
    txid = account.open()
    before = account.read(txid)
    for amount in ("10.00", "20.00"):
        again = account.send("PUT", f"/v2/cob/{txid}", account.body(amount))
        assert (again.status, again.json["nome"]) == (409, "txid_duplicado")
    account.control.pay(txid)
    again = account.send("PUT", f"/v2/cob/{txid}", account.body())
    assert (again.status, again.json["nome"]) == (409, "txid_duplicado")
    assert account.read(txid)["valor"] == before["valor"]


@pytest.mark.parametrize("name", ["a" * 25, "a" * 36, "a" * 26 + "-", "a" * 26 + "é", "a.b" * 10])
def test_a_name_has_26_to_35_letters_and_digits(account: PixAccount, name: str) -> None:
    path = f"/v2/cob/{quote(name)}"
    refused = account.send("PUT", path, account.body())
    assert (refused.status, refused.json["nome"]) == (400, "json_invalido")
    assert account.send("GET", path).status == 400


@pytest.mark.parametrize("name", ["a" * 26, "Z" * 35])
def test_the_shortest_and_the_longest_name_are_taken(account: PixAccount, name: str) -> None:
    assert account.send("PUT", f"/v2/cob/{name}", account.body()).status == 201


def test_without_a_name_every_request_makes_another_charge(account: PixAccount) -> None:
    first = account.send("POST", "/v2/cob", account.body())
    second = account.send("POST", "/v2/cob", account.body())
    assert (first.status, second.status) == (201, 201)
    assert first.json["txid"] != second.json["txid"]
    assert account.read(second.json["txid"])["status"] == "ATIVA"


def test_a_charge_that_nobody_made_is_not_found(account: PixAccount) -> None:
    missing = account.send("GET", f"/v2/cob/{NAME(1)}")
    assert (missing.status, missing.json["nome"]) == (400, "cobranca_nao_encontrada")
    assert account.send("PATCH", f"/v2/cob/{NAME(1)}", REMOVED).json["nome"] == (
        "cobranca_nao_encontrada"
    )


# What may be asked for

_LONG = {"nome": "n", "valor": "v"}


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"valor": {"original": 10}}, ".body.valor.original"),
        ({"valor": {"original": 10.5}}, ".body.valor.original"),
        ({"valor": {"original": "10"}}, ".body.valor.original"),
        ({"valor": {"original": "10,00"}}, ".body.valor.original"),
        ({"valor": {"original": "-1.00"}}, ".body.valor.original"),
        ({"valor": {"original": "1.000"}}, ".body.valor.original"),
        ({"valor": {"original": "12345678901.00"}}, ".body.valor.original"),
        ({"valor": {}}, ".body.valor.original"),
        ({"valor": "10.00"}, ".body.valor"),
        ({"valor": None}, ".body.valor"),
        ({"valor": {"original": "1.00", "moeda": "BRL"}}, ".body.valor.moeda"),
        (
            {"valor": {"original": "1.00", "modalidadeAlteracao": True}},
            ".body.valor.modalidadeAlteracao",
        ),
        ({"calendario": {"expiracao": "3600"}}, ".body.calendario.expiracao"),
        ({"calendario": {"expiracao": 1.5}}, ".body.calendario.expiracao"),
        ({"calendario": {"expiracao": 2**31}}, ".body.calendario.expiracao"),
        ({"calendario": {"criacao": "2026-01-01T00:00:00Z"}}, ".body.calendario.criacao"),
        ({"calendario": None}, ".body.calendario"),
        ({"chave": ""}, ".body.chave"),
        ({"chave": "k" * 78}, ".body.chave"),
        ({"chave": 12}, ".body.chave"),
        ({"devedor": {"nome": "Ana"}}, ".body.devedor"),
        ({"devedor": {"cpf": "123", "nome": "Ana"}}, ".body.devedor"),
        ({"devedor": {"cpf": "12345678909"}}, ".body.devedor.nome"),
        ({"devedor": {"cpf": "1" * 11, "cnpj": "1" * 14, "nome": "A"}}, ".body.devedor"),
        ({"devedor": {"cpf": "1" * 11, "nome": "A", "email": "a@b"}}, ".body.devedor.email"),
        ({"devedor": "Ana"}, ".body.devedor"),
        ({"solicitacaoPagador": "x" * 141}, ".body.solicitacaoPagador"),
        ({"solicitacaoPagador": None}, ".body.solicitacaoPagador"),
        ({"infoAdicionais": [_LONG] * 51}, ".body.infoAdicionais"),
        ({"infoAdicionais": {"nome": "valor"}}, ".body.infoAdicionais"),
        ({"infoAdicionais": ["a"]}, ".body.infoAdicionais[0]"),
        ({"infoAdicionais": [_LONG, {"nome": "n"}]}, ".body.infoAdicionais[1].valor"),
        ({"infoAdicionais": [{"nome": "n" * 51, "valor": "v"}]}, ".body.infoAdicionais[0].nome"),
        ({"infoAdicionais": [{**_LONG, "cor": "azul"}]}, ".body.infoAdicionais[0].cor"),
        ({"notification_url": "https://a.example"}, ".body.notification_url"),
        ({"txid": NAME(2)}, ".body.txid"),
        ({"status": "ATIVA"}, ".body.status"),
    ],
)
def test_what_breaks_the_form_is_refused_and_named(
    account: PixAccount, wrong: dict[str, Any], place: str
) -> None:
    refused = account.send("PUT", f"/v2/cob/{NAME(1)}", account.body(**wrong))
    assert (refused.status, refused.json["nome"]) == (400, "json_invalido")
    assert [error["caminho"] for error in refused.json["erros"]] == [place]
    assert account.send("GET", f"/v2/cob/{NAME(1)}").status == 400


def test_everything_that_is_missing_is_named_at_once(account: PixAccount) -> None:
    refused = account.send("POST", "/v2/cob", {})
    assert {error["caminho"] for error in refused.json["erros"]} == {
        ".body.valor",
        ".body.calendario",
        ".body.chave",
    }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"valor": {"original": "0.00"}}, "valor.original"),
        ({"calendario": {"expiracao": 0}}, "calendario.expiracao"),
        ({"calendario": {"expiracao": -5}}, "calendario.expiracao"),
    ],
)
def test_what_makes_no_sense_is_refused_in_efis_words(
    account: PixAccount, wrong: dict[str, Any], said: str
) -> None:
    refused = account.send("PUT", f"/v2/cob/{NAME(1)}", account.body(**wrong))
    assert (refused.status, refused.json["nome"]) == (400, "valor_invalido")
    assert said in refused.json["mensagem"]


@pytest.mark.parametrize(
    "more", [{"loc": {"id": 1}}, {"valor": {"original": "1.00", "retirada": {}}}]
)
def test_what_is_not_simulated_is_refused_and_never_ignored(
    account: PixAccount, more: dict[str, Any]
) -> None:
    refused = account.send("PUT", f"/v2/cob/{NAME(1)}", account.body(**more))
    assert (refused.status, refused.json["nome"]) == (400, "nao_simulado")
    txid = account.open()
    older = account.send("GET", f"/v2/cob/{txid}", query={"revisao": 1})
    assert older.json["nome"] == "nao_simulado"
    assert account.send("GET", f"/v2/cob/{txid}", query={"revisao": 0}).status == 200


def test_the_next_charge_can_be_refused_in_any_words(account: PixAccount) -> None:
    account.control.decline_next()
    account.control.decline_next("valor_invalido")
    for word in ("documento_bloqueado", "valor_invalido"):
        refused = account.send("PUT", f"/v2/cob/{NAME(1)}", account.body())
        assert (refused.status, refused.json["nome"]) == (400, word)
    assert account.open() == NAME(1)


def test_a_charge_lives_for_a_day_if_nothing_is_said(account: PixAccount) -> None:
    made = account.send("POST", "/v2/cob", account.body(calendario={}))
    assert made.json["calendario"]["expiracao"] == 86_400


# How they end


def test_time_ends_a_charge_without_changing_its_word(account: PixAccount) -> None:
    txid = account.open()
    account.advance(3599)
    second = account.open(2)
    account.advance(1)
    with pytest.raises(ControlError, match="expirada"):
        account.control.pay(txid)
    assert account.read(txid)["status"] == "ATIVA"
    account.control.pay(second)


def test_the_receiver_withdraws_an_open_charge(account: PixAccount) -> None:
    txid = account.open()
    gone = account.send("PATCH", f"/v2/cob/{txid}", REMOVED)
    assert (gone.status, gone.json["status"], gone.json["revisao"]) == (200, REMOVED["status"], 1)
    assert "pixCopiaECola" not in gone.json
    with pytest.raises(ControlError, match="REMOVIDA"):
        account.control.pay(txid)
    again = account.send("PATCH", f"/v2/cob/{txid}", REMOVED)
    assert (again.status, again.json["nome"]) == (400, "status_cobranca_invalido")


def test_a_paid_charge_is_not_changed_any_more(account: PixAccount) -> None:
    txid = account.open()
    account.control.pay(txid)
    before = account.read(txid)
    for change in (REMOVED, {"valor": {"original": "1.00"}}, {"calendario": {"expiracao": 9}}):
        refused = account.send("PATCH", f"/v2/cob/{txid}", change)
        assert (refused.status, refused.json["nome"]) == (400, "status_cobranca_invalido")
    assert account.read(txid) == before


def test_the_institution_withdraws_a_charge(account: PixAccount) -> None:
    txid = account.open()
    account.control.remove(txid)
    assert account.read(txid)["status"] == "REMOVIDA_PELO_PSP"
    with pytest.raises(ControlError, match="REMOVIDA_PELO_PSP"):
        account.control.remove(txid)


def test_an_open_charge_is_revised(account: PixAccount) -> None:
    txid = account.open()
    before = account.read(txid)
    changed = account.send(
        "PATCH",
        f"/v2/cob/{txid}",
        {"valor": {"original": "25.50"}, "solicitacaoPagador": "com gorjeta"},
    ).json
    assert (changed["revisao"], changed["valor"]) == (1, {"original": "25.50"})
    assert changed["solicitacaoPagador"] == "com gorjeta"
    assert changed["infoAdicionais"] == before["infoAdicionais"]
    assert changed["calendario"] == before["calendario"]
    account.control.pay(txid)
    assert account.movements() == [("paid", 2550)]


def test_a_revision_prolongs_a_charge(account: PixAccount) -> None:
    txid = account.open()
    account.advance(4000)
    account.send("PATCH", f"/v2/cob/{txid}", {"calendario": {"expiracao": 8000}})
    account.control.pay(txid)
    assert account.read(txid)["status"] == "CONCLUIDA"


@pytest.mark.parametrize("status", ["CONCLUIDA", "ATIVA", "REMOVIDA_PELO_PSP", None, 1])
def test_no_other_status_can_be_asked_for(account: PixAccount, status: object) -> None:
    txid = account.open()
    refused = account.send("PATCH", f"/v2/cob/{txid}", {"status": status})
    assert (refused.status, refused.json["nome"]) == (400, "json_invalido")
    assert account.read(txid)["status"] == "ATIVA"


# What payers scan


def test_the_code_to_copy_is_a_br_code(account: PixAccount) -> None:
    charge = account.read(account.open(amount="1234.56"))
    code = charge["pixCopiaECola"]
    assert code[-8:-4] == "6304"
    assert int(code[-4:], 16) == binascii.crc_hqx(code[:-4].encode(), 0xFFFF)
    fields = _fields(code)
    assert (fields["00"], fields["53"], fields["58"]) == ("01", "986", "BR")
    assert fields["54"] == "1234.56"
    merchant = _fields(fields["26"])
    assert merchant == {"00": "br.gov.bcb.pix", "25": charge["location"]}
    assert "://" not in charge["location"]
    assert len(charge["location"]) <= 77
    assert charge["loc"]["location"] == charge["location"]


def test_every_charge_has_a_code_of_its_own(account: PixAccount) -> None:
    codes = {account.read(account.open(number))["pixCopiaECola"] for number in range(1, 6)}
    assert len(codes) == 5


def test_the_location_leads_to_a_picture_that_phones_read(account: PixAccount) -> None:
    charge = account.read(account.open())
    path = f"/v2/loc/{charge['loc']['id']}"
    found = account.send("GET", path)
    assert (found.json["txid"], found.json["tipoCob"]) == (charge["txid"], "cob")
    shown = account.send("GET", f"{path}/qrcode").json
    assert shown["qrcode"] == charge["pixCopiaECola"]
    assert shown["linkVisualizacao"].startswith("https://")
    head, _, data = shown["imagemQrcode"].partition(",")
    assert head == "data:image/png;base64"
    picture = PIL.Image.open(BytesIO(base64.b64decode(data)))
    (read,) = zxingcpp.read_barcodes(picture)
    assert read.text == charge["pixCopiaECola"]


def test_a_location_that_is_nobodys_is_not_found(account: PixAccount) -> None:
    for path in ("/v2/loc/99", "/v2/loc/99/qrcode"):
        missing = account.send("GET", path)
        assert (missing.status, missing.json["nome"]) == (400, "location_nao_encontrada")
