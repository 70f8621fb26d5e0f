"""Amounts as Pix writes them, and back: reais with exactly two decimals, in a text.

Source: API Pix, schema "Valor": ``\\d{1,10}\\.\\d{2}``. Integers only.
"""

from __future__ import annotations

import re

CURRENCY = "BRL"
SMALLEST, LARGEST = 1, 999_999_999_999

_AMOUNT = re.compile(r"([0-9]{1,10})\.([0-9]{2})")


class AmountError(ValueError):
    """An amount that Pix has no way to write, or a text that is no amount."""


def to_pix(amount_q: int) -> str:
    """Centavos as Pix writes them: 1990 is ``19.90``.

    :raises AmountError: not from one centavo to ten digits of reais.
    """
    if not SMALLEST <= amount_q <= LARGEST:
        raise AmountError(f"Pix moves from R$ 0,01 to R$ 9.999.999.999,99; not {amount_q} centavos")
    reais, centavos = divmod(amount_q, 100)
    return f"{reais}.{centavos:02d}"


def from_pix(text: object) -> int:
    """A text of the gateway in centavos.

    :raises AmountError: not a text with exactly two decimals.
    """
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise AmountError("the gateway wrote an amount that is not reais with two decimals")
    return int(match[1]) * 100 + int(match[2])
