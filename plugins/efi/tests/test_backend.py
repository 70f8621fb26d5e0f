"""The payment protocol at Efi: one charge for a key, one refund for a key, no guess with money."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from efi_testing.account import account
from efi_testing.clock import Clock
from efi_testing.objects import (
    E2EID,
    OTHER_KEY,
    PIX_KEY,
    SECOND_E2EID,
    TXID,
    br_code,
    cob,
    devolucao,
    listing,
    paid,
    pix,
)
from efi_testing.scripted_server import Answer, Request, ScriptedServer, scripted_server
from omniman_payment_core.contracts import abilities_of
from omniman_payment_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    PaymentError,
    TransactionNotFoundError,
)
from omniman_payment_core.values import DeclineCode, PaymentStatus
from omniman_payment_efi import EfiBackend
from omniman_payment_efi.identifiers import refund_id_of, txid_of

S = PaymentStatus
KEY = "omp_pay-1_charge"
TAKEN = Answer(409, {"nome": "txid_duplicado", "mensagem": "já utilizado"})
USED = Answer(409, {"nome": "devolucao_id_duplicado", "mensagem": "já utilizado"})


@pytest.fixture
def backend(server: ScriptedServer, tmp_path: Path) -> Iterator[EfiBackend]:
    # The certificate was made by the machine's clock; the charges' own is checked in other tests.
    backend = account(server, tmp_path)
    yield backend
    backend.close()


def fresh(amount: str = "10.00", **changes: Any) -> dict[str, Any]:
    """A charge made just now, by the machine's clock."""
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    calendar = {"criacao": made, "expiracao": 3600}
    return cob(amount, **{"txid": txid_of(KEY), "calendario": calendar, **changes})


def sent(server: ScriptedServer) -> list[str]:
    return [f"{request.method} {request.path}" for request in server.requests]


# -- opening -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["charge", "authorize"])
def test_a_charge_is_put_under_its_own_name_with_what_is_documented(
    server: ScriptedServer, backend: EfiBackend, method: str
) -> None:
    server.answers = [Answer(201, fresh("19.90"))]
    result = getattr(backend, method)(
        1990, "BRL", "O1", {"type": "pix"}, {"secret": "stays here"}, idempotency_key=KEY
    )
    (request,) = server.requests
    assert (request.method, request.path) == ("PUT", f"/v2/cob/{txid_of(KEY)}")
    assert request.body == {
        "calendario": {"expiracao": 3600},
        "valor": {"original": "19.90"},
        "chave": PIX_KEY,
        "solicitacaoPagador": "Pedido O1",
        "infoAdicionais": [{"nome": "order_ref", "valor": "O1"}],
    }
    assert (result.success, result.status, result.transaction_id) == (True, S.PENDING, txid_of(KEY))
    assert result.amount_q == 1990
    assert result.next_action is not None
    assert result.next_action.kind == "show_qr"
    assert result.next_action.data["copy_paste"] == br_code("19.90")
    picture = result.next_action.data["qr_image"]
    assert base64.b64decode(picture.partition(",")[2]).startswith(b"\x89PNG")


