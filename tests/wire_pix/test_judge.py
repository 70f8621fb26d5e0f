"""The judge is worth nothing if it lets everything pass: each fault here is caught, where it is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from . import differences
from .differences import unexcused
from .judge import Exchange, Judge, call_of

Spoil = Callable[[dict[str, Any]], object]
Life = list[Exchange]


CHARGE = "PUT /v2/cob/ID 201"
REFUND = "PUT /v2/pix/ID/devolucao/ID 201"


def found(life: Life, call: str) -> Exchange:
    """The first exchange like that, to be spoilt."""
    return copy.deepcopy(next(each for each in life if call_of(each) == call))


REQUESTS: dict[str, tuple[str, Spoil, str]] = {
    "an amount without decimals": (
        CHARGE,
        lambda b: b["valor"].update(original="10"),
        "valor.original",
    ),
    "an amount with three decimals": (
        CHARGE,
        lambda b: b["valor"].update(original="10.000"),
        "valor.original",
    ),
    "an amount with a comma": (
        CHARGE,
        lambda b: b["valor"].update(original="10,00"),
        "valor.original",
    ),
    "an amount that is a number": (
        CHARGE,
        lambda b: b["valor"].update(original=10.0),
        "valor.original",
    ),
    "no amount": (CHARGE, lambda b: b.pop("valor"), "valor"),
    "no key": (CHARGE, lambda b: b.pop("chave"), "chave"),
    "a key that is too long": (CHARGE, lambda b: b.update(chave="x" * 78), "chave"),
    "a text that is too long": (
        CHARGE,
        lambda b: b.update(solicitacaoPagador="x" * 141),
        "solicitacaoPagador",
    ),
    "a life that is a text": (
        CHARGE,
        lambda b: b["calendario"].update(expiracao="soon"),
        "calendario.expiracao",
    ),
    "a debtor without a number": (CHARGE, lambda b: b.update(devedor={"nome": "Ana"}), "devedor"),
    "a debtor with half a number": (
        CHARGE,
        lambda b: b.update(devedor={"nome": "Ana", "cpf": "1234567890"}),
        "devedor",
    ),
    "info without a value": (
        CHARGE,
        lambda b: b.update(infoAdicionais=[{"nome": "a"}]),
        "infoAdicionais.0",
    ),
    "a return of a wrong amount": (REFUND, lambda b: b.update(valor="1"), "valor"),
    "a return of nothing said": (REFUND, lambda b: b.pop("valor"), "valor"),
    "a return with a long story": (REFUND, lambda b: b.update(descricao="x" * 141), "descricao"),
    "a charge ended in a way that is not ours": (
        "PATCH /v2/cob/ID 200",
        lambda b: b.update(status="REMOVIDA_PELO_PSP"),
        "status",
    ),
    "an address that is none": (
        "PUT /v2/webhook/ID 201",
        lambda b: b.update(webhookUrl=7),
        "webhookUrl",
    ),
    "a token asked for in another way": (
        "POST /oauth/token 200",
        lambda b: b.update(grant_type="password"),
        "grant_type",
    ),
}

ANSWERS: dict[str, tuple[str, Spoil, str]] = {
    "an unknown status": (CHARGE, lambda b: b.update(status="PAGA"), "status"),
    "an amount without decimals": (
        CHARGE,
        lambda b: b["valor"].update(original="10"),
        "valor.original",
    ),
    "no txid": (CHARGE, lambda b: b.pop("txid"), "txid"),
    "no status": (CHARGE, lambda b: b.pop("status"), "status"),
    "a revision that is a text": (CHARGE, lambda b: b.update(revisao="first"), "revisao"),
    "a time that is none": (
        CHARGE,
        lambda b: b["calendario"].update(criacao="yesterday"),
        "calendario.criacao",
    ),
    "a code that is no text": (CHARGE, lambda b: b.update(pixCopiaECola=7), "pixCopiaECola"),
    "an unknown status of a return": (REFUND, lambda b: b.update(status="PAGO"), "status"),
    "a return without a time": (REFUND, lambda b: b.pop("horario"), "horario"),
    "a payment without a name": (
        "GET /v2/pix 200",
        lambda b: b["pix"][0].pop("endToEndId"),
        "pix.0",
    ),
    "a payment of a number": (
        "GET /v2/pix 200",
        lambda b: b["pix"][0].update(valor=1),
        "pix.0.valor",
    ),
    "a list without pages": (
        "GET /v2/cob 200",
        lambda b: b["parametros"].pop("paginacao"),
        "paginacao",
    ),
    "a registration without an address": (
        "GET /v2/webhook/ID 200",
        lambda b: b.pop("webhookUrl"),
        "webhookUrl",
    ),
    "a token that does not say how long": (
        "POST /oauth/token 200",
        lambda b: b.pop("expires_in"),
        "expires_in",
    ),
    "a problem without its kind": ("GET /v2/cob/ID 503", lambda b: b.pop("type"), "type"),
    "an error of Efi's without a word": (
        "GET /v2/cob/ID 400",
        lambda b: b.pop("nome"),
        "nome",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_wrong_request_is_caught(efis: Judge, by_plugin: Life, name: str) -> None:
    call, spoil, where = REQUESTS[name]
    exchange = found(by_plugin, call)
    assert efis.request(exchange) == []
    spoil(exchange["body"])
    assert any(where in fault for fault in efis.request(exchange))


@pytest.mark.parametrize("name", ANSWERS)
def test_a_wrong_answer_is_caught(efis: Judge, by_plugin: Life, name: str) -> None:
    call, spoil, where = ANSWERS[name]
    exchange = found(by_plugin, call)
    assert efis.answer(exchange) == []
    spoil(exchange["response"])
    assert any(where in fault for fault in efis.answer(exchange))


@pytest.mark.parametrize("txid", ["a" * 40, "a" * 25, f"{'a' * 31}-"])
def test_a_wrong_txid_is_caught(efis: Judge, by_plugin: Life, txid: str) -> None:
    exchange = {**found(by_plugin, CHARGE), "path": f"/v2/cob/{txid}"}
    assert efis.request(exchange) != []


@pytest.mark.parametrize(
    ("call", "query"),
    [
        ("GET /v2/cob 200", {"inicio": "yesterday", "fim": "2026-01-01T00:00:00Z"}),
        ("GET /v2/cob 200", {"fim": "2026-01-01T00:00:00Z"}),
        ("GET /v2/pix 200", {"inicio": "2026-01-01T00:00:00Z"}),
    ],
)
def test_a_list_of_no_period_is_caught(
    efis: Judge, by_plugin: Life, call: str, query: dict[str, str]
) -> None:
    assert efis.request({**found(by_plugin, call), "query": query}) != []


def test_a_status_that_the_call_has_not_is_caught(efis: Judge, by_plugin: Life) -> None:
    assert efis.answer({**found(by_plugin, CHARGE), "status": 202}) != []


def test_a_call_that_is_not_there_is_caught(efis: Judge, by_plugin: Life) -> None:
    assert efis.request({**found(by_plugin, CHARGE), "path": "/v2/charges"}) != []
    assert efis.request({**found(by_plugin, CHARGE), "method": "DELETE"}) != []


def test_an_error_in_another_shape_is_caught(efis: Judge, by_plugin: Life) -> None:
    exchange = {**found(by_plugin, CHARGE), "status": 409, "response": {"error": "taken"}}
    assert efis.answer(exchange) != []


def test_an_error_of_another_content_type_is_caught(efis: Judge, by_plugin: Life) -> None:
    exchange = found(by_plugin, "GET /v2/cob/ID 400")
    assert efis.answer({**exchange, "content_type": "text/html"}) != []
    assert efis.answer({**exchange, "content_type": "application/problem+json"}) != []


def test_a_difference_excuses_no_answer_of_another_shape(efis: Judge, by_plugin: Life) -> None:
    limited = found(by_plugin, "GET /v2/cob/ID 429")
    assert unexcused([limited], efis.answer, differences.EFIS) == {}
    assert unexcused([limited], efis.answer) != {}
    limited["response"] = {"message": "slow down"}
    assert unexcused([limited], efis.answer, differences.EFIS) != {}


def test_a_difference_excuses_nothing_else(efis: Judge, by_plugin: Life) -> None:
    charge = found(by_plugin, CHARGE)
    charge["response"]["status"] = "PAGA"
    assert unexcused([charge], efis.answer, differences.EFIS) != {}


def test_one_good_answer_does_not_hide_a_bad_one_to_the_same_call(
    efis: Judge, by_plugin: Life
) -> None:
    good, bad = found(by_plugin, CHARGE), found(by_plugin, CHARGE)
    bad["response"].pop("txid")
    assert unexcused([bad, good], efis.answer) != {}
