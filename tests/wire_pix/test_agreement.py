"""The simulator takes nothing that API Pix forbids: requests spoilt at random, judged both ways."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from omniman_payment_simulators.pix import PixSimulator

from . import differences
from .by_hand import SPAN, charge
from .client import Client
from .differences import unexcused
from .judge import Judge, call_of

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**31),
    st.sampled_from(["", "10", "10.000", "-1.00", "0.00", "1,00", "9" * 11 + ".00", "x" * 300]),
    st.sampled_from(["12345678909", "12345678000195", "2026-01-01T00:00:00Z", "REMOVIDA_PELO_PSP"]),
    st.text(max_size=80),
    st.sampled_from([1.5, [], {}, ["a"], {"a": 1}]),
)
NAMES = st.sampled_from(["loc", "status", "txid", "cpf", "nome", "natureza", "retirada", "extra"])
PERIOD = st.sampled_from(["", "yesterday", "2026-01-01", "2026-01-01T00:00:00"])
COUNT = st.sampled_from(["", "0", "-1", "1", "2", "10", "1000", "1001", "9" * 20, "1.0", "one"])
WORD = st.text(max_size=40)
FILTERS: dict[str, dict[str, st.SearchStrategy[str]]] = {
    "/v2/cob": {
        "status": st.sampled_from(["ATIVA", "CONCLUIDA", "PAGA", ""]) | WORD,
        "cpf": st.sampled_from(["", "12345678909", "1234567890", "123456789012"]) | WORD,
        "cnpj": st.sampled_from(["", "12345678000195", "12ABC34501DE35", "1234567800019"]) | WORD,
    },
    "/v2/pix": {
        "txid": st.sampled_from(["", "a", "a" * 32, "a" * 36, "a-b"]) | WORD,
        "devolucaoPresente": st.sampled_from(["true", "false", "True", "1", ""]) | WORD,
    },
    "/v2/loc": {},
    "/v2/webhook": {},
}
EVERYWHERE = {
    "inicio": PERIOD,
    "fim": PERIOD,
    "paginacao.paginaAtual": COUNT,
    "paginacao.itensPorPagina": COUNT,
}
NOBODYS = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1)
    | st.from_regex(r"[a-zA-Z0-9]{24,37}", fullmatch=True)
    | st.from_regex(r"[1-9][0-9]{6,20}", fullmatch=True)
).filter(lambda name: name not in (".", "..") and (len(name) > 6 or not name.isdecimal()))


@dataclass(frozen=True, slots=True)
class Side:
    """The simulator, a client there, and what can be asked about."""

    client: Client
    whole: dict[str, Any]
    txid: str
    e2eid: str
    webhook: dict[str, str]
    key: str


@pytest.fixture(scope="module")
def side(listening: str) -> Iterator[Side]:
    with PixSimulator() as simulator:
        client = Client(simulator)
        body = charge(
            simulator,
            valor={"original": "37.00", "modalidadeAlteracao": 1},
            devedor={"cpf": "12345678909", "nome": "Ana Lima"},
            solicitacaoPagador="Mesa 12",
            infoAdicionais=[{"nome": "Mesa", "valor": "12"}],
        )
        txid = client.call("POST", "/v2/cob", body)["response"]["txid"]
        other = client.call("POST", "/v2/cob", body)["response"]["txid"]
        e2eid = simulator.control.pay(other)["endToEndId"]
        yield Side(client, body, txid, e2eid, {"webhookUrl": listening}, simulator.pix_key)
        client.close()


def places(body: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a body with a name in it that can be spoilt."""
    items = body.items() if isinstance(body, dict) else enumerate(body)
    for name, value in list(items):
        yield body, name
        if isinstance(value, dict | list):
            yield from places(value)


def spoilt(data: st.DataObject, body: dict[str, Any]) -> dict[str, Any]:
    """The body with one thing, or two, replaced, gone or too many."""
    body = copy.deepcopy(body)
    for _ in range(data.draw(st.integers(0, 2))):
        found = list(places(body))
        if not found:
            break
        container, name = data.draw(st.sampled_from(found))
        way = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if way == "replace":
            container[name] = copy.deepcopy(data.draw(JUNK))
        elif way == "remove":
            del container[name]
        elif isinstance(container, dict):
            container[data.draw(NAMES)] = copy.deepcopy(data.draw(JUNK))
    return body


@settings(max_examples=300)
@given(data=st.data())
def test_what_is_taken_is_allowed_and_what_is_answered_is_documented(
    data: st.DataObject, side: Side, efis: Judge
) -> None:
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("PUT", f"/v2/cob/{uuid.uuid4().hex}"): side.whole,
        ("POST", "/v2/cob"): side.whole,
        ("PATCH", f"/v2/cob/{side.txid}"): side.whole,
        ("PUT", f"/v2/pix/{side.e2eid}/devolucao/{uuid.uuid4().hex}"): {
            "valor": "0.01",
            "descricao": "não serviu",
        },
        ("PUT", f"/v2/webhook/{side.key}"): side.webhook,
    }
    (method, path), body = data.draw(st.sampled_from(list(bodies.items())))
    exchange = side.client.call(method, path, spoilt(data, body))
    event(call_of(exchange))
    judged(exchange, efis)


@settings(max_examples=200)
@given(data=st.data(), path=st.sampled_from(list(FILTERS)))
def test_what_lists_are_asked_for_is_allowed_and_what_they_answer_is_documented(
    data: st.DataObject, path: str, side: Side, efis: Judge
) -> None:
    more = {**FILTERS[path], **EVERYWHERE}
    names = data.draw(st.lists(st.sampled_from(list(more)), max_size=2))
    query = {**SPAN, **{name: data.draw(more[name]) for name in names}}
    exchange = side.client.call("GET", path, query=query)
    event(call_of(exchange))
    judged(exchange, efis)


@pytest.mark.parametrize(
    "path", ["/v2/cob/{}", "/v2/pix/{}", "/v2/pix/{}/devolucao/1", "/v2/loc/{}", "/v2/webhook/{}"]
)
@given(name=NOBODYS)
@example(name="a line\nbreak")
@example(name="\u0662")
def test_names_that_nobody_has_are_refused_in_one_of_efis_shapes(
    path: str, name: str, side: Side, efis: Judge
) -> None:
    exchange = side.client.call("GET", path.format(name))
    assert 400 <= exchange["status"] < 500
    assert exchange["content_type"] in ("application/json", "application/problem+json")


def judged(exchange: dict[str, Any], efis: Judge) -> None:
    """Nothing is taken that is wrong, nothing is answered that is not documented."""
    assert exchange["status"] < 500, exchange
    assert unexcused([exchange], efis.answer, differences.EFIS) == {}
    if exchange["status"] < 300:
        assert unexcused([exchange], efis.request, differences.EFIS) == {}, exchange
