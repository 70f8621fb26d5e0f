"""Efi's lists, page after page.

Source: API Pix, the parameters ``inicio``, ``fim`` and ``paginacao`` of every list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from omniman_payment_core.errors import OutcomeUnknownError

from .endpoints import Endpoint
from .reading import Json, readable
from .transport import Transport

PAGE = 100
MOST_PAGES = 10_000
"""A million entries: whoever announces more is not to be followed."""


def pages(
    transport: Transport,
    endpoint: Endpoint,
    name: str,
    since: datetime,
    until: datetime,
    filters: Mapping[str, str],
) -> Iterator[Json]:
    """Everything under ``name`` from a moment to another; nothing where the first is later.

    :raises OutcomeUnknownError: the list cannot be read, or has no end.
    """
    number, count = 0, 1 if since < until else 0
    while number < count:
        answer = transport.call(
            endpoint,
            query={
                "inicio": _stamp(since),
                "fim": _stamp(until),
                **filters,
                "paginacao.paginaAtual": str(number),
                "paginacao.itensPorPagina": str(PAGE),
            },
        )
        listed, count = _page(answer, name)
        if count > MOST_PAGES:
            raise OutcomeUnknownError(f"Efi announces {count} pages of {name}: not followed")
        yield from listed
        number += 1


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _page(answer: Json, name: str) -> tuple[Sequence[Json], int]:
    """What one page lists, and how many there are."""

    def read() -> tuple[Sequence[Json], int]:
        listed = answer[name]
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise TypeError(f"{name} is no list of objects")
        return listed, int(answer["parametros"]["paginacao"]["quantidadeDePaginas"])

    return readable(read)
