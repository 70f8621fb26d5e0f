"""Numbers that name a card or a person, wherever they stand in a text: found, and masked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

CARD_MASK: Final = "[card number]"
TAXPAYER_MASK: Final = "[taxpayer number]"

# -- card numbers ---------------------------------------------------------------------------

CARD_RUN = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,}")
# Far cheaper than the exact pattern, and finds everything that it finds.
MAYBE_CARD = re.compile(r"\d[\d -]{11,}\d")
_BLOCKS = re.compile(r"\d+")
_SHORTEST_CARD, _LONGEST_CARD = 13, 19
# No card scheme issues numbers that begin with these, and timestamps and counters do.
_NO_CARD = re.compile(r"[0179]|2[0189]")


def _card_spans(run: str) -> Iterator[tuple[int, int]]:
    """Where card numbers stand in digits and separators: whole blocks that pass the Luhn sum."""
    blocks = list(_BLOCKS.finditer(run))
    start = 0
    while start < len(blocks):
        digits, found = "", 0
        for end in range(start, len(blocks)):
            digits += blocks[end].group()
            if len(digits) > _LONGEST_CARD:
                break
            if len(digits) >= _SHORTEST_CARD and not _NO_CARD.match(digits) and _luhn(digits):
                found = end + 1
        if found:
            yield blocks[start].start(), blocks[found - 1].end()
        start = max(found, start + 1)


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        number = int(digit)
        if position % 2:
            number = number * 2 - 9 if number > 4 else number * 2
        total += number
    return total % 10 == 0


def has_card(run: str) -> bool:
    return next(_card_spans(run), None) is not None


def mask_cards(match: re.Match[str]) -> str:
    run, pieces, done = match.group(), [], 0
    for start, end in _card_spans(run):
        pieces += [run[done:start], CARD_MASK]
        done = end
    return "".join(pieces) + run[done:]


# -- taxpayer numbers -----------------------------------------------------------------------

# Brazil's CPF and CNPJ, plain or with their punctuation: they name a person for life.
TAXPAYER = re.compile(
    r"(?<![\w.-])(?:\d{3}\.?\d{3}\.?\d{3}-?\d{2}|\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2})(?![\w-])"
)
MAYBE_TAXPAYER = re.compile(r"\d{2}[\d.]{5,}")
_CPF = 11


def mask_taxpayer(match: re.Match[str]) -> str:
    digits = [int(digit) for digit in match.group() if digit.isdigit()]
    return TAXPAYER_MASK if _has_check_digits(digits) else match.group()


def _has_check_digits(digits: list[int]) -> bool:
    """The two last digits follow from the others; a number that is no such one seldom fits."""
    cycle = 10 if len(digits) == _CPF else 8
    if len(set(digits)) == 1:
        return False
    for place in (len(digits) - 2, len(digits) - 1):
        weighed = sum(
            digit * (2 + position % cycle)
            for position, digit in enumerate(reversed(digits[:place]))
        )
        if digits[place] != weighed * 10 % 11 % 10:
            return False
    return True
