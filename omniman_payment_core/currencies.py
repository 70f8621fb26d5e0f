"""ISO 4217 currencies: which codes exist and how many decimals their minor unit has.

Figures are from the ISO 4217 active code list. Codes are upper case inside the core;
a payload may use either case, as the specification page does.
"""

from __future__ import annotations


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


ZERO_DECIMAL = _codes("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF")
THREE_DECIMAL = _codes("BHD IQD JOD KWD LYD OMR TND")
FOUR_DECIMAL = _codes("CLF UYW")
TWO_DECIMAL = _codes(
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP "
    "GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT "
    "LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE "
    "SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES "
    "WST XCD YER ZAR ZMW ZWG"
)
KNOWN = ZERO_DECIMAL | TWO_DECIMAL | THREE_DECIMAL | FOUR_DECIMAL


def normalise_currency(code: object) -> str | None:
    """The upper-case code when ``code`` is a known currency, else ``None``."""
    if not isinstance(code, str):
        return None
    upper = code.upper()
    return upper if upper in KNOWN else None


def decimals(currency: str) -> int:
    """How many decimals the minor unit of a known currency has."""
    if currency in TWO_DECIMAL:
        return 2
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 4


def format_amount(amount_q: int, currency: str) -> str:
    """``1999, "BRL"`` as ``"19.99 BRL"``, by integer arithmetic only."""
    places = decimals(currency)
    sign, digits = ("-" if amount_q < 0 else ""), str(abs(amount_q)).rjust(places + 1, "0")
    if not places:
        return f"{sign}{digits} {currency}"
    return f"{sign}{digits[:-places]}.{digits[-places:]} {currency}"
