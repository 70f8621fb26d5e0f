"""Amounts: integers become Pix's texts and come back the same, and no other text is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniman_payment_efi.amounts import LARGEST, SMALLEST, AmountError, from_pix, to_pix


@given(st.integers(SMALLEST, LARGEST))
def test_an_amount_comes_back_as_it_went(amount_q: int) -> None:
    text = to_pix(amount_q)
    assert from_pix(text) == amount_q
    reais, _, centavos = text.partition(".")
    assert int(reais + centavos) == amount_q
    assert len(centavos) == 2


@pytest.mark.parametrize(
    ("amount_q", "text"),
    [(1, "0.01"), (10, "0.10"), (100, "1.00"), (1990, "19.90"), (LARGEST, "9999999999.99")],
)
def test_an_amount_is_written_in_reais_with_two_decimals(amount_q: int, text: str) -> None:
    assert to_pix(amount_q) == text


@pytest.mark.parametrize("amount_q", [0, -1, -1990, LARGEST + 1, 10**30])
def test_what_pix_cannot_write_is_refused(amount_q: int) -> None:
    with pytest.raises(AmountError, match="Pix moves from"):
        to_pix(amount_q)


def test_nothing_paid_is_an_amount_that_the_gateway_may_tell() -> None:
    assert from_pix("0.00") == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.0",
        "1.000",
        "1,00",
        ".10",
        "-1.00",
        "+1.00",
        " 1.00",
        "1.00\n",
        "1.00 ",
        "1e2.00",
        "1_0.00",
        "\u0661.\u0660\u0660",
        "\uff11.00",
        "10000000000.00",
        "NaN",
        "Infinity",
        "1.00.00",
        10,
        10.0,
        True,
        None,
        ["1.00"],
        {"original": "1.00"},
        b"1.00",
    ],
)
def test_a_text_that_is_no_amount_is_refused_and_not_quoted(text: object) -> None:
    with pytest.raises(AmountError) as caught:
        from_pix(text)
    assert str(caught.value) == "the gateway wrote an amount that is not reais with two decimals"


@given(st.text(alphabet="0123456789.,+-eE \n", max_size=14))
def test_of_any_text_either_the_same_amount_comes_or_none(text: str) -> None:
    try:
        amount_q = from_pix(text)
    except AmountError:
        return
    assert text.replace(".", "", 1).isdigit()
    assert int(text.replace(".", "")) == amount_q
