"""Whatever the plugin sends and the simulator answers is as API Pix and Efi document it."""

from __future__ import annotations

from collections.abc import Iterable

from omniman_payment_simulators.pix import PixSimulator

from . import differences
from .client import Client
from .differences import Difference, unexcused
from .judge import Exchange, Judge, call_of


def test_every_request_of_the_plugin_is_as_efi_documents_it(
    efis: Judge, by_plugin: list[Exchange]
) -> None:
    assert unexcused(by_plugin, efis.request) == {}


def test_every_answer_to_the_plugin_is_as_efi_documents_it(
    efis: Judge, by_plugin: list[Exchange]
) -> None:
    assert unexcused(by_plugin, efis.answer, differences.EFIS) == {}


def test_every_answer_to_anybody_is_as_efi_documents_it(
    efis: Judge, by_hand: list[Exchange]
) -> None:
    assert unexcused(by_hand, efis.answer, differences.EFIS) == {}


def test_banco_centrals_document_allows_every_request_of_the_plugin(
    banco_centrals: Judge, by_plugin: list[Exchange]
) -> None:
    assert unexcused(by_plugin, banco_centrals.request, differences.BANCO_CENTRALS) == {}


def test_banco_centrals_document_allows_every_answer(
    banco_centrals: Judge, by_plugin: list[Exchange], by_hand: list[Exchange]
) -> None:
    exchanges = [*by_plugin, *by_hand]
    assert unexcused(exchanges, banco_centrals.answer, differences.BANCO_CENTRALS) == {}


def test_the_simulator_refuses_what_is_not_as_documented(
    efis: Judge, by_hand: list[Exchange]
) -> None:
    wrong = unexcused(by_hand, efis.request, differences.EFIS)
    assert sum(map(len, wrong.values())) >= 8
    assert [call for call in wrong if int(call.split()[-1]) < 400] == []


def test_every_difference_from_a_document_is_still_one(
    efis: Judge, banco_centrals: Judge, by_plugin: list[Exchange], by_hand: list[Exchange]
) -> None:
    def unneeded(judge: Judge, known: tuple[Difference, ...]) -> list[str]:
        faults = [
            (exchange, fault)
            for exchange in [*by_plugin, *by_hand]
            for fault in [*judge.request(exchange), *judge.answer(exchange)]
        ]
        return [d.why for d in known if not any(d.excuses(*each) for each in faults)]

    assert unneeded(efis, differences.EFIS) == []
    assert unneeded(banco_centrals, differences.BANCO_CENTRALS) == []


def test_the_control_api_shows_what_went_over_the_wire() -> None:
    """The plugin's exchanges are judged as the simulator tells of them."""
    with PixSimulator() as simulator:
        client = Client(simulator)
        client.call("GET", f"/v2/cob/{'a' * 32}", query={"revisao": "0"})
        client.call("PUT", f"/v2/cob/{'a' * 32}", {"valor": {"original": "ção"}})
        client.call("DELETE", f"/v2/webhook/{simulator.pix_key}")
        client.close()
        shown = simulator.control.requests()
    names = ("method", "path", "query", "body", "status", "response", "content_type")
    assert [[each[name] for name in names] for each in shown[1:]] == [
        [each[name] for name in names] for each in client.exchanges[1:]
    ]


def test_the_plugin_lived_through_everything_that_it_can_meet(by_plugin: list[Exchange]) -> None:
    """A life in which nothing happens would prove nothing."""
    assert calls(by_plugin) >= {
        "POST /oauth/token 200",
        "PUT /v2/cob/ID 201",
        "PUT /v2/cob/ID 400",
        "PUT /v2/cob/ID 409",
        "GET /v2/cob/ID 200",
        "GET /v2/cob/ID 400",
        "GET /v2/cob/ID 401",
        "GET /v2/cob/ID 429",
        "GET /v2/cob/ID 500",
        "GET /v2/cob/ID 503",
        "PATCH /v2/cob/ID 200",
        "PATCH /v2/cob/ID 400",
        "GET /v2/cob 200",
        "GET /v2/pix 200",
        "PUT /v2/pix/ID/devolucao/ID 201",
        "PUT /v2/pix/ID/devolucao/ID 409",
        "GET /v2/pix/ID/devolucao/ID 200",
        "PUT /v2/webhook/ID 201",
        "GET /v2/webhook/ID 200",
        "GET /v2/webhook/ID 404",
        "DELETE /v2/webhook/ID 204",
        "DELETE /v2/webhook/ID 404",
    }


def test_the_bare_client_lived_through_every_call(by_hand: list[Exchange]) -> None:
    assert calls(by_hand) >= {
        "POST /v2/cob 201",
        "POST /v2/cob 400",
        "GET /v2/cob 400",
        "GET /v2/loc 200",
        "GET /v2/loc/ID 200",
        "GET /v2/loc/ID 400",
        "GET /v2/loc/ID/qrcode 200",
        "GET /v2/pix/ID 200",
        "GET /v2/pix/ID 400",
        "PUT /v2/pix/ID/devolucao/ID 400",
        "GET /v2/pix/ID/devolucao/ID 400",
        "GET /v2/webhook 200",
        "PUT /v2/webhook/ID 400",
        "POST /v2/gn/webhook/reenviar 202",
        "POST /oauth/token 400",
        "POST /oauth/token 401",
        "DELETE /v2/cob/ID 405",
    }


def test_the_bare_client_was_told_every_word_and_every_status(by_hand: list[Exchange]) -> None:
    answers = [each["response"] or {} for each in by_hand]
    assert {answer.get("nome", "") for answer in answers} >= {
        "txid_duplicado",
        "cobranca_nao_encontrada",
        "location_nao_encontrada",
        "pix_nao_encontrado",
        "devolucao_id_duplicado",
        "webhook_nao_encontrado",
        "json_invalido",
        "valor_invalido",
        "chave_invalida",
        "status_cobranca_invalido",
        "webhook_invalido",
        "limite_de_requisicoes",
        "erro_aplicacao",
    }
    assert {answer.get("error") for answer in answers} >= {
        "invalid_client",
        "invalid_token",
        "unsupported_grant_type",
    }
    assert any(answer.get("violacoes") for answer in answers)
    assert {answer["status"] for answer in answers if "calendario" in answer} == {
        "ATIVA",
        "CONCLUIDA",
        "REMOVIDA_PELO_USUARIO_RECEBEDOR",
        "REMOVIDA_PELO_PSP",
    }
    assert {answer["status"] for answer in answers if "rtrId" in answer} == {
        "EM_PROCESSAMENTO",
        "DEVOLVIDO",
        "NAO_REALIZADO",
    }


def test_another_tenant_is_shown_nothing_of_ours(by_hand: list[Exchange]) -> None:
    token = next(i for i, each in enumerate(by_hand) if "devolucao/theirs" in each["path"])
    *_, charge, payment = by_hand[:token]
    _, made, webhook, listed = by_hand[token : token + 4]
    refused = [each["response"]["nome"] for each in (charge, payment, made, webhook)]
    assert refused == [
        "cobranca_nao_encontrada",
        "pix_nao_encontrado",
        "chave_invalida",
        "chave_invalida",
    ]
    assert listed["response"]["cobs"] == []


def calls(exchanges: Iterable[Exchange]) -> set[str]:
    """Which calls were made, and how they ended."""
    return set(map(call_of, exchanges))
