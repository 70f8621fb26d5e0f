"""Efi's errors: four shapes of them, each sorted by what to do next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniman_payment_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    PaymentError,
    RateLimitedError,
    TransactionNotFoundError,
)
from omniman_payment_efi.errors import RefusedError, TakenError, problem_of, sorted_problem

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RFC = "https://pix.bcb.gov.br/api/v2/error/CobOperacaoInvalida"

_NAMES = (
    *("nome", "mensagem", "erros", "error", "error_description"),
    *("type", "title", "detail", "violacoes", "razao", "propriedade", "caminho", "chave"),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(_NAMES),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("body", "name", "said"),
    [
        (
            {"nome": "chave_invalida", "mensagem": "A chave não é desta conta"},
            "chave_invalida",
            "Efi answered 400: A chave não é desta conta",
        ),
        (
            {
                "nome": "json_invalido",
                "mensagem": "JSON inválido",
                "erros": [
                    {"chave": "valor", "caminho": "body.valor", "mensagem": "é obrigatório"},
                    {"chave": "chave", "mensagem": "é obrigatória"},
                ],
            },
            "json_invalido",
            "Efi answered 400: JSON inválido; body.valor: é obrigatório; chave: é obrigatória",
        ),
        (
            {
                "type": RFC,
                "title": "Cobrança inválida.",
                "status": 400,
                "detail": "A requisição não respeita o schema.",
                "violacoes": [
                    {
                        "razao": "tem um valor inválido",
                        "propriedade": "cob.valor.original",
                        "valor": "planted-value",
                    }
                ],
            },
            "CobOperacaoInvalida",
            "Efi answered 400: A requisição não respeita o schema.; "
            "cob.valor.original: tem um valor inválido",
        ),
        (
            {"error": "invalid_client", "error_description": "Invalid or inactive credentials"},
            "invalid_client",
            "Efi answered 400: Invalid or inactive credentials",
        ),
        ({"type": RFC + "/", "title": "Só o título"}, "CobOperacaoInvalida", ": Só o título"),
        (None, "", "Efi answered 400"),
        ([], "", "Efi answered 400"),
        ("<html>", "", "Efi answered 400"),
    ],
)
def test_every_shape_is_read_and_no_value_that_was_sent_is_told(
    body: Any, name: str, said: str
) -> None:
    problem = problem_of(400, body)
    assert problem.name == name
    assert problem.said.endswith(said)
    assert "planted" not in problem.said


def test_a_text_of_any_length_is_cut() -> None:
    assert len(problem_of(400, {"mensagem": "x" * 10_000}).said) < 400


def sort(status: int, name: str = "", *, changes: bool = True, retry_after: str = "") -> Exception:
    body = {"nome": name, "mensagem": "texto"}
    return sorted_problem(problem_of(status, body, retry_after), changes=changes, now=NOW)


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (409, "txid_duplicado", TakenError),
        (400, "txid_duplicado", TakenError),
        (409, "devolucao_id_duplicado", TakenError),
        (409, "", TakenError),
        (400, "cobranca_nao_encontrada", TransactionNotFoundError),
        (400, "pix_nao_encontrado", TransactionNotFoundError),
        (400, "devolucao_nao_encontrada", TransactionNotFoundError),
        (400, "webhook_nao_encontrado", TransactionNotFoundError),
        (404, "", TransactionNotFoundError),
        (403, "", ConfigurationError),
        (400, "chave_invalida", ConfigurationError),
        (400, "documento_bloqueado", RefusedError),
        (400, "valor_invalido", RefusedError),
        (400, "status_cobranca_invalido", RefusedError),
        # With this status it comes as well, and it is about the payment, not about a name.
        (409, "status_cobranca_invalido", RefusedError),
        (422, "", RefusedError),
        (400, "json_invalido", InvalidRequestError),
        (405, "", InvalidRequestError),
        (500, "erro_aplicacao", OutcomeUnknownError),
        (502, "", OutcomeUnknownError),
        (503, "", OutcomeUnknownError),
        (504, "", OutcomeUnknownError),
        (302, "", OutcomeUnknownError),
        (200, "", OutcomeUnknownError),
        (429, "", RateLimitedError),
    ],
)
def test_a_change_is_sorted(status: int, name: str, kind: type[Exception]) -> None:
    assert type(sort(status, name)) is kind


@pytest.mark.parametrize("status", [200, 302, 500, 502, 503, 504])
def test_what_only_reads_has_no_outcome_to_be_unknown(status: int) -> None:
    assert type(sort(status, changes=False)) is NotAttemptedError


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize("name", ["", "txid_duplicado", "valor_invalido", "documento_bloqueado"])
def test_what_only_reads_is_never_refused_as_a_payment_is(status: int, name: str) -> None:
    assert type(sort(status, name, changes=False)) is InvalidRequestError


def test_the_sentence_for_a_key_of_another_account_names_the_option() -> None:
    assert 'option "pix_key"' in str(sort(400, "chave_invalida"))
    assert "scopes" in str(sort(403))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5),
        (" 120 ", 120),
        ("0", 0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 1),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u0665", None),
        ("9" * 50, 999_999_999),
        ("Mon, 23 Nov 2026 12:00:30", None),
        ("Mon, 23 Nov 99999999999999999999 12:00:30 GMT", None),
        ("Mon, 23 Nov 2026 12:00:30 +9999999999999999", None),
    ],
)
def test_when_to_come_again_is_read_in_both_forms(text: str, seconds: int | None) -> None:
    error = sort(429, retry_after=text)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == seconds


@given(st.integers(200, 599), json_values, st.booleans(), st.text(max_size=40))
def test_whatever_is_answered_it_is_sorted(
    status: int, body: Any, changes: bool, retry_after: str
) -> None:
    problem = problem_of(status, body, retry_after)
    error = sorted_problem(problem, changes=changes, now=NOW)
    assert isinstance(error, PaymentError | RefusedError | TakenError)
    if not changes:
        assert isinstance(error, PaymentError)
    assert len(str(error)) < 600
