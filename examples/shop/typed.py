"""What a person typed, turned into integers, or into a sentence that says what is wrong.

Knows texts only. No amount is ever a float.
"""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"(?:R\$)?\s*([0-9]{1,9})(?:[.,]([0-9]{1,2}))?")
_COUNT = re.compile(r"[0-9]{1,2}")
MOST = 20


class WrongInputError(ValueError):
    """Something typed that cannot be taken; the message is for the person who typed it."""


def amount_q(text: str) -> int:
    """``12``, ``12.5``, ``12,50`` or ``R$ 12,50`` as centavos."""
    typed = text.replace("\N{NO-BREAK SPACE}", " ").strip()
    if not typed:
        raise WrongInputError("Type an amount, such as 12.50.")
    found = _AMOUNT.fullmatch(typed)
    if found is None:
        raise WrongInputError(
            f"“{typed[:40]}” is no amount here. Write it like 12.50 or 12,50: digits, at most two "
            "decimals, and nothing between the thousands."
        )
    whole, cents = found.groups()
    amount = int(whole) * 100 + int((cents or "").ljust(2, "0"))
    if not amount:
        raise WrongInputError("An amount has to be more than zero.")
    return amount


def count(text: str, what: str) -> int:
    """A quantity from an order form; an empty field is none."""
    typed = text.strip()
    if not typed:
        return 0
    if _COUNT.fullmatch(typed) is None or int(typed) > MOST:
        raise WrongInputError(f"{what}: a whole number from 0 to {MOST}, please.")
    return int(typed)
