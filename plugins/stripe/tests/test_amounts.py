"""Amounts cross the border to Stripe and back unchanged, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniman_payment_core.currencies import KNOWN, decimals
from omniman_payment_stripe.amounts import (
    CURRENCIES,
    LAST_DIGIT_IS_ZERO,
    AmountError,
    from_stripe,
    to_stripe,
)


@pytest.mark.parametrize(
    ("amount_q", "currency", "written"),
    [
        (1999, "BRL", 1999),
        (1999, "usd", 1999),
        (500, "JPY", 500),
        (500, "KRW", 500),
        (5120, "KWD", 5120),
        (500, "ISK", 50_000),
        (500, "UGX", 50_000),
        (50_000, "MGA", 500),
        (1999, "HUF", 1999),
        (1999, "TWD", 1999),
    ],
)
def test_each_kind_of_currency_is_written_as_stripe_wants_it(
    amount_q: int, currency: str, written: int
) -> None:
    assert to_stripe(amount_q, currency) == written
    assert from_stripe(written, currency) == amount_q


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(0, 10**12))
def test_what_can_be_written_is_read_back_as_it_was(currency: str, amount_q: int) -> None:
    try:
        written = to_stripe(amount_q, currency)
    except AmountError:
        assert amount_q % (10 if currency in LAST_DIGIT_IS_ZERO else 100)
        return
    assert type(written) is int
    assert from_stripe(written, currency) == amount_q


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(0, 10**12), st.integers(0, 10**12))
def test_two_amounts_are_never_written_alike(currency: str, one: int, other: int) -> None:
    try:
        written = to_stripe(one, currency), to_stripe(other, currency)
    except AmountError:
        return
    assert (written[0] == written[1]) == (one == other)


@pytest.mark.parametrize(
    ("amount_q", "currency", "text"),
    [
        (5121, "KWD", "Stripe takes KWD with two decimals: the last digit of 5121 has to be 0"),
        (150, "MGA", "Stripe takes MGA in whole units: 150 is not a multiple of 100"),
    ],
)
def test_an_amount_without_a_way_to_write_it_is_refused(
    amount_q: int, currency: str, text: str
) -> None:
    with pytest.raises(AmountError) as caught:
        to_stripe(amount_q, currency)
    assert str(caught.value) == text


def test_a_fraction_that_the_currency_does_not_have_is_not_rounded() -> None:
    with pytest.raises(AmountError, match="which has no decimals"):
        from_stripe(50_050, "ISK")


def test_every_currency_of_the_plugin_is_one_that_the_core_knows() -> None:
    assert CURRENCIES <= KNOWN
    assert {c for c in CURRENCIES if decimals(c) == 3} == LAST_DIGIT_IS_ZERO
