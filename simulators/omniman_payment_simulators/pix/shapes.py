"""Records as API Pix shows them: texts for amounts and times, a BR Code for what can be paid."""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime
from typing import Any

from .records import OPEN, Account, Charge, Payment, Refund, Webhook

HOST = "qrcodespix.simulator.invalid"
_AMOUNT = re.compile(r"([0-9]{1,10})\.([0-9]{2})")

Json = dict[str, Any]


def amount(amount_q: int) -> str:
    """Centavos as reais with two decimals."""
    return f"{amount_q // 100}.{amount_q % 100:02d}"


def read_amount(text: object) -> int | None:
    """A text as centavos; ``None`` where it is not in the form of the interface."""
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    return None if match is None else int(match[1]) * 100 + int(match[2])


def stamp(seconds: float) -> str:
    """RFC 3339 with milliseconds, in UTC."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def read_stamp(text: object) -> float | None:
    """A time of RFC 3339; ``None`` where it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None


def charge(record: Charge, account: Account) -> Json:
    """A charge, with the payments that came for it."""
    shown: Json = {
        "calendario": {"criacao": stamp(record.created_at), "expiracao": record.lives},
        "txid": record.txid,
        "revisao": record.revision,
        "status": record.status,
        "valor": {**record.body.get("valor", {}), "original": amount(record.amount_q)},
        "chave": record.key,
        "loc": location(record),
        "location": location(record)["location"],
    }
    for name in ("devedor", "solicitacaoPagador", "infoAdicionais"):
        if record.body.get(name):
            shown[name] = record.body[name]
    if record.status == OPEN:
        shown["pixCopiaECola"] = br_code(record, account)
    if record.payments:
        shown["pix"] = [payment(each) for each in record.payments]
    return shown


def location(record: Charge) -> Json:
    """Where a payer's bank finds the charge."""
    return {
        "id": record.location,
        "location": f"{HOST}/v2/{binascii.crc32(record.txid.encode()):08x}{record.location:08d}",
        "tipoCob": "cob",
        "criacao": stamp(record.created_at),
        "txid": record.txid,
    }


def payment(record: Payment) -> Json:
    """A payment, with what went back of it."""
    shown: Json = {
        "endToEndId": record.e2eid,
        "txid": record.txid,
        "valor": amount(record.amount_q),
        "chave": record.key,
        "horario": stamp(record.at),
    }
    if record.payer_info:
        shown["infoPagador"] = record.payer_info
    if record.refunds:
        shown["devolucoes"] = [refund(each) for each in record.refunds]
    return shown


def refund(record: Refund) -> Json:
    """A return."""
    times = {"solicitacao": stamp(record.asked_at)}
    if record.settled_at is not None:
        times["liquidacao"] = stamp(record.settled_at)
    shown: Json = {
        "id": record.id,
        "rtrId": record.rtr_id,
        "valor": amount(record.amount_q),
        "horario": times,
        "status": record.status,
    }
    if record.description:
        shown["descricao"] = record.description
    if record.reason:
        shown["motivo"] = record.reason
    return shown


def webhook(record: Webhook, key: str, account: Account) -> Json:
    """A registered address."""
    return {
        "webhookUrl": record.url,
        "chave": key,
        "cnpj": account.cnpj,
        "criacao": stamp(record.created_at),
    }


def br_code(record: Charge, account: Account) -> str:
    """What a payer's bank reads: EMV fields, ended by their CRC-16."""
    merchant = _field(0, "br.gov.bcb.pix") + _field(25, location(record)["location"])
    code = (
        _field(0, "01")
        + _field(1, "12")
        + _field(26, merchant)
        + _field(52, "0000")
        + _field(53, "986")
        + _field(54, amount(record.amount_q))
        + _field(58, "BR")
        + _field(59, account.name[:25])
        + _field(60, "SAO PAULO")
        + _field(62, _field(5, "***"))
        + "6304"
    )
    return f"{code}{binascii.crc_hqx(code.encode(), 0xFFFF):04X}"


def _field(number: int, value: str) -> str:
    return f"{number:02d}{len(value):02d}{value}"
