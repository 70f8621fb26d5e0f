"""What Efi shows, as results: every status, payment and refund, and nothing by a word alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efi_testing.objects import (
    CREATED_AT,
    E2EID,
    OTHER_KEY,
    PIX_KEY,
    SECOND_E2EID,
    TXID,
    br_code,
    cob,
    devolucao,
    paid,
    pix,
)
from omniman_payment_core.values import PaymentResult, PaymentStatus, RefundStatus
from omniman_payment_efi.reading import (
    LATE,
    AnswerError,
    expiry_of,
    moment,
    needs_payments,
    payments_of,
    read_charge,
    read_refund,
)

S = PaymentStatus
KEYS = (PIX_KEY,)
ENDS_AT = CREATED_AT + timedelta(seconds=3600, milliseconds=358)
PROMISED = (AnswerError, LookupError, TypeError, ValueError, AttributeError)


def read(charge: Any, now: datetime = CREATED_AT, keys: tuple[str, ...] = KEYS) -> PaymentResult:
    return read_charge(charge, payments_of(charge.get("pix"), keys), now)


# -- open ----------------------------------------------------------------------------------


def test_an_open_charge_is_pending_and_says_what_the_shopper_sees() -> None:
    result = read(cob())
    assert (result.status, result.success) == (S.PENDING, True)
    assert (result.transaction_id, result.amount_q, result.currency) == (TXID, 1000, "BRL")
    assert (result.captured_q, result.refunded_q, result.refunds) == (0, 0, ())
    assert result.expires_at == ENDS_AT
    assert result.next_action is not None
    assert result.next_action.kind == "show_qr"
    data = dict(result.next_action.data)
    picture = data.pop("qr_image")
    assert picture.startswith("data:image/png;base64,")
    assert data == {
        "provider": "efi",
        "copy_paste": br_code("10.00"),
        "expires_at": "2026-11-23T13:00:00.358000+00:00",
    }
    assert result.metadata == {
        "efi_status": "ATIVA",
        "qr_code": br_code("10.00"),
        "copy_paste": br_code("10.00"),
        "qr_image": picture,
        "expires_at": "2026-11-23T13:00:00.358000+00:00",
    }


@pytest.mark.parametrize(
    ("later", "status"),
    [
        (timedelta(0), S.PENDING),
        (timedelta(seconds=3600, milliseconds=358), S.PENDING),
        (timedelta(seconds=3600, milliseconds=357) + LATE, S.PENDING),
        (timedelta(seconds=3600, milliseconds=358) + LATE, S.EXPIRED),
        (timedelta(days=30), S.EXPIRED),
    ],
)
def test_a_charge_that_the_gateway_goes_on_calling_open_is_expired_at_its_time(
    later: timedelta, status: PaymentStatus
) -> None:
    result = read(cob(), CREATED_AT + later)
    assert result.status is status
    assert (result.next_action is None) == (status is S.EXPIRED)
    assert result.success


def test_a_payment_counts_however_late_it_came() -> None:
    assert read(paid(), CREATED_AT + timedelta(days=30)).status is S.CAPTURED


@pytest.mark.parametrize(
    ("calendar", "seconds"),
    [
        ({"criacao": "2026-11-23T12:00:00Z", "expiracao": 3600}, 3600),
        ({"criacao": "2026-11-23T12:00:00Z", "expiracao": "3600"}, 3600),
        ({"criacao": "2026-11-23T12:00:00Z"}, 86_400),
        ({"criacao": "2026-11-23T09:00:00-03:00", "expiracao": 60}, 60),
        ({"criacao": "2026-11-23T12:00:00", "expiracao": 60}, 60),
    ],
)
def test_the_end_is_the_beginning_and_the_life(calendar: dict[str, Any], seconds: int) -> None:
    assert expiry_of({"calendario": calendar}) == CREATED_AT + timedelta(seconds=seconds)


def test_a_moment_is_aware_utc() -> None:
    assert moment("2026-11-23T09:00:00.000-03:00").tzinfo is UTC


@pytest.mark.parametrize(
    ("word", "status", "success"),
    [
        ("REMOVIDA_PELO_USUARIO_RECEBEDOR", S.CANCELLED, True),
        ("REMOVIDA_PELO_PSP", S.FAILED, False),
        ("CONCLUIDA", S.PENDING, True),
        ("A_WORD_OF_NEXT_YEAR", S.PENDING, True),
        (None, S.PENDING, True),
        (7, S.PENDING, True),
    ],
)
def test_without_a_payment_the_word_tells_only_of_the_end(
    word: Any, status: PaymentStatus, success: bool
) -> None:
    result = read(cob(status=word))
    assert (result.status, result.success, result.captured_q) == (status, success, 0)
    assert result.next_action is None
    assert (result.error_code is None) == success


def test_a_charge_called_paid_that_shows_no_payment_has_to_be_asked_about() -> None:
    assert needs_payments(cob(status="CONCLUIDA"))
    assert needs_payments(cob(status="CONCLUIDA", pix=[]))
    assert not needs_payments(paid())
    assert not needs_payments(cob())


@pytest.mark.parametrize("code", [br_code("9.99"), br_code("10.00")[:-1] + "x", "", "pix"])
def test_a_code_that_no_bank_would_take_is_an_error_and_never_shown(code: str) -> None:
    with pytest.raises(AnswerError, match="pixCopiaECola") as caught:
        read(cob(pixCopiaECola=code))
    assert len(code) < 5 or code not in str(caught.value)


def test_an_open_charge_without_a_code_has_nothing_to_show() -> None:
    charge = cob()
    del charge["pixCopiaECola"]
    assert read(charge).next_action is None


# -- paid ----------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["CONCLUIDA", "ATIVA", "REMOVIDA_PELO_USUARIO_RECEBEDOR"])
def test_a_payment_counts_whatever_the_charge_is_called(word: str) -> None:
    result = read(paid(status=word))
    assert (result.status, result.success, result.captured_q) == (S.CAPTURED, True, 1000)
    assert result.next_action is None
    assert result.metadata == {"efi_status": word, "end_to_end_ids": [E2EID]}


def test_less_than_asked_is_a_part() -> None:
    result = read(paid("10.00", pix("4.00")))
    assert (result.status, result.captured_q, result.amount_q) == (
        S.PARTIALLY_CAPTURED,
        400,
        1000,
    )


def test_paid_twice_counts_twice() -> None:
    result = read(paid("10.00", pix("10.00"), pix("10.00", endToEndId=SECOND_E2EID)))
    assert (result.status, result.captured_q) == (S.CAPTURED, 2000)
    assert result.metadata is not None
    assert result.metadata["end_to_end_ids"] == [E2EID, SECOND_E2EID]


def test_the_same_payment_listed_twice_counts_once() -> None:
    payment = pix("10.00", devolucoes=[devolucao("3.00")])
    result = read(paid("10.00", payment, payment))
    assert (result.captured_q, result.refunded_q) == (1000, 300)
    assert result.refunds is not None
    assert [refund.reference for refund in result.refunds] == ["r1"]


def test_a_payment_to_another_key_is_not_ours() -> None:
    charge = paid("10.00", pix("10.00", chave=OTHER_KEY))
    assert read(charge).captured_q == 0
    assert read(charge, keys=(PIX_KEY, OTHER_KEY)).captured_q == 1000


def test_a_payment_that_names_no_key_came_to_the_charges() -> None:
    payment = pix()
    del payment["chave"]
    assert read(paid("10.00", payment)).captured_q == 1000


# -- refunds -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "refund_status", "status", "refunded"),
    [
        ("DEVOLVIDO", RefundStatus.SUCCEEDED, S.PARTIALLY_REFUNDED, 300),
        ("EM_PROCESSAMENTO", RefundStatus.PENDING, S.PARTIALLY_REFUNDED, 300),
        ("NAO_REALIZADO", RefundStatus.FAILED, S.CAPTURED, 0),
        ("A_WORD_OF_NEXT_YEAR", RefundStatus.PENDING, S.PARTIALLY_REFUNDED, 300),
    ],
)
def test_a_refund_counts_unless_it_failed(
    word: str, refund_status: RefundStatus, status: PaymentStatus, refunded: int
) -> None:
    result = read(paid("10.00", pix(devolucoes=[devolucao("3.00", status=word)])))
    assert (result.status, result.captured_q, result.refunded_q) == (status, 1000, refunded)
    assert result.refunds is not None
    (refund,) = result.refunds
    assert (refund.reference, refund.amount_q, refund.status) == ("r1", 300, refund_status)


def test_all_of_it_back_is_refunded() -> None:
    parts = [devolucao("3.00", id="a"), devolucao("7.00", id="b", status="EM_PROCESSAMENTO")]
    result = read(paid("10.00", pix(devolucoes=parts)))
    assert (result.status, result.refunded_q) == (S.REFUNDED, 1000)


def test_one_of_two_payments_back_is_a_part() -> None:
    first = pix("10.00", devolucoes=[devolucao("10.00")])
    result = read(paid("10.00", first, pix("10.00", endToEndId=SECOND_E2EID)))
    assert (result.status, result.captured_q, result.refunded_q) == (
        S.PARTIALLY_REFUNDED,
        2000,
        1000,
    )


def test_refunds_of_one_id_under_two_payments_are_two() -> None:
    first = pix("10.00", devolucoes=[devolucao("2.00")])
    second = pix("10.00", endToEndId=SECOND_E2EID, devolucoes=[devolucao("3.00")])
    result = read(paid("10.00", first, second))
    assert result.refunds is not None
    assert [(r.reference, r.amount_q) for r in result.refunds] == [
        ("r1", 200),
        (f"{SECOND_E2EID}/r1", 300),
    ]
    assert result.refunded_q == 500


def test_what_is_left_of_a_payment_leaves_failed_refunds_out() -> None:
    refunds = [devolucao("3.00"), devolucao("4.00", id="r2", status="NAO_REALIZADO")]
    (payment,) = payments_of([pix("10.00", devolucoes=refunds)], KEYS)
    assert payment.left_q == 700


# -- what cannot be read -------------------------------------------------------------------


def without(*path: str) -> dict[str, Any]:
    charge = paid("10.00", pix(devolucoes=[devolucao()]))
    place: Any = charge
    for name in path[:-1]:
        place = place[name] if isinstance(place, dict) else place[int(name)]
    del place[path[-1]]
    return charge


@pytest.mark.parametrize(
    "charge",
    [
        without("txid"),
        without("valor"),
        without("valor", "original"),
        without("calendario"),
        without("calendario", "criacao"),
        without("pix", "0", "endToEndId"),
        without("pix", "0", "valor"),
        without("pix", "0", "devolucoes", "0", "id"),
        without("pix", "0", "devolucoes", "0", "valor"),
        cob(valor="10.00"),
        cob(valor={"original": 10.0}),
        cob(valor={"original": "10"}),
        cob(calendario={"criacao": 7, "expiracao": 60}),
        cob(calendario={"criacao": "yesterday", "expiracao": 60}),
        cob(calendario={"criacao": "2026-11-23T12:00:00Z", "expiracao": "soon"}),
        cob(calendario={"criacao": "2026-11-23T12:00:00Z", "expiracao": 10**30}),
        cob(calendario={"criacao": "2026-11-23T12:00:00Z", "expiracao": float("inf")}),
        cob(calendario={"criacao": "9999-12-31T23:59:59Z", "expiracao": 60}),
        cob(calendario={"criacao": "0001-01-01T00:00:00+14:00", "expiracao": 60}),
        cob(pix={"endToEndId": E2EID}),
        cob(pix=[None]),
        cob(pix=["x"]),
        cob(pix=[{**pix(), "endToEndId": ["x"]}]),
        cob(pix=[pix(devolucoes="x")]),
        cob(pix=[pix(devolucoes=[devolucao(status=[])])]),
    ],
)
def test_what_is_missing_or_of_another_kind_raises_only_what_is_promised(charge: Any) -> None:
    with pytest.raises(PROMISED):
        read(charge)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        (
            *("10.00", br_code("10.00"), PIX_KEY, E2EID, TXID, "ATIVA", "CONCLUIDA", "DEVOLVIDO"),
            *("2026-11-23T12:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+23:59"),
        )
    )
)
names = st.sampled_from(
    (
        *("calendario", "criacao", "expiracao", "txid", "valor", "original", "status", "chave"),
        *("pix", "pixCopiaECola", "endToEndId", "devolucoes", "id"),
    )
)
hostile = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner), max_leaves=8
)


@given(st.dictionaries(names, hostile), st.datetimes(timezones=st.just(UTC)))
def test_hostile_json_raises_only_what_is_promised(changes: dict[str, Any], now: datetime) -> None:
    for charge in ({**paid("10.00", pix(devolucoes=[devolucao()])), **changes}, changes):
        try:
            read(charge, now)
        except PROMISED:
            continue


@given(hostile)
def test_a_hostile_refund_raises_only_what_is_promised(value: Any) -> None:
    for refund in (value, devolucao(status=value), devolucao(valor=value)):
        try:
            read_refund(refund, "r1")
        except PROMISED:
            continue
