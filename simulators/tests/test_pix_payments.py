"""Payments and returns: what payers can do, what comes all the same, and the books about it."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.pix.control import ControlError
from simulators.tests.pix_account import NAME, PixAccount

REMOVED = {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"}


@pytest.fixture
def account(pix_simulator: PixSimulator) -> PixAccount:
    return PixAccount(pix_simulator)


def _payments(account: PixAccount, txid: str) -> list[str]:
    return [payment["valor"] for payment in account.read(txid).get("pix", [])]


# Paying


def test_a_payment_settles_its_charge(account: PixAccount) -> None:
    txid = account.open()
    paid = account.control.pay(txid, payer_info="para a Ana")
    assert len(paid["endToEndId"]) == 32
    assert paid["endToEndId"].startswith("E09089356")
    assert (paid["txid"], paid["valor"], paid["chave"]) == (txid, "10.00", account.key)
    charge = account.read(txid)
    assert (charge["status"], charge["pix"]) == ("CONCLUIDA", [paid])
    assert "pixCopiaECola" not in charge
    assert account.send("GET", f"/v2/pix/{paid['endToEndId']}").json == paid
    assert paid["infoPagador"] == "para a Ana"


@pytest.mark.parametrize("amount_q", [1, 999, 1001, 123_456])
def test_another_amount_can_arrive(account: PixAccount, amount_q: int) -> None:
    txid = account.open()
    account.control.pay(txid, amount_q)
    assert account.read(txid)["status"] == "CONCLUIDA"
    assert account.read(txid)["valor"] == {"original": "10.00"}
    assert account.control.moved("A-1") == amount_q


@pytest.mark.parametrize("amount_q", [0, -1, 1.5, "10", True])
def test_no_payment_is_of_less_than_a_centavo(account: PixAccount, amount_q: Any) -> None:
    txid = account.open()
    with pytest.raises(ControlError, match="whole number of centavos"):
        account.control.pay(txid, amount_q)
    account.control.pay(txid)
    with pytest.raises(ControlError, match="whole number of centavos"):
        account.control.refund_outside(txid, amount_q)
    assert account.movements() == [("paid", 1000)]


def test_nobody_pays_twice_unless_it_was_on_its_way(account: PixAccount) -> None:
    txid = account.open()
    first = account.control.pay(txid)
    with pytest.raises(ControlError, match="CONCLUIDA"):
        account.control.pay(txid)
    second = account.control.pay(txid, in_flight=True)
    assert first["endToEndId"] != second["endToEndId"]
    assert _payments(account, txid) == ["10.00", "10.00"]
    assert account.control.moved("A-1") == 2000


def test_what_was_on_its_way_lands_on_a_withdrawn_charge(account: PixAccount) -> None:
    txid = account.open()
    account.send("PATCH", f"/v2/cob/{txid}", REMOVED)
    account.control.pay(txid, 400, in_flight=True)
    assert account.read(txid)["status"] == REMOVED["status"]
    assert _payments(account, txid) == ["4.00"]
    assert account.control.moved("A-1") == 400


def test_what_was_on_its_way_lands_on_an_expired_charge(account: PixAccount) -> None:
    txid = account.open()
    account.advance(3600)
    account.control.pay(txid, in_flight=True)
    assert account.read(txid)["status"] == "CONCLUIDA"


def test_a_charge_that_nobody_made_cannot_be_paid(account: PixAccount) -> None:
    with pytest.raises(ControlError, match="Nenhuma cobrança"):
        account.control.pay(NAME(9))


def test_a_payment_that_nobody_made_is_not_found(account: PixAccount) -> None:
    missing = account.send("GET", f"/v2/pix/{'E' * 32}")
    assert (missing.status, missing.json["nome"]) == (400, "pix_nao_encontrado")
    for name in ("E" * 31, "E" * 33, "E" * 31 + "-"):
        assert account.send("GET", f"/v2/pix/{name}").json["nome"] == "json_invalido"


def test_the_test_environment_pays_small_charges_by_itself() -> None:
    with PixSimulator(auto_pay=True) as running:
        account = PixAccount(running)
        small, large = account.open(1, "10.00"), account.open(2, "10.01")
        assert account.read(small)["status"] == "CONCLUIDA"
        assert account.read(large)["status"] == "ATIVA"
        running.control.reset()
        account.token = None
        assert account.read(account.open(3, "0.01"))["status"] == "CONCLUIDA"
        running.control.auto_pay(False)
        assert account.read(account.open(4, "0.01"))["status"] == "ATIVA"


# Returning


def test_a_return_is_carried_out_at_once(account: PixAccount) -> None:
    e2eid = account.paid()
    made = account.give_back(e2eid, "abc", "4.00")
    assert made.status == 201
    assert (made.json["id"], made.json["valor"]) == ("abc", "4.00")
    assert made.json["status"] == "DEVOLVIDO"
    assert len(made.json["rtrId"]) == 32
    assert made.json["rtrId"].startswith("D")
    assert set(made.json["horario"]) == {"solicitacao", "liquidacao"}
    assert account.send("GET", f"/v2/pix/{e2eid}/devolucao/abc").json == made.json
    assert account.read(NAME(1))["pix"][0]["devolucoes"] == [made.json]
    assert account.read(NAME(1))["status"] == "CONCLUIDA"
    assert account.movements() == [("paid", 1000), ("returned", 400)]
    assert account.control.moved("A-1") == 600


def test_returns_in_parts_never_pass_what_was_paid(account: PixAccount) -> None:
    e2eid = account.paid()
    assert account.give_back(e2eid, "a", "3.00").status == 201
    assert account.give_back(e2eid, "b", "6.99").status == 201
    refused = account.give_back(e2eid, "c", "0.02")
    assert (refused.status, refused.json["title"]) == (400, "Devolução inválida.")
    assert refused.headers["Content-Type"].startswith("application/problem+json")
    assert refused.json["violacoes"][0]["propriedade"] == "devolucao.valor"
    assert account.give_back(e2eid, "d", "0.01").status == 201
    assert account.control.moved("A-1") == 0


def test_two_payments_of_a_charge_are_returned_each_for_itself(account: PixAccount) -> None:
    txid = account.open()
    first = account.control.pay(txid)["endToEndId"]
    second = account.control.pay(txid, 500, in_flight=True)["endToEndId"]
    assert account.give_back(second, "1", "10.00").status == 400
    assert account.give_back(second, "1", "5.00").status == 201
    assert account.give_back(first, "1", "10.00").status == 201
    assert account.control.moved("A-1") == 0


def test_an_id_names_one_return_of_a_payment(account: PixAccount) -> None:
    e2eid = account.paid()
    account.give_back(e2eid, "1", "2.00")
    for amount in ("2.00", "3.00", "99.00"):
        again = account.give_back(e2eid, "1", amount)
        assert (again.status, again.json["nome"]) == (409, "devolucao_id_duplicado")
    assert account.give_back(account.paid(2), "1", "2.00").status == 201
    assert account.movements().count(("returned", 200)) == 2


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "json_invalido"),
        ({"valor": 1}, "json_invalido"),
        ({"valor": "1"}, "json_invalido"),
        ({"valor": "0.00"}, "valor_invalido"),
        ({"valor": "1.00", "motivo": "x"}, "json_invalido"),
        ({"valor": "1.00", "descricao": "x" * 141}, "json_invalido"),
        ({"valor": "1.00", "descricao": 1}, "json_invalido"),
        ({"valor": "1.00", "natureza": "RETIRADA"}, "nao_simulado"),
    ],
)
def test_a_return_is_asked_for_strictly(
    account: PixAccount, body: dict[str, Any], word: str
) -> None:
    e2eid = account.paid()
    refused = account.send("PUT", f"/v2/pix/{e2eid}/devolucao/1", body)
    assert (refused.status, refused.json["nome"]) == (400, word)
    missing = account.send("GET", f"/v2/pix/{e2eid}/devolucao/1")
    assert (missing.status, missing.json["nome"]) == (400, "devolucao_nao_encontrada")


@pytest.mark.parametrize("number", ["a" * 36, "a-b", "%20"])
def test_an_id_has_1_to_35_letters_and_digits(account: PixAccount, number: str) -> None:
    assert account.give_back(account.paid(), number).json["nome"] == "json_invalido"


def test_what_is_told_to_the_payer_stays_with_the_return(account: PixAccount) -> None:
    e2eid = account.paid()
    asked = {"valor": "1.00", "descricao": "não serviu", "natureza": "ORIGINAL"}
    made = account.send("PUT", f"/v2/pix/{e2eid}/devolucao/1", asked)
    assert made.json["descricao"] == "não serviu"


def test_nothing_goes_back_after_ninety_days(account: PixAccount) -> None:
    e2eid = account.paid()
    account.advance(90 * 86_400)
    assert account.give_back(e2eid, "1", "1.00").status == 201
    account.advance(1)
    refused = account.give_back(e2eid, "2", "1.00")
    assert (refused.status, refused.json["violacoes"][0]["propriedade"]) == (400, "devolucao")


def test_a_return_can_take_its_time_and_arrive(account: PixAccount) -> None:
    account.control.returns("wait")
    e2eid = account.paid()
    made = account.give_back(e2eid, "1", "4.00").json
    assert (made["status"], set(made["horario"])) == ("EM_PROCESSAMENTO", {"solicitacao"})
    assert account.give_back(e2eid, "2", "6.01").status == 400
    account.advance(60)
    assert account.control.settle_return(e2eid, "1")["status"] == "DEVOLVIDO"
    read = account.send("GET", f"/v2/pix/{e2eid}/devolucao/1").json
    assert read["status"] == "DEVOLVIDO"
    assert read["horario"]["liquidacao"] > read["horario"]["solicitacao"]
    assert account.control.moved("A-1") == 600


def test_a_return_can_take_its_time_and_fail(account: PixAccount) -> None:
    account.control.returns("wait")
    e2eid = account.paid()
    account.give_back(e2eid, "1", "10.00")
    assert account.control.moved("A-1") == 0
    failed = account.control.settle_return(e2eid, "1", "NAO_REALIZADO")
    assert failed["status"] == "NAO_REALIZADO"
    assert failed["motivo"]
    assert account.control.moved("A-1") == 1000
    assert account.movements()[1:] == [("returned", 1000), ("return_failed", 1000)]
    account.control.returns("at_once")
    assert account.give_back(e2eid, "2", "10.00").json["status"] == "DEVOLVIDO"


def test_a_return_can_be_refused_by_the_payers_bank(account: PixAccount) -> None:
    account.control.returns("refuse")
    e2eid = account.paid()
    made = account.give_back(e2eid)
    assert (made.status, made.json["status"]) == (201, "NAO_REALIZADO")
    assert made.json["motivo"]
    assert account.movements() == [("paid", 1000)]


@pytest.mark.parametrize("end", ["DEVOLVIDO", "NAO_REALIZADO"])
def test_what_has_ended_does_not_end_again(account: PixAccount, end: str) -> None:
    account.control.returns("wait")
    e2eid = account.paid()
    account.give_back(e2eid)
    account.control.settle_return(e2eid, "1", end)
    for status in ("DEVOLVIDO", "NAO_REALIZADO"):
        with pytest.raises(ControlError, match=f"the refund is {end} already"):
            account.control.settle_return(e2eid, "1", status)


def test_what_cannot_be_settled_is_told(account: PixAccount) -> None:
    e2eid = account.paid()
    with pytest.raises(ControlError, match="no such refund"):
        account.control.settle_return(e2eid, "1")
    with pytest.raises(ControlError, match="status is DEVOLVIDO or NAO_REALIZADO"):
        account.control.settle_return(e2eid, "1", "EM_PROCESSAMENTO")
    with pytest.raises(ControlError, match="mode is one of"):
        account.control.returns("never")


def test_somebody_returns_money_in_efis_own_app(account: PixAccount) -> None:
    e2eid = account.paid()
    made = account.control.refund_outside(NAME(1), 250)
    assert made["status"] == "DEVOLVIDO"
    (shown,) = account.send("GET", f"/v2/pix/{e2eid}").json["devolucoes"]
    assert shown == made
    with pytest.raises(ControlError, match="has so much left"):
        account.control.refund_outside(NAME(1), 751)
    assert account.control.moved("A-1") == 750


# The books


def test_the_books_tell_every_movement_by_its_order(account: PixAccount) -> None:
    account.control.returns("wait")
    e2eid = account.paid()
    account.give_back(e2eid, "r1", "4.00")
    account.control.settle_return(e2eid, "r1", "NAO_REALIZADO")
    other = account.open(2, infoAdicionais=[{"nome": "order_ref", "valor": "A-2"}])
    account.control.pay(other, 77)
    nameless = account.open(3, infoAdicionais=[{"nome": "mesa", "valor": "12"}])
    account.control.pay(nameless)
    ledger = account.control.ledger()
    assert [m["seq"] for m in ledger["movements"]] == [1, 2, 3, 4, 5]
    assert ledger["orders"] == {"A-1": {"moved": 1000}, "A-2": {"moved": 77}, "": {"moved": 1000}}
    paid, returned, *_ = ledger["movements"]
    assert (paid["kind"], paid["devolucao_id"], paid["e2eid"]) == ("paid", "", e2eid)
    assert (returned["kind"], returned["devolucao_id"]) == ("returned", "r1")
    assert {m["chave"] for m in ledger["movements"]} == {account.key}
    assert account.control.moved("nobody") == 0


def test_amounts_beyond_what_floats_hold_are_exact(account: PixAccount) -> None:
    txid = account.open(amount="9999999999.99")
    e2eid = account.control.pay(txid)["endToEndId"]
    account.give_back(e2eid, "1", "0.01")
    assert account.control.moved("A-1") == 999_999_999_998
