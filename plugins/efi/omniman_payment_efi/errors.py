"""What Efi answers instead of what was asked, sorted by what to do next. Pure.

Four shapes come: Efi's own (``nome``, ``mensagem``, perhaps ``erros``), API Pix's (RFC 7807:
``type``, ``title``, ``detail``, ``violacoes``), OAuth's (``error``, ``error_description``), and
pages of whatever stands in front of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from omniman_payment_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    PaymentError,
    RateLimitedError,
    TransactionNotFoundError,
)

_LONGEST_TEXT = 300

_NOT_FOUND = (
    "cobranca_nao_encontrada",
    "pix_nao_encontrado",
    "devolucao_nao_encontrada",
    "webhook_nao_encontrado",
)
_DUPLICATE = ("txid_duplicado", "devolucao_id_duplicado")
_OUR_KEY_IS_WRONG = ("chave_invalida",)
_REFUSED = ("documento_bloqueado", "valor_invalido", "status_cobranca_invalido")
"""Answers about the payment rather than about our request."""


class RefusedError(Exception):
    """The gateway's final no; never leaves the plugin."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.message = message
        self.name = name


class TakenError(Exception):
    """The name of a charge or refund is used already: by ourselves, as a rule."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer that is no success: its HTTP status, the gateway's word for it, and its text."""

    status: int
    name: str
    text: str
    retry_after: str = ""

    @property
    def said(self) -> str:
        """For people."""
        return f"Efi answered {self.status}" + (f": {self.text}" if self.text else "")


def problem_of(status: int, body: object, retry_after: str = "") -> Problem:
    """Read whichever shape came."""
    given: Mapping[str, Any] = body if isinstance(body, dict) else {}
    name = given.get("nome") or given.get("error") or given.get("type") or ""
    text = (
        given.get("mensagem")
        or given.get("error_description")
        or given.get("detail")
        or given.get("title")
        or ""
    )
    details = [*_violations(given.get("erros")), *_violations(given.get("violacoes"))]
    full = "; ".join([str(text), *details]) if details else str(text)
    return Problem(
        status, str(name).rstrip("/").rpartition("/")[2], full[:_LONGEST_TEXT], retry_after
    )


def _violations(listed: object) -> list[str]:
    """Which field, and why; never the value that was sent."""
    found = []
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict):
            where = each.get("propriedade") or each.get("caminho") or each.get("chave") or "?"
            found.append(f"{where}: {each.get('razao') or each.get('mensagem') or '?'}")
    return found


def sorted_problem(
    problem: Problem, *, changes: bool, now: datetime
) -> PaymentError | RefusedError | TakenError:
    """What to raise for it. 401 is the transport's own business."""
    status, name = problem.status, problem.name
    if status == 429:
        return RateLimitedError(problem.said, retry_after=_seconds(problem.retry_after, now))
    if status >= 500 or status < 400:
        # Also 502 and 503: whatever stands in front may have let the request pass.
        return (OutcomeUnknownError if changes else NotAttemptedError)(problem.said)
    if name in _NOT_FOUND or status == 404:
        return TransactionNotFoundError(problem.said)
    if status == 403:
        return ConfigurationError(
            f"{problem.said}; the application may not do this: enable its Pix scopes in Efi's "
            "panel (API, Aplicações)"
        )
    if name in _OUR_KEY_IS_WRONG:
        return ConfigurationError(
            f'{problem.said}; option "pix_key" has to be a key of the account that the '
            "credentials belong to"
        )
    # What only reads can neither be refused as a payment is, nor use a name.
    if changes and name in _DUPLICATE:
        return TakenError(problem.said)
    # Before the status: a charge that is no longer open may be answered with 409.
    if changes and (name in _REFUSED or status == 422):
        return RefusedError(problem.said, name=name)
    if changes and status == 409:
        return TakenError(problem.said)
    return InvalidRequestError(problem.said)


def _seconds(text: str, now: datetime) -> int | None:
    """``Retry-After`` in seconds, whichever of its two forms it has."""
    value = text.strip()
    if value.isascii() and value.isdigit():
        return int(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(1, round((moment - now).total_seconds())) if moment.tzinfo else None
