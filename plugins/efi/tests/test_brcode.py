"""BR Codes: what a shopper's bank would refuse, or what asks for something else, never shows."""

from __future__ import annotations

import base64
import io
import string

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from efi_testing.objects import br_code, crc16, field, sealed
from omniman_payment_efi.amounts import to_pix
from omniman_payment_efi.brcode import LONGEST, BRCodeError, check, crc, qr_image, read

MANUAL = (
    "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR"
    "5913Fulano de Tal6008BRASILIA62070503***63041D3D"
)
"""The example of the Banco Central's manual."""


def test_the_manuals_own_example_is_a_code_of_any_amount() -> None:
    assert check(MANUAL, 1990) == MANUAL
    assert read(MANUAL)["59"] == "Fulano de Tal"


def test_its_checksum_may_be_written_in_small_letters() -> None:
    assert check(MANUAL[:-4] + "1d3d", 1990)


@pytest.mark.parametrize("place", range(len(MANUAL)))
def test_any_single_changed_character_is_caught(place: int) -> None:
    original = MANUAL[place]
    for character in string.printable:
        if character.lower() == original.lower() and place >= len(MANUAL) - 4:
            continue
        if character == original:
            continue
        with pytest.raises(BRCodeError):
            check(MANUAL[:place] + character + MANUAL[place + 1 :], 1990)


@pytest.mark.parametrize("length", range(len(MANUAL)))
def test_a_truncated_code_is_caught(length: int) -> None:
    with pytest.raises(BRCodeError):
        check(MANUAL[:length], 1990)


@given(st.integers(1, 10**9))
def test_a_code_of_the_amount_passes_and_of_another_does_not(amount_q: int) -> None:
    code = br_code(to_pix(amount_q))
    assert check(code, amount_q) == code
    with pytest.raises(BRCodeError, match="asks for another amount"):
        check(code, amount_q + 1)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (br_code("10.00", currency="840"), "currency or country"),
        (br_code("10.00", country="US"), "currency or country"),
        (br_code("10.00", gui="com.example"), "no code of Pix"),
        (br_code("10"), "its amount is not reais"),
        (br_code("10,00"), "its amount is not reais"),
        (br_code("9.99"), "another amount"),
        (sealed(field("00", "01")), "no code of Pix"),
        (sealed(field("00", "01") + "26990014br"), "ends after the code"),
        (sealed("0x0201"), "cannot be told apart"),
        (sealed("²²0201"), "cannot be told apart"),
        (sealed(field("26", "0014br.gov")), "ends after the code"),
        (sealed(field("00", "0" * 99) * 6), "at most"),
        ("", "at most"),
        ("63041D3D", "at most"),
    ],
)
def test_what_is_wrong_is_named(code: str, said: str) -> None:
    with pytest.raises(BRCodeError, match=said):
        check(code, 1000)


@given(st.text(max_size=LONGEST + 10))
def test_of_any_text_nothing_worse_comes(text: str) -> None:
    for code in (text, sealed(text) if text.isascii() else text):
        try:
            check(code, 1000)
        except ValueError:
            continue


@given(st.text(alphabet=st.characters(max_codepoint=0x2FFF), max_size=60))
def test_the_checksum_is_the_one_that_the_manual_describes(text: str) -> None:
    assert crc(text) == crc16(text)


@pytest.mark.parametrize("code", [MANUAL, br_code("1234567890.99")])
def test_a_phone_that_looks_at_the_picture_reads_the_code(code: str) -> None:
    kind, _, content = qr_image(code).partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(content, validate=True))) as image:
        (seen,) = zxingcpp.read_barcodes(image)
    assert seen.text == code
    assert seen.format == zxingcpp.BarcodeFormat.QRCode
