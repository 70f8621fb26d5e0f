"""What lists are asked for: a period, a page, and filters; what is not simulated is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set

from ..common.paging import Page
from .errors import efi, malformed, not_simulated
from .records import OPEN, PAID, REMOVED, REMOVED_BY_PSP, Charge, Payment
from .shapes import read_stamp

Query = Mapping[str, str]

_EVERY = frozenset({"inicio", "fim", "paginacao.paginaAtual", "paginacao.itensPorPagina"})
_RETURNED = "devolucaoPresente"
_LARGEST = 2**31 - 1
_FORMS = {
    "cpf": re.compile(r"[0-9]{11}"),
    "cnpj": re.compile(r"[0-9A-Z]{14}"),
    "txid": re.compile(r"[a-zA-Z0-9]{26,35}"),
}
_STATUSES = (OPEN, PAID, REMOVED, REMOVED_BY_PSP)


def period(query: Query, *others: str) -> tuple[float, float]:
    """The two times that every list needs; ``others`` are the filters that this list has."""
    _only(query, _EVERY | set(others))
    wrong = [
        name for name, form in _FORMS.items() if name in query and not form.fullmatch(query[name])
    ]
    if wrong:
        raise malformed(
            *(("pattern", f".query.{name}", "não tem a forma documentada") for name in wrong)
        )
    found = {name: read_stamp(query.get(name)) for name in ("inicio", "fim")}
    missing = [name for name, moment in found.items() if moment is None]
    if missing:
        raise malformed(
            *(("format", f".query.{name}", "deve ser uma data da RFC 3339") for name in missing)
        )
    begin, end = found["inicio"] or 0.0, found["fim"] or 0.0
    if end < begin:
        raise efi(
            400,
            "valor_invalido",
            "Campo de data fim deve ser maior ou igual ao campo de data inicio",
        )
    return begin, end


def page(query: Query) -> Page:
    """Which page of a list, and how long they are."""
    try:
        number = int(query.get("paginacao.paginaAtual", 0))
        size = int(query.get("paginacao.itensPorPagina", 100))
    except ValueError:
        number, size = -1, 0
    if not 0 <= number <= _LARGEST or not 1 <= size <= 1000:
        raise malformed(
            ("minimum", ".query.paginacao", "a página começa em 0 e tem de 1 a 1000 itens")
        )
    return Page(number, size)


def charges(query: Query, found: list[Charge]) -> list[Charge]:
    """Those in the period that pass every filter."""
    begin, end = period(query, "status", "cpf", "cnpj")
    status = query.get("status")
    if status is not None and status not in _STATUSES:
        raise malformed(("enum", ".query.status", f"deve ser um de {', '.join(_STATUSES)}"))
    debtor = {name: query[name] for name in ("cpf", "cnpj") if name in query}
    if len(debtor) > 1:
        raise malformed(("oneOf", ".query", "cpf e cnpj não podem ser usados ao mesmo tempo"))
    return [
        charge
        for charge in found
        if begin <= charge.created_at <= end
        and status in (None, charge.status)
        and debtor.items() <= (charge.body.get("devedor") or {}).items()
    ]


def payments(query: Query, found: list[Payment]) -> list[Payment]:
    """Those in the period that pass every filter; a return makes a payment news again."""
    begin, end = period(query, "txid", _RETURNED)
    wanted = query.get("txid")
    returned = query.get(_RETURNED)
    if returned not in (None, "true", "false"):
        raise malformed(("type", f".query.{_RETURNED}", "deve ser true ou false"))
    return [
        payment
        for payment in found
        if any(begin <= at <= end for at in _news(payment))
        and wanted in (None, payment.txid)
        and returned in (None, "true" if payment.refunds else "false")
    ]


def shown(query: Query) -> dict[str, str | bool]:
    """What was asked for, as the answer repeats it; the page is shown apart."""
    words: dict[str, str | bool] = {
        name: value for name, value in query.items() if not name.startswith("paginacao.")
    }
    if _RETURNED in words:
        words[_RETURNED] = words[_RETURNED] == "true"
    return words


def revision(query: Query, charge: Charge) -> None:
    """Only the newest is kept."""
    _only(query, {"revisao"})
    if query.get("revisao", str(charge.revision)) != str(charge.revision):
        raise not_simulated("revisao")


def _only(query: Query, allowed: Set[str]) -> None:
    for name in sorted(set(query) - allowed):
        raise not_simulated(name)


def _news(payment: Payment) -> list[float]:
    times = [payment.at]
    for refund in payment.refunds:
        times.append(refund.asked_at)
        if refund.settled_at is not None:
            times.append(refund.settled_at)
    return times
