"""Where what Efi answers is in none of the documents, or not in Banco Central's: all by name.

A difference excuses one kind of fault in one kind of answer, and says which shape the answer has
instead; a test holds us to every one of them still being needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from .judge import Exchange

Schema = Mapping[str, Any]


def _texts(*names: str) -> Schema:
    return {
        "type": "object",
        "required": list(names),
        "properties": {name: {"type": "string", "minLength": 1} for name in names},
    }


EFIS_ERROR = _texts("nome", "mensagem")
OAUTHS_ERROR = _texts("error", "error_description")
REGISTRATION = _texts("webhookUrl")
PROBLEM = _texts("type", "title", "detail")
NOTHING: Schema = {"type": "null"}
ANYTHING: Schema = {}
"""For what the document of Efi judges."""

NO_CALL = r"(Path|Server|Operation)NotFound: .*"
"""Said of what the document does not have; which of them depends on what else it has."""


@dataclass(frozen=True, slots=True)
class Difference:
    """``call`` is a pattern of ``METHOD /path STATUS``, ``fault`` of what the judge says."""

    why: str
    call: str
    fault: str
    shape: Schema

    def excuses(self, exchange: Exchange, fault: str) -> bool:
        """Whether this fault is none, and the answer has the shape that it has instead."""
        return (
            re.fullmatch(self.call, told(exchange)) is not None
            and re.fullmatch(self.fault, fault, re.DOTALL) is not None
            and Draft202012Validator(self.shape).is_valid(exchange["response"])
        )


EFIS = (
    Difference(
        "Efi creates a registration where Banco Central's document only has one changed",
        call=r"PUT /v2/webhook/\S+ 201",
        fault=r"ResponseNotFound: .*201",
        shape=REGISTRATION,
    ),
    Difference(
        "Efi limits requests; the document has the limit for no call",
        call=r"GET /v2/cob/\S+ 429",
        fault=r"ResponseNotFound: .*429",
        shape=EFIS_ERROR,
    ),
    Difference(
        "a token that is not good is OAuth's matter, and in the document of no call",
        call=r"\w+ /v2/\S+ 401",
        fault=r"ResponseNotFound: .*401",
        shape=OAUTHS_ERROR,
    ),
    Difference(
        "OAuth has an error shape of its own (RFC 6749, section 5.2)",
        call=r"POST /oauth/token 400",
        fault=r": '(nome|mensagem)' is a required property",
        shape=OAUTHS_ERROR,
    ),
    Difference(
        "the document has no method that a resource has not",
        call=r"\w+ \S+ 405",
        fault=NO_CALL,
        shape=EFIS_ERROR,
    ),
    Difference(
        "nor a resource that there is not",
        call=r"\w+ /v2/nowhere 404",
        fault=NO_CALL,
        shape=PROBLEM,
    ),
    Difference(
        "sending notifications once more is a call of Efi's own",
        call=r"POST /v2/gn/webhook/reenviar 202",
        fault=NO_CALL,
        shape=NOTHING,
    ),
    Difference(
        "what only Efi may write of a charge may be asked for all the same: its revision",
        call=r"GET /v2/cob/\S+ 200",
        fault=r": Tried to write read-only property with \d+",
        shape=ANYTHING,
    ),
)
"""From the document as Efi serves it."""

BANCO_CENTRALS = (
    *(each for each in EFIS if "oauth" not in each.call),
    Difference(
        "the token and the QR code are Efi's own calls",
        call=r"(POST /oauth/token|GET /v2/loc/\d+/qrcode) \d+",
        fault=NO_CALL,
        shape=ANYTHING,
    ),
    Difference(
        "Efi has errors where Banco Central's document has none",
        call=r"\w+ \S+ (400|409|500)",
        fault=r"ResponseNotFound: .*(400|409|500)",
        shape=ANYTHING,
    ),
    Difference(
        "Efi has an error shape of its own",
        call=r"\w+ \S+ (400|404)",
        fault=r"DataValidationError: .*mimetype not found: application/json.*",
        shape=EFIS_ERROR,
    ),
    Difference(
        "the document's pattern of a CPF has the slashes of another language",
        call=r"\w+ /v2/cob\S* \d+",
        fault=r"(cobs\.\d+\.)?devedor: .*'cpf': '\d{11}'.* is not valid under any .*"
        r"|(parametros\.cpf)?: '\d{11}' does not match '/\^.*",
        shape=ANYTHING,
    ),
    Difference(
        "the document asks of a list of charges a name that no charge has",
        call=r"GET /v2/cob 200",
        fault=r"cobs\.\d+: 'idCob' is a required property",
        shape=ANYTHING,
    ),
    Difference(
        "the document asks of a list of payments a list of charges",
        call=r"GET /v2/pix 200",
        fault=r": 'cobs' is a required property",
        shape=ANYTHING,
    ),
)
"""From Banco Central's own document."""


def unexcused(
    exchanges: Iterable[Exchange],
    judge: Callable[[Exchange], list[str]],
    differences: Sequence[Difference] = (),
) -> dict[str, list[str]]:
    """What is wrong and is no known difference, by what was asked."""
    found: dict[str, list[str]] = {}
    for exchange in exchanges:
        for fault in judge(exchange):
            if not any(each.excuses(exchange, fault) for each in differences):
                found.setdefault(told(exchange), []).append(fault)
    return found


def told(exchange: Exchange) -> str:
    """A request and its status, for people."""
    return f"{exchange['method']} {exchange['path']} {exchange['status']}"
