"""API Pix's objects as Efi writes them, with only what matters to the test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

PIX_KEY = "7c084cd4-54af-4172-a516-a7d1a12b75cc"
OTHER_KEY = "11111111-54af-4172-a516-a7d1a12b75cc"
TXID = "7978c0c97ea847e78e8849634473c1f1"
E2EID = "E09089356202611231500API0a1b2c3d"
SECOND_E2EID = "E09089356202611231501API0a1b2c3e"
CREATED_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def field(number: str, value: str) -> str:
    """One field of a BR Code."""
    return f"{number}{len(value):02d}{value}"


def crc16(text: str) -> str:
    """Bit by bit, as the manual of the CRC describes it: the plugin's own comes from a library."""
    value = 0xFFFF
    for byte in text.encode():
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1) ^ 0x1021 if value & 0x8000 else value << 1
            value &= 0xFFFF
    return f"{value:04X}"


def sealed(body: str) -> str:
    """A BR Code's fields with their checksum."""
    return f"{body}6304{crc16(body + '6304')}"


def br_code(amount: str | None = "10.00", **changed: str) -> str:
    """A dynamic code as Efi makes it."""
    account = field("00", changed.get("gui", "BR.GOV.BCB.PIX"))
    account += field("25", "qrcodespix-h.efi.test/v2/41e0badf811a4ce6ad8a80b306821fce")
    body = field("00", "01") + field("01", "12") + field("26", account) + field("52", "0000")
    body += field("53", changed.get("currency", "986"))
    if amount is not None:
        body += field("54", amount)
    body += field("58", changed.get("country", "BR")) + field("59", "LOJA")
    body += field("60", "SAO PAULO") + field("62", field("05", "***"))
    return sealed(body)


def cob(amount: str = "10.00", **changes: Any) -> dict[str, Any]:
    """A charge that can be paid."""
    return {
        "calendario": {"criacao": "2026-11-23T12:00:00.358Z", "expiracao": 3600},
        "txid": TXID,
        "revisao": 0,
        "loc": {
            "id": 789,
            "location": "qrcodespix-h.efi.test/v2/41e0badf811a4ce6ad8a80b306821fce",
            "tipoCob": "cob",
        },
        "location": "qrcodespix-h.efi.test/v2/41e0badf811a4ce6ad8a80b306821fce",
        "status": "ATIVA",
        "valor": {"original": amount},
        "chave": PIX_KEY,
        "solicitacaoPagador": "Pedido O1",
        "pixCopiaECola": br_code(amount),
        **changes,
    }


def pix(amount: str = "10.00", **changes: Any) -> dict[str, Any]:
    """A payment that arrived."""
    return {
        "endToEndId": E2EID,
        "txid": TXID,
        "valor": amount,
        "chave": PIX_KEY,
        "horario": "2026-11-23T12:05:00.000Z",
        "infoPagador": "",
        **changes,
    }


def devolucao(amount: str = "3.00", **changes: Any) -> dict[str, Any]:
    """A refund that went through."""
    return {
        "id": "r1",
        "rtrId": "D09089356202611231600abcdef01234",
        "valor": amount,
        "horario": {"solicitacao": "2026-11-23T13:00:00.000Z"},
        "status": "DEVOLVIDO",
        **changes,
    }


def paid(amount: str = "10.00", *payments: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A charge that somebody paid."""
    given = list(payments) or [pix(amount)]
    return cob(amount, **{"status": "CONCLUIDA", "pix": given, **changes})


def listing(name: str, *entries: Any, page: int = 0, pages: int = 1) -> dict[str, Any]:
    """One page of a list."""
    return {
        "parametros": {
            "inicio": "2026-11-23T00:00:00Z",
            "fim": "2026-11-24T00:00:00Z",
            "paginacao": {
                "paginaAtual": page,
                "itensPorPagina": 100,
                "quantidadeDePaginas": pages,
                "quantidadeTotalDeItens": len(entries),
            },
        },
        name: list(entries),
    }
