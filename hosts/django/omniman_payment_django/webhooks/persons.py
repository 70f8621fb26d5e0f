"""Takes payers out of a notification before it is kept: an inbox is no place to look people up.

By the names that fields have at gateways, at any depth, and by the look of e-mail addresses.
"""

from __future__ import annotations

import re

MASK = "[personal]"
LONGEST = 2000
"""Of a value that never ends, so that reading one costs little."""

_FIELDS = "|".join(
    (
        "(?:[a-z_]*_)?(?:name|email|phone|ip|address|tax_id|document)",
        "nome|cpf|cnpj|telefone|documento|logradouro|endereco|cep|cidade|infoPagador",
        "line1|line2|postal_code|city|fingerprint|ip_address|user_agent|last4",
    )
)
# As JSON, as JSON inside a text of JSON, or as Python prints either: a value ends with the quote
# it began with, unless that is escaped once more.
_FIELD = re.compile(
    rf"""(\\*["'])({_FIELDS})\1(\s*:\s*)"""
    rf"""(?:(\\*["'])(?:(?!(?<!\\)\4).){{0,{LONGEST}}}(?:\4)?|\d[\d.]*)""",
    re.IGNORECASE | re.DOTALL,
)
_EMAIL = re.compile(r"[\w.+%-]{1,64}(?:@|%40|\\u0040)[\w-]{1,63}(?:\.[\w-]{1,63})+")


def without_persons(text: str) -> str:
    """The text with what its fields say of people replaced."""
    return _EMAIL.sub(MASK, _FIELD.sub(_masked, text))


def _masked(match: re.Match[str]) -> str:
    quote = match[4] or '"'
    return f"{match[1]}{match[2]}{match[1]}{match[3]}{quote}{MASK}{quote}"
