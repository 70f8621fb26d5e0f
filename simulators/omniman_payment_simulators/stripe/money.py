"""Amounts that Stripe takes: docs.stripe.com/currencies."""

from __future__ import annotations

from .errors import ApiError, invalid, unvalidated

MOST = 99_999_999
_LEAST = {
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17_500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
    "usd": 50,
}
_SIGNS = {"usd": "$", "brl": "R$", "eur": "€", "gbp": "£", "jpy": "¥"}


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
        raise _wrong(f"Amount must be no more than {text(MOST, currency)}", "amount_too_large")
    if amount < _LEAST.get(currency, 1):
        raise _wrong(
            f"Amount must be at least {text(_LEAST[currency], currency)} {currency}",
            "amount_too_small",
        )
    if currency in _THREE and amount % 10:
        raise _wrong("The last digit of an amount in this currency must be 0", None)
    if currency in _WHOLE and amount % 100:
        raise _wrong("An amount in this currency must end in 00", None)


def _wrong(message: str, code: str | None) -> ApiError:
    return invalid(message, code=code, param="amount", kept=False)


def text(amount: int, currency: str) -> str:
    """An amount as Stripe's messages write it."""
    sign = _SIGNS.get(currency, "")
    if currency in _ZERO:
        return f"{sign}{amount:,}"
    digits = 3 if currency in _THREE else 2
    whole, part = divmod(amount, 10**digits)
    return f"{sign}{whole:,}.{part:0{digits}}"
