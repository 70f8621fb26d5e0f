"""Amounts that Stripe takes: docs.stripe.com/currencies."""

from __future__ import annotations

from .errors import ApiError, invalid, unvalidated

MOST = 99_999_999
_LEAST = {"usd": 50, "brl": 50, "eur": 50, "gbp": 30, "mxn": 1000, "jpy": 50, "huf": 17_500}


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ZERO = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
_THREE = _codes("bhd jod kwd omr tnd")
_WHOLE = _codes("isk ugx")
_OTHERS = _codes(
    "aed afn all amd aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob bsd bwp byn bzd cad cdf chf "
    "cny cop crc cve czk dkk dop dzd egp etb fjd fkp gel gip gmd gtq gyd hkd hnl htg idr ils inr "
    "jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk myr mzn nad "
    "ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos "
    "srd szl thb tjs top try ttd twd tzs uah uyu uzs wst xcd yer zar zmw"
)
CURRENCIES = _ZERO | _THREE | _WHOLE | _OTHERS | set(_LEAST)


def check(amount: int, currency: str) -> None:
    """An amount that can be charged in a currency that is known."""
    if currency not in CURRENCIES:
        raise unvalidated(
            f"Invalid currency: {currency}. Stripe currently supports these currencies: "
            f"{', '.join(sorted(CURRENCIES))}",
            code=None,
            param="currency",
        )
    if amount < 1:
        raise unvalidated(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > MOST:
        raise _wrong("Amount must be no more than 999,999.99", "amount_too_large")
    if amount < _LEAST.get(currency, 1):
        raise _wrong(
            f"Amount must be at least {text(_LEAST[currency], currency)}", "amount_too_small"
        )
    if currency in _THREE and amount % 10:
        raise _wrong("The last digit of an amount in this currency must be 0", None)
    if currency in _WHOLE and amount % 100:
        raise _wrong("An amount in this currency must end in 00", None)


def _wrong(message: str, code: str | None) -> ApiError:
    return invalid(message, code=code, param="amount", kept=False)


def text(amount: int, currency: str) -> str:
    """An amount as Stripe's messages write it."""
    if currency in _ZERO:
        return f"{amount} {currency}"
    whole, part = divmod(amount, 100)
    return f"${whole}.{part:02} {currency}"