def test_the_address_chosen_beforehand_is_the_charges(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [Answer(201, fresh(txid=TXID))]
    result = backend.charge(1000, "BRL", "O1", {}, transaction_id=TXID, idempotency_key="other")
    assert result.transaction_id == TXID
    assert sent(server) == [f"PUT /v2/cob/{TXID}"]


def test_without_a_key_every_charge_is_a_new_one(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = lambda request: Answer(201, fresh(txid=request.path.rpartition("/")[2]))
    numbers = {backend.charge(1000, "BRL", "O1", {}).transaction_id for _ in range(3)}
    assert len(numbers) == 3


def test_who_repeats_a_charge_meets_the_first(server: ScriptedServer, backend: EfiBackend) -> None:
    server.answers = [TAKEN, Answer(200, fresh())]
    result = backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY)
    assert (result.success, result.status) == (True, S.PENDING)
    assert sent(server) == [f"PUT /v2/cob/{txid_of(KEY)}", f"GET /v2/cob/{txid_of(KEY)}"]


def test_a_charge_that_was_paid_between_two_tries_says_so(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [TAKEN, Answer(200, paid(txid=txid_of(KEY)))]
    result = backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY)
    assert (result.status, result.captured_q) == (S.CAPTURED, 1000)


def test_another_amount_under_the_same_key_is_refused(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [TAKEN, Answer(200, fresh("9.99"))]
    with pytest.raises(InvalidRequestError, match="another amount"):
        backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY)


@pytest.mark.parametrize(
    "answer", [Answer(500, {}), Answer(cut=True), Answer(429, {}), Answer(200, b"<html>")]
)
def test_a_charge_that_exists_and_cannot_be_seen_is_unknown_and_not_unattempted(
    server: ScriptedServer, backend: EfiBackend, answer: Answer
) -> None:
    server.answers = [TAKEN, answer]
    with pytest.raises(OutcomeUnknownError, match="the charge exists"):
        backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"txid": TXID}, OutcomeUnknownError),
        ({"chave": OTHER_KEY}, InvalidRequestError),
        ({"chave": None}, InvalidRequestError),
        ({"valor": None}, PaymentError),
        ({"valor": "10.00"}, PaymentError),
        ({"valor": [1]}, PaymentError),
        ({"calendario": None}, OutcomeUnknownError),
        ({"pixCopiaECola": br_code("10.01")}, OutcomeUnknownError),
        ({"pixCopiaECola": br_code("10.00")[:-4] + "0000"}, OutcomeUnknownError),
    ],
)
def test_a_charge_that_would_not_pay_us_is_never_shown(
    server: ScriptedServer, backend: EfiBackend, changes: dict[str, Any], kind: type[Exception]
) -> None:
    server.answers = [Answer(201, fresh(**changes))]
    with pytest.raises(kind):
        backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY)


@pytest.mark.parametrize(
    ("amount_q", "currency", "code"),
    [
        (1000, "USD", DeclineCode.CURRENCY_UNSUPPORTED),
        (0, "BRL", DeclineCode.AMOUNT_INVALID),
        (-1, "BRL", DeclineCode.AMOUNT_INVALID),
        (10**12, "BRL", DeclineCode.AMOUNT_INVALID),
    ],
)
def test_what_pix_cannot_do_is_refused_without_a_call(
    server: ScriptedServer, backend: EfiBackend, amount_q: int, currency: str, code: DeclineCode
) -> None:
    result = backend.charge(amount_q, currency, "O1", {}, idempotency_key=KEY)
    assert (result.success, result.error_code, result.status) == (False, code, S.FAILED)
    assert server.connections == 0


def test_a_payment_method_that_cannot_be_understood_makes_no_call(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    with pytest.raises(InvalidRequestError, match="does not know"):
        backend.charge(1000, "BRL", "O1", {"card": "x"})
    assert server.connections == 0


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [
        (400, "documento_bloqueado", DeclineCode.DECLINED),
        (400, "valor_invalido", DeclineCode.AMOUNT_INVALID),
        (422, "regra_nova", DeclineCode.DECLINED),
    ],
)
def test_a_refusal_of_the_gateway_is_a_result(
    server: ScriptedServer, backend: EfiBackend, status: int, name: str, code: DeclineCode
) -> None:
    server.answers = [Answer(status, {"nome": name, "mensagem": "O documento está bloqueado"})]
    result = backend.charge(1000, "brl", "O1", {}, idempotency_key=KEY)
    assert (result.success, result.error_code) == (False, code)
    assert result.error_message is not None
    assert "O documento está bloqueado" in result.error_message
    assert result.metadata == {"efi_code": name}


# -- taking and withdrawing ----------------------------------------------------------------


