"""Lists: periods, filters and pages, as reconciliation needs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omniman_payment_simulators.pix import PixSimulator
from simulators.tests.pix_account import ALWAYS, NAME, PixAccount


@pytest.fixture
def account(pix_simulator: PixSimulator) -> PixAccount:
    return PixAccount(pix_simulator)


def _charges(account: PixAccount, **query: Any) -> list[str]:
    answer = account.send("GET", "/v2/cob", query={**ALWAYS, **query})
    assert answer.status == 200, answer.text
    return [charge["txid"] for charge in answer.json["cobs"]]


def _payments(account: PixAccount, **query: Any) -> list[str]:
    answer = account.send("GET", "/v2/pix", query={**ALWAYS, **query})
    assert answer.status == 200, answer.text
    return [payment["endToEndId"] for payment in answer.json["pix"]]


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_charges_are_listed_as_they_are_read(account: PixAccount) -> None:
    account.paid(1)
    account.open(2)
    answer = account.send("GET", "/v2/cob", query=ALWAYS).json
    assert answer["cobs"] == [account.read(NAME(1)), account.read(NAME(2))]
    assert answer["parametros"] == {
        **ALWAYS,
        "paginacao": {
            "paginaAtual": 0,
            "itensPorPagina": 100,
            "quantidadeDePaginas": 1,
            "quantidadeTotalDeItens": 2,
        },
    }


def test_charges_are_filtered_by_status(account: PixAccount) -> None:
    account.paid(1)
    account.open(2)
    account.send(
        "PATCH",
        f"/v2/cob/{account.open(3)}",
        {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"},
    )
    assert _charges(account, status="CONCLUIDA") == [NAME(1)]
    assert _charges(account, status="ATIVA") == [NAME(2)]
    assert _charges(account, status="REMOVIDA_PELO_USUARIO_RECEBEDOR") == [NAME(3)]
    assert _charges(account, status="REMOVIDA_PELO_PSP") == []


def test_charges_are_filtered_by_debtor(account: PixAccount) -> None:
    account.open(1, devedor={"cpf": "12345678909", "nome": "Ana"})
    account.open(2, devedor={"cnpj": "12345678000195", "nome": "Loja"})
    account.open(3)
    assert _charges(account, cpf="12345678909") == [NAME(1)]
    assert _charges(account, cnpj="12345678000195") == [NAME(2)]
    both = account.send("GET", "/v2/cob", query={**ALWAYS, "cpf": "1" * 11, "cnpj": "1" * 14})
    assert (both.status, both.json["nome"]) == (400, "json_invalido")


def test_a_period_holds_what_was_made_in_it(account: PixAccount) -> None:
    account.open(1)
    account.advance(1000)
    account.open(2)
    middle = datetime.fromisoformat(account.read(NAME(2))["calendario"]["criacao"])
    before = _stamp(middle - timedelta(seconds=1))
    assert _charges(account, fim=before) == [NAME(1)]
    assert _charges(account, inicio=_stamp(middle)) == [NAME(2)]
    assert _charges(account, inicio=_stamp(middle), fim=_stamp(middle)) == [NAME(2)]
    elsewhere = middle.astimezone().isoformat()
    assert _charges(account, inicio=elsewhere) == [NAME(2)]


@pytest.mark.parametrize("path", ["/v2/cob", "/v2/pix", "/v2/loc", "/v2/webhook"])
@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"inicio": None}, "json_invalido"),
        ({"fim": None}, "json_invalido"),
        ({"inicio": "yesterday"}, "json_invalido"),
        ({"inicio": "2026-01-01T00:00:00"}, "json_invalido"),
        ({"inicio": "2026-01-01T00:00:00 00:00"}, "json_invalido"),
        ({"inicio": "2099-01-02T00:00:00Z"}, "valor_invalido"),
        ({"paginacao.paginaAtual": -1}, "json_invalido"),
        ({"paginacao.paginaAtual": "a"}, "json_invalido"),
        ({"paginacao.itensPorPagina": 0}, "json_invalido"),
        ({"paginacao.itensPorPagina": 1001}, "json_invalido"),
        ({"ordem": "desc"}, "nao_simulado"),
    ],
)
def test_a_list_is_asked_for_strictly(
    account: PixAccount, path: str, wrong: dict[str, Any], word: str
) -> None:
    query = {k: v for k, v in {**ALWAYS, **wrong}.items() if v is not None}
    refused = account.send("GET", path, query=query)
    assert (refused.status, refused.json["nome"]) == (400, word)


@pytest.mark.parametrize(
    ("path", "wrong", "word"),
    [
        ("/v2/cob", {"status": "PAGA"}, "json_invalido"),
        ("/v2/cob", {"locationPresente": "true"}, "nao_simulado"),
        ("/v2/cob", {"txid": NAME(1)}, "nao_simulado"),
        ("/v2/pix", {"status": "ATIVA"}, "nao_simulado"),
        ("/v2/pix", {"cpf": "12345678909"}, "nao_simulado"),
        ("/v2/pix", {"devolucaoPresente": "maybe"}, "json_invalido"),
    ],
)
def test_a_filter_is_never_ignored(
    account: PixAccount, path: str, wrong: dict[str, Any], word: str
) -> None:
    refused = account.send("GET", path, query={**ALWAYS, **wrong})
    assert (refused.status, refused.json["nome"]) == (400, word)


def test_pages_hold_everything_once(account: PixAccount) -> None:
    for number in range(1, 8):
        account.open(number)
    pages = [
        account.send(
            "GET",
            "/v2/cob",
            query={**ALWAYS, "paginacao.paginaAtual": page, "paginacao.itensPorPagina": 3},
        ).json
        for page in range(4)
    ]
    listed = [[charge["txid"] for charge in page["cobs"]] for page in pages]
    assert [len(page) for page in listed] == [3, 3, 1, 0]
    assert [txid for page in listed for txid in page] == [NAME(n) for n in range(1, 8)]
    assert pages[3]["parametros"]["paginacao"] == {
        "paginaAtual": 3,
        "itensPorPagina": 3,
        "quantidadeDePaginas": 3,
        "quantidadeTotalDeItens": 7,
    }


def test_payments_are_filtered_by_charge(account: PixAccount) -> None:
    first = account.paid(1)
    twice = account.control.pay(NAME(1), in_flight=True)["endToEndId"]
    other = account.paid(2)
    assert _payments(account) == [first, twice, other]
    assert _payments(account, txid=NAME(1)) == [first, twice]
    assert _payments(account, txid=NAME(3)) == []


def test_payments_are_filtered_by_their_returns(account: PixAccount) -> None:
    returned, kept = account.paid(1), account.paid(2)
    account.give_back(returned)
    assert _payments(account, devolucaoPresente="true") == [returned]
    assert _payments(account, devolucaoPresente="false") == [kept]
    answer = account.send("GET", "/v2/pix", query={**ALWAYS, "devolucaoPresente": "false"}).json
    assert answer["parametros"]["devolucaoPresente"] is False


def test_a_return_makes_a_payment_news_again(account: PixAccount) -> None:
    account.control.returns("wait")
    e2eid = account.paid()
    began = datetime.fromisoformat(account.read(NAME(1))["calendario"]["criacao"]).astimezone(UTC)
    account.advance(1000)
    later = _stamp(began + timedelta(seconds=900))
    assert _payments(account, inicio=later) == []
    account.give_back(e2eid)
    assert _payments(account, inicio=later) == [e2eid]
    account.advance(1000)
    latest = _stamp(began + timedelta(seconds=1900))
    assert _payments(account, inicio=latest) == []
    account.control.settle_return(e2eid, "1")
    assert _payments(account, inicio=latest) == [e2eid]


def test_locations_are_listed(account: PixAccount) -> None:
    locations = [account.read(account.open(number))["loc"] for number in (1, 2)]
    assert account.send("GET", "/v2/loc", query=ALWAYS).json["loc"] == locations
