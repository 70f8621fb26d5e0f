"""Amounts as a shopper reads them, in the page's language. Integer arithmetic, never a float."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format

from omniman_payment_core.currencies import KNOWN, decimals

_SYMBOLS = {"BRL": "R$", "EUR": "€", "GBP": "£", "USD": "US$"}
_NO_BREAK = "\N{NO-BREAK SPACE}"


def amount_text(amount_q: int, currency: str) -> str:
    """``123456, "BRL"`` as ``R$ 1.234,56`` or ``R$ 1,234.56``; other codes stay codes."""
    code = currency.upper()
    if code not in KNOWN:
        return f"{amount_q}{_NO_BREAK}{currency}"
    places = decimals(code)
    number = number_format(Decimal(amount_q).scaleb(-places), places, force_grouping=True)
    return f"{_SYMBOLS.get(code, code)}{_NO_BREAK}{number}"