def test_a_capture_says_whether_the_payer_has_paid(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [Answer(200, fresh(txid=TXID)), Answer(200, paid())]
    waiting = backend.capture(TXID, 1000)
    assert (waiting.success, waiting.error_code) == (False, DeclineCode.NOT_CAPTURED)
    assert waiting.captured_q == 0
    taken = backend.capture(TXID, 1000)
    assert (taken.success, taken.status, taken.captured_q) == (True, S.CAPTURED, 1000)
    assert {request.method for request in server.requests} == {"GET"}


def test_a_charge_is_withdrawn(server: ScriptedServer, backend: EfiBackend) -> None:
    server.answers = [Answer(200, cob(status="REMOVIDA_PELO_USUARIO_RECEBEDOR"))]
    result = backend.cancel(TXID)
    assert (result.success, result.status) == (True, S.CANCELLED)
    (request,) = server.requests
    assert (request.method, request.path) == ("PATCH", f"/v2/cob/{TXID}")
    assert request.body == {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"}


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize(
    ("seen", "success", "code", "word"),
    [
        (paid(), False, DeclineCode.ALREADY_CAPTURED, S.CAPTURED),
        (cob(status="REMOVIDA_PELO_USUARIO_RECEBEDOR"), True, None, S.CANCELLED),
        (cob(status="REMOVIDA_PELO_PSP"), True, None, S.FAILED),
        (
            cob(calendario={"criacao": "2020-01-01T00:00:00Z", "expiracao": 60}),
            True,
            None,
            S.EXPIRED,
        ),
        (fresh(txid=TXID), False, DeclineCode.DECLINED, S.PENDING),
    ],
)
def test_a_charge_that_is_not_open_any_more_tells_why(
    server: ScriptedServer,
    backend: EfiBackend,
    status: int,
    seen: dict[str, Any],
    success: bool,
    code: DeclineCode | None,
    word: PaymentStatus,
) -> None:
    refusal = {"nome": "status_cobranca_invalido", "mensagem": "não está mais ATIVA"}
    server.answers = [Answer(status, refusal), Answer(200, seen)]
    result = backend.cancel(TXID)
    assert (result.success, result.error_code, result.status) == (success, code, word)


def test_a_withdrawal_whose_answer_is_lost_is_unknown(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [Answer(cut=True)]
    with pytest.raises(OutcomeUnknownError):
        backend.cancel(TXID)


# -- refunds -------------------------------------------------------------------------------


REFUND_KEY = "omp_pay-1_refund_1"
NUMBER = refund_id_of(REFUND_KEY)


def put(request: Request) -> str:
    return f"/v2/pix/{request.path.split('/')[3]}"


def test_a_refund_is_put_under_the_payment_with_its_own_name(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [Answer(200, paid()), Answer(201, devolucao("3.00", id=NUMBER))]
    result = backend.refund(TXID, 300, "Faltou um item", idempotency_key=REFUND_KEY)
    request = server.requests[-1]
    assert (request.method, request.path) == ("PUT", f"/v2/pix/{E2EID}/devolucao/{NUMBER}")
    assert request.body == {"valor": "3.00", "descricao": "Faltou um item"}
    assert (result.success, result.status, result.reference) == (True, S.REFUNDED, NUMBER)
    assert result.refunds is not None
    assert [(r.reference, r.amount_q) for r in result.refunds] == [(NUMBER, 300)]
    assert result.metadata == {"rtr_id": "D09089356202611231600abcdef01234"}


@pytest.mark.parametrize(
    ("word", "success", "status"),
    [
        ("EM_PROCESSAMENTO", True, S.PENDING),
        ("DEVOLVIDO", True, S.REFUNDED),
        ("NAO_REALIZADO", False, S.FAILED),
    ],
)
def test_a_refund_says_how_far_it_is(
    server: ScriptedServer, backend: EfiBackend, word: str, success: bool, status: PaymentStatus
) -> None:
    answer = devolucao("3.00", id=NUMBER, status=word, motivo="Saldo insuficiente")
    server.answers = [Answer(200, paid()), Answer(201, answer)]
    result = backend.refund(TXID, 300, idempotency_key=REFUND_KEY)
    assert (result.success, result.status) == (success, status)
    assert result.error_code == (None if success else DeclineCode.REFUND_REFUSED)
    assert result.error_message == (None if success else "Saldo insuficiente")


def test_without_an_amount_all_that_is_left_goes_back(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    charge = paid("10.00", pix(devolucoes=[devolucao("3.00")]))
    server.answers = [Answer(200, charge), Answer(201, devolucao("7.00", id=NUMBER))]
    backend.refund(TXID, idempotency_key=REFUND_KEY)
    assert server.requests[-1].body == {"valor": "7.00"}


@pytest.mark.parametrize("amount_q", [300, None])
def test_who_repeats_a_refund_meets_the_first_although_nothing_is_left(
    server: ScriptedServer, backend: EfiBackend, amount_q: int | None
) -> None:
    refund = devolucao("3.00", id=NUMBER)
    charge = paid("3.00", pix("3.00", devolucoes=[refund]))
    server.answers = lambda request: {
        "PUT": USED,
        "GET": Answer(200, refund if "devolucao" in request.path else charge),
    }[request.method]
    result = backend.refund(TXID, amount_q, idempotency_key=REFUND_KEY)
    assert (result.success, result.status, result.reference) == (True, S.REFUNDED, NUMBER)
    assert result.refunds is not None
    assert result.refunds[0].amount_q == 300


def test_a_repeated_refund_goes_to_the_payment_that_it_was_taken_from(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    first = pix("10.00", devolucoes=[devolucao("4.00", id=NUMBER, status="EM_PROCESSAMENTO")])
    charge = paid("10.00", first, pix("10.00", endToEndId=SECOND_E2EID))
    refund = devolucao("4.00", id=NUMBER)
    server.answers = [Answer(200, charge), USED, Answer(200, refund)]
    backend.refund(TXID, 400, idempotency_key=REFUND_KEY)
    assert {put(request) for request in server.requests[1:]} == {f"/v2/pix/{E2EID}"}


def test_another_amount_under_the_key_of_a_refund_is_refused(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    refund = devolucao("3.00", id=NUMBER)
    charge = paid("10.00", pix(devolucoes=[refund]))
    server.answers = [Answer(200, charge), USED, Answer(200, refund)]
    with pytest.raises(InvalidRequestError, match="another amount"):
        backend.refund(TXID, 400, idempotency_key=REFUND_KEY)


@pytest.mark.parametrize(
    ("payments", "amount_q", "chosen"),
    [
        # One of exactly that much, whichever place it has.
        (["5.00", "10.00"], 500, E2EID),
        (["10.00", "5.00"], 500, SECOND_E2EID),
        # Else the newest that has enough.
        (["10.00", "10.00"], 300, SECOND_E2EID),
        (["10.00", "2.00"], 300, E2EID),
    ],
)
def test_a_refund_is_taken_from_one_payment(
    server: ScriptedServer,
    backend: EfiBackend,
    payments: list[str],
    amount_q: int,
    chosen: str,
) -> None:
    numbers = (E2EID, SECOND_E2EID)
    listed = [pix(amount, endToEndId=n) for amount, n in zip(payments, numbers, strict=True)]
    answer = devolucao(f"{amount_q // 100}.00", id=NUMBER)
    server.answers = [Answer(200, paid("10.00", *listed)), Answer(201, answer)]
    assert backend.refund(TXID, amount_q, idempotency_key=REFUND_KEY).success
    assert put(server.requests[-1]) == f"/v2/pix/{chosen}"


@pytest.mark.parametrize(
    ("charge", "amount_q", "code"),
    [
        (fresh(txid=TXID), 300, DeclineCode.NOT_CAPTURED),
        (paid(), 1001, DeclineCode.REFUND_EXCEEDS_CAPTURE),
        (paid(), 0, DeclineCode.REFUND_EXCEEDS_CAPTURE),
        (paid(), -300, DeclineCode.REFUND_EXCEEDS_CAPTURE),
        (
            paid("10.00", pix(devolucoes=[devolucao("8.00")])),
            300,
            DeclineCode.REFUND_EXCEEDS_CAPTURE,
        ),
        (
            paid("10.00", pix(devolucoes=[devolucao("10.00")])),
            None,
            DeclineCode.REFUND_EXCEEDS_CAPTURE,
        ),
        (
            paid("10.00", pix("10.00"), pix("10.00", endToEndId=SECOND_E2EID)),
            1500,
            DeclineCode.REFUND_REFUSED,
        ),
        (paid("10.00", pix(chave=OTHER_KEY)), 300, DeclineCode.NOT_CAPTURED),
    ],
)
def test_what_cannot_go_back_is_refused_without_a_change(
    server: ScriptedServer,
    backend: EfiBackend,
    charge: dict[str, Any],
    amount_q: int | None,
    code: DeclineCode,
) -> None:
    server.answers = [Answer(200, charge)]
    result = backend.refund(TXID, amount_q, idempotency_key=REFUND_KEY)
    assert (result.success, result.error_code) == (False, code)
    assert {request.method for request in server.requests} == {"GET"}


def test_two_payments_are_named_when_neither_has_enough(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [
        Answer(200, paid("10.00", pix("10.00"), pix("4.00", endToEndId=SECOND_E2EID)))
    ]
    result = backend.refund(TXID, 1200, idempotency_key=REFUND_KEY)
    assert result.error_message is not None
    assert "10" in result.error_message
    assert "refund them one by one" in result.error_message


def test_a_refund_that_efi_refuses_is_a_result(server: ScriptedServer, backend: EfiBackend) -> None:
    refusal = {"nome": "valor_invalido", "mensagem": "Saldo insuficiente"}
    server.answers = [Answer(200, paid()), Answer(422, refusal)]
    result = backend.refund(TXID, 300, idempotency_key=REFUND_KEY)
    assert (result.success, result.error_code) == (False, DeclineCode.REFUND_REFUSED)


@pytest.mark.parametrize("changes", [{"id": "r2"}, {"valor": 3}, {"id": None}])
def test_a_refund_that_is_answered_otherwise_is_unknown(
    server: ScriptedServer, backend: EfiBackend, changes: dict[str, Any]
) -> None:
    answer = {**devolucao("3.00", id=NUMBER), **changes}
    server.answers = [Answer(200, paid()), Answer(201, answer)]
    with pytest.raises(OutcomeUnknownError):
        backend.refund(TXID, 300, idempotency_key=REFUND_KEY)


# -- reading -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [Answer(404, {}), Answer(400, {"nome": "cobranca_nao_encontrada"})]
)
def test_a_charge_that_efi_does_not_know_is_not_found(
    server: ScriptedServer, backend: EfiBackend, answer: Answer
) -> None:
    server.answers = [answer]
    for call in (backend.get_status, backend.cancel, backend.capture, backend.refund):
        with pytest.raises(TransactionNotFoundError):
            call(TXID)


@pytest.mark.parametrize("number", ["", "../../v2/gn/saldo", "pi_1", TXID + "\n", TXID[:25]])
def test_an_id_of_another_form_makes_no_call(
    server: ScriptedServer, backend: EfiBackend, number: str
) -> None:
    for call in (backend.get_status, backend.cancel, backend.capture, backend.refund):
        with pytest.raises(TransactionNotFoundError):
            call(number)
    assert server.connections == 0


def test_a_charge_called_paid_without_its_payment_has_it_asked_for(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [Answer(200, cob(status="CONCLUIDA")), Answer(200, listing("pix", pix()))]
    assert backend.get_status(TXID).captured_q == 1000
    request = server.requests[-1]
    assert (request.path, request.query["txid"]) == ("/v2/pix", TXID)
    assert request.query["inicio"] == "2026-11-23T12:00:00Z"


def test_a_creation_time_without_a_zone_is_utc(server: ScriptedServer, backend: EfiBackend) -> None:
    calendar = {"criacao": "2026-11-23T12:00:00", "expiracao": 60}
    charge = cob(status="CONCLUIDA", calendario=calendar)
    server.answers = [Answer(200, charge), Answer(200, listing("pix", pix()))]
    assert backend.get_status(TXID).captured_q == 1000


def test_the_clock_that_was_given_decides_when_a_charge_is_over(
    server: ScriptedServer, tmp_path: Path
) -> None:
    clock = Clock()
    backend = account(server, tmp_path, now=clock)
    server.answers = [Answer(200, fresh(txid=TXID))]
    assert backend.get_status(TXID).status is S.PENDING
    clock.advance(timedelta(hours=2))
    assert backend.get_status(TXID).status is S.EXPIRED
    backend.close()


# -- lists ---------------------------------------------------------------------------------


def pages_of(listed: dict[str, list[list[Any]]]) -> Callable[[Request], Answer]:
    """A gateway that lists; single charges are open."""

    def answer(request: Request) -> Answer:
        name = {"/v2/cob": "cobs", "/v2/pix": "pix"}.get(request.path)
        if name is None:
            return Answer(200, paid(txid=request.path.rpartition("/")[2]))
        pages = listed.get(name, [[]])
        page = int(request.query["paginacao.paginaAtual"])
        return Answer(200, listing(name, *pages[page], page=page, pages=len(pages)))

    return answer


def number(place: int) -> str:
    return f"{place:032d}"


def test_a_list_that_never_ends_is_not_followed(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [Answer(200, listing("cobs", pages=10**9))]
    with pytest.raises(OutcomeUnknownError, match="not followed"):
        backend.list_transactions(datetime.now(UTC) - timedelta(hours=1))


def test_a_list_of_several_pages_is_whole(server: ScriptedServer, backend: EfiBackend) -> None:
    charges = [cob(txid=number(place)) for place in range(7)]
    server.answers = pages_of({"cobs": [charges[:3], charges[3:6], charges[6:]]})
    since = datetime.now(UTC) - timedelta(hours=1)
    listed = backend.list_transactions(since)
    assert [result.transaction_id for result in listed] == [number(place) for place in range(7)]
    queries = [request.query for request in server.requests if request.path == "/v2/cob"]
    assert [query["paginacao.paginaAtual"] for query in queries] == ["0", "1", "2"]
    assert {query["inicio"] for query in queries} == {since.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert len({query["fim"] for query in queries}) == 1


def test_an_older_charge_that_was_paid_since_is_in_the_list(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    received = [pix(txid=number(1)), pix(txid=number(2), endToEndId=SECOND_E2EID), pix(txid=None)]
    server.answers = pages_of({"cobs": [[paid(txid=number(1))]], "pix": [received]})
    listed = backend.list_transactions(datetime.now(UTC) - timedelta(hours=1))
    assert [result.transaction_id for result in listed] == [number(1), number(2)]
    assert [result.captured_q for result in listed] == [1000, 1000]


def test_what_is_not_ours_does_not_keep_the_list_from_being_made(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    foreign = {"chave": OTHER_KEY}
    inner = pages_of(
        {
            "cobs": [[cob(txid=number(1)), cob(txid=number(2), **foreign)]],
            "pix": [
                [
                    pix(txid=number(3), **foreign),
                    pix(txid=number(4), endToEndId=SECOND_E2EID),
                    pix(txid="short", endToEndId="E1"),
                ]
            ],
        }
    )
    lost = Answer(400, {"nome": "cobranca_nao_encontrada", "mensagem": "é de cobv"})
    server.answers = lambda request: lost if number(4) in request.path else inner(request)
    listed = backend.list_transactions(datetime.now(UTC) - timedelta(hours=1))
    assert [result.transaction_id for result in listed] == [number(1)]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"cobs": []},
        {**listing("cobs"), "cobs": {}},
        listing("cobs", 5),
        listing("cobs", None),
        listing("cobs", "x"),
        {**listing("cobs"), "parametros": {"paginacao": {"quantidadeDePaginas": None}}},
    ],
)
def test_a_list_that_cannot_be_read_is_an_error_of_ours(
    server: ScriptedServer, backend: EfiBackend, answer: Any
) -> None:
    server.answers = [Answer(200, answer)]
    with pytest.raises(PaymentError):
        backend.list_transactions(datetime.now(UTC) - timedelta(hours=1))


def test_of_a_time_to_come_nothing_is_asked(server: ScriptedServer, backend: EfiBackend) -> None:
    assert list(backend.list_transactions(datetime.now(UTC) + timedelta(days=1))) == []
    assert list(backend.poll_events(datetime.now(UTC) + timedelta(days=1))) == []
    assert server.connections == 0


def test_polled_events_are_those_of_the_notifications(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    refunded = pix(devolucoes=[devolucao()])
    second = pix(txid=number(2), endToEndId=SECOND_E2EID)
    server.answers = pages_of({"pix": [[refunded], [second]]})
    events = backend.poll_events(datetime.now(UTC) - timedelta(minutes=5))
    assert [(event.event_id, event.transaction_id) for event in events] == [
        (f"pix:{E2EID}", TXID),
        (f"pix:{E2EID}:r1:devolvido", TXID),
        (f"pix:{SECOND_E2EID}", number(2)),
    ]


def test_an_entry_that_cannot_be_read_is_no_rejected_notification(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = pages_of({"pix": [[{"valor": "1.00"}]]})
    with pytest.raises((OutcomeUnknownError, NotAttemptedError)):
        backend.poll_events(datetime.now(UTC) - timedelta(minutes=5))


# -- borders -------------------------------------------------------------------------------


CALLS: dict[str, Callable[[EfiBackend], Any]] = {
    "charge": lambda backend: backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY),
    "authorize": lambda backend: backend.authorize(1000, "BRL", "O1", {}, idempotency_key=KEY),
    "capture": lambda backend: backend.capture(TXID, 1000),
    "refund": lambda backend: backend.refund(TXID, 300, idempotency_key=REFUND_KEY),
    "cancel": lambda backend: backend.cancel(TXID),
    "get_status": lambda backend: backend.get_status(TXID),
    "list": lambda backend: backend.list_transactions(datetime.now(UTC) - timedelta(hours=1)),
    "poll": lambda backend: backend.poll_events(datetime.now(UTC) - timedelta(hours=1)),
}


BODIES: list[Any] = [
    {},
    {"nome": "valor_invalido"},
    {"nome": "txid_duplicado"},
    {"pix": 1},
    b"<html>",
]


@pytest.mark.parametrize("name", CALLS)
def test_whatever_comes_only_results_and_errors_of_the_payment_layer_leave(
    server: ScriptedServer, backend: EfiBackend, name: str
) -> None:
    for status in (200, 201, 204, 302, 400, 401, 403, 404, 405, 409, 422, 429, 500):
        for body in BODIES:
            server.answers = [Answer(status, body)]
            with suppress(PaymentError):
                CALLS[name](backend)


def test_two_accounts_work_side_by_side(server: ScriptedServer, tmp_path: Path) -> None:
    with scripted_server() as elsewhere:
        one = account(server, tmp_path)
        other = account(elsewhere, tmp_path, client_id="Client_Id_2", pix_key=OTHER_KEY)
        assert one.account_fingerprint != other.account_fingerprint
        server.answers = [Answer(200, paid())]
        elsewhere.answers = [
            Answer(200, paid("5.00", pix("5.00", chave=OTHER_KEY), chave=OTHER_KEY))
        ]
        for _ in range(2):
            assert one.get_status(TXID).captured_q == 1000
            assert other.get_status(TXID).captured_q == 500
        one.close()
        other.close()


def test_a_charge_of_another_key_is_not_ours(server: ScriptedServer, tmp_path: Path) -> None:
    backend = account(server, tmp_path, pix_key=OTHER_KEY)
    server.answers = [Answer(200, paid())]
    with pytest.raises(InvalidRequestError, match="former_pix_keys"):
        backend.get_status(TXID)
    backend.close()


def test_a_charge_of_a_former_key_is_ours(server: ScriptedServer, tmp_path: Path) -> None:
    backend = account(server, tmp_path, pix_key=OTHER_KEY, former_pix_keys=[PIX_KEY])
    server.answers = [Answer(200, paid())]
    assert backend.get_status(TXID).captured_q == 1000
    backend.close()


def test_closing_twice_is_harmless_and_a_later_call_works(
    server: ScriptedServer, backend: EfiBackend
) -> None:
    server.answers = [Answer(200, paid())]
    backend.close()
    backend.get_status(TXID)
    backend.close()
    backend.close()
    assert backend.get_status(TXID).success


def test_making_a_backend_opens_nothing(server: ScriptedServer, tmp_path: Path) -> None:
    backend = account(server, tmp_path, certificate="/nowhere.pem")
    assert (backend.livemode, server.connections) == (False, 0)
    with pytest.raises(ConfigurationError):
        backend.get_status(TXID)


def test_its_abilities_are_those_that_its_pages_speak_of() -> None:
    abilities = abilities_of(EfiBackend)
    assert {"cancel", "list_transactions", "poll_events", "parse_webhook"} <= abilities.methods
    assert {"register_webhook", "registered_webhook", "remove_webhook"} <= abilities.methods
    assert {"choose_transaction_id", "choose_refund_id", "close"} <= abilities.methods
    assert {"charge", "authorize", "refund"} <= abilities.keyed
    assert abilities.addressed == {"charge", "authorize"}
    assert not {"prepare", "find"} & abilities.methods
