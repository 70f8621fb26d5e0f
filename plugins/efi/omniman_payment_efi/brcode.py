"""The BR Code: what stands in a Pix QR code and is copied by hand, checked before it is shown.

Source: "Manual de Padrões para Iniciação do Pix" (Banco Central) on EMV QRCPS-MPM: fields of
two digits, a length of two digits and a value; the last one is a CRC-16 over all before it.
"""

from __future__ import annotations

import binascii
from functools import lru_cache

import segno

from .amounts import AmountError, from_pix

LONGEST = 512

_CURRENCY, _AMOUNT, _COUNTRY, _CRC = "53", "54", "58", "63"
_ACCOUNTS = tuple(str(number) for number in range(26, 52))
_REAL, _BRAZIL, _PIX = "986", "BR", "br.gov.bcb.pix"


class BRCodeError(ValueError):
    """A code that a shopper's bank would refuse, or that asks for something else."""


def check(code: str, amount_q: int) -> str:
    """The code itself, if it is whole, is Pix, and asks for this amount or leaves it to its link.

    :raises BRCodeError: naming what is wrong.
    """
    fields = read(code)
    accounts = [read_fields(fields[number]) for number in _ACCOUNTS if number in fields]
    if not any(account.get("00", "").lower() == _PIX for account in accounts):
        raise BRCodeError("it is no code of Pix")
    if fields.get(_CURRENCY) != _REAL or fields.get(_COUNTRY) != _BRAZIL:
        raise BRCodeError("its currency or country is not Brazil's")
    try:
        asked = from_pix(fields[_AMOUNT]) if _AMOUNT in fields else amount_q
    except AmountError:
        raise BRCodeError("its amount is not reais with two decimals") from None
    if asked != amount_q:
        raise BRCodeError("it asks for another amount than the charge")
    return code


def read(code: str) -> dict[str, str]:
    """The fields of a code whose checksum fits."""
    if not 8 < len(code) <= LONGEST:
        raise BRCodeError(f"it has {len(code)} characters, at most {LONGEST} are allowed")
    body, checksum = code[:-4], code[-4:]
    if not body.endswith(f"{_CRC}04") or crc(body) != checksum.upper():
        raise BRCodeError("its checksum does not fit")
    return read_fields(code)


def read_fields(text: str) -> dict[str, str]:
    """Fields by their number."""
    fields, position = {}, 0
    while position < len(text):
        number, length = text[position : position + 2], text[position + 2 : position + 4]
        if not (number.isascii() and number.isdigit() and length.isascii() and length.isdigit()):
            raise BRCodeError("its fields cannot be told apart")
        end = position + 4 + int(length)
        if len(length) != 2 or end > len(text):
            raise BRCodeError("a field ends after the code")
        fields[number] = text[position + 4 : end]
        position = end
    return fields


def crc(text: str) -> str:
    """CRC-16/CCITT-FALSE in four hexadecimal digits."""
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"


@lru_cache(maxsize=512)
def qr_image(code: str) -> str:
    """The code as a picture: a PNG in a ``data:`` address."""
    # Error correction M, as the manual recommends; read again and again while a charge is open.
    return segno.make_qr(code, error="m").png_data_uri(scale=4, border=4)
