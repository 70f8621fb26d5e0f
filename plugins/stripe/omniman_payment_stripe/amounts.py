"""Amounts as Stripe writes them, and back: its minor unit is not always that of ISO 4217.

Source: docs.stripe.com/currencies, "Zero-decimal currencies", "Special cases" and
"Three-decimal currencies". Integers only.
"""

from __future__ import annotations


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


CURRENCIES = _codes(
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD "
    "CAD CDF CHF CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP "
    "LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR "
    "PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB "
    "TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW"
)
"""What Stripe presents prices in, as far as ISO 4217 still knows the code."""

WRITTEN_WITH_TWO_DECIMALS = _codes("ISK UGX")
"""No decimals in ISO 4217; Stripe keeps two for old times' sake, which have to be 00."""

WRITTEN_WITHOUT_DECIMALS = _codes("MGA")
"""Two decimals in ISO 4217, none at Stripe."""

LAST_DIGIT_IS_ZERO = _codes("BHD JOD KWD OMR TND")
"""Three decimals, of which card networks take two."""


class AmountError(ValueError):
    """An amount that Stripe has no way to write."""


def to_stripe(amount_q: int, currency: str) -> int:
    """The smallest unit of the currency in ISO 4217 as Stripe's integer.

    :raises AmountError: the currency has decimals here that Stripe does not have.
    """
    code = currency.upper()
    if code in WRITTEN_WITH_TWO_DECIMALS:
        return amount_q * 100
    if code in WRITTEN_WITHOUT_DECIMALS:
        if amount_q % 100:
            raise AmountError(
                f"Stripe takes {code} in whole units: {amount_q} is not a multiple of 100"
            )
        return amount_q // 100
    if code in LAST_DIGIT_IS_ZERO and amount_q % 10:
        raise AmountError(
            f"Stripe takes {code} with two decimals: the last digit of {amount_q} has to be 0"
        )
    return amount_q


def from_stripe(amount: int, currency: str) -> int:
    """Stripe's integer as the smallest unit of the currency in ISO 4217.

    :raises AmountError: Stripe shows a fraction of a unit that the currency does not have.
    """
    code = currency.upper()
    if code in WRITTEN_WITH_TWO_DECIMALS:
        if amount % 100:
            raise AmountError(f"Stripe shows {amount} for {code}, which has no decimals")
        return amount // 100
    if code in WRITTEN_WITHOUT_DECIMALS:
        return amount * 100
    return amount
