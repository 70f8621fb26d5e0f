"""The judge is worth nothing if it lets everything pass: each fault here is caught."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from .judge import Exchange, Judge

Spoil = Callable[[dict[str, Any]], object]


def _charge(by_plugin: list[Exchange]) -> Exchange:
    return copy.deepcopy(next(e for e in by_plugin if e["method"] == "PUT" and e["status"] == 201))


REQUESTS: dict[str, Spoil] = {
    "an amount without decimals": lambda b: b["valor"].update(original="10"),
    "an amount with three decimals": lambda b: b["valor"].update(original="10.000"),
    "an amount that is a number": lambda b: b["valor"].update(original=10.0),
    "no key": lambda b: b.pop("chave"),
    "a key that is too long": lambda b: b.update(chave="x" * 78),
    "a text that is too long": lambda b: b.update(solicitacaoPagador="x" * 141),
    "a life that is a text": lambda b: b["calendario"].update(expiracao="soon"),
    "a debtor without a number": lambda b: b.update(devedor={"nome": "Ana"}),
    "info without a value": lambda b: b.update(infoAdicionais=[{"nome": "a"}]),
}

ANSWERS: dict[str, Spoil] = {
    "an unknown status": lambda b: b.update(status="PAGA"),
    "an amount without decimals": lambda b: b["valor"].update(original="10"),
    "no txid": lambda b: b.pop("txid"),
    "a revision that is a text": lambda b: b.update(revisao="first"),
    "a time that is none": lambda b: b["calendario"].update(criacao="yesterday"),
    "a code that is no text": lambda b: b.update(pixCopiaECola=7),
}


@pytest.mark.parametrize("spoil", REQUESTS.values(), ids=REQUESTS)
def test_a_wrong_request_is_caught(
    the_judge: Judge, by_plugin: list[Exchange], spoil: Spoil
) -> None:
    exchange = _charge(by_plugin)
    assert the_judge.request(exchange) == []
    spoil(exchange["body"])
    assert the_judge.request(exchange) != []


@pytest.mark.parametrize("spoil", ANSWERS.values(), ids=ANSWERS)
def test_a_wrong_answer_is_caught(
    the_judge: Judge, by_plugin: list[Exchange], spoil: Spoil
) -> None:
    exchange = _charge(by_plugin)
    assert the_judge.answer(exchange) == []
    spoil(exchange["response"])
    assert the_judge.answer(exchange) != []


def test_a_name_that_is_too_long_is_caught(the_judge: Judge, by_plugin: list[Exchange]) -> None:
    exchange = _charge(by_plugin)
    exchange["path"] = "/v2/cob/" + "a" * 40
    assert the_judge.request(exchange) != []


def test_a_status_that_the_call_has_not_is_caught(
    the_judge: Judge, by_plugin: list[Exchange]
) -> None:
    assert the_judge.answer({**_charge(by_plugin), "status": 202}) != []


def test_a_call_that_is_not_there_is_caught(the_judge: Judge, by_plugin: list[Exchange]) -> None:
    assert the_judge.request({**_charge(by_plugin), "path": "/v2/charges"}) != []


def test_an_error_in_another_shape_is_caught(the_judge: Judge, by_plugin: list[Exchange]) -> None:
    exchange = {**_charge(by_plugin), "status": 409, "response": {"error": "taken"}}
    assert the_judge.answer(exchange) != []
