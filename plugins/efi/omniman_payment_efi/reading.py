"""What Efi shows of a charge, as a result: amounts from payments and refunds, never from a word.

Source: API Pix, schemas CobCompleta, Pix and Devolucao.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from omniman_payment_core.errors import OutcomeUnknownError
from omniman_payment_core.values import (
    ActionKind,
    NextAction,
    PaymentResult,
    PaymentStatus,
    RefundSnapshot,
    RefundStatus,
)

from .amounts import CURRENCY, from_pix
from .brcode import BRCodeError, check, qr_image

Json = Mapping[str, Any]
_T = TypeVar("_T")

PROVIDER = "efi"
LATE = timedelta(seconds=60)
"""A charge counts as expired this long after its time: clocks differ, and payments travel."""

_OPEN, _PAID = "ATIVA", "CONCLUIDA"
_ENDED = {
    "REMOVIDA_PELO_USUARIO_RECEBEDOR": PaymentStatus.CANCELLED,
    "REMOVIDA_PELO_PSP": PaymentStatus.FAILED,
}
_REFUNDS = {
    "EM_PROCESSAMENTO": RefundStatus.PENDING,
    "DEVOLVIDO": RefundStatus.SUCCEEDED,
    "NAO_REALIZADO": RefundStatus.FAILED,
}


class AnswerError(ValueError):
    """An answer that is not what the interface promises; says where."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One Pix that arrived for a charge: somebody's money, and what went back of it."""

    e2eid: str
    amount_q: int
    refunds: tuple[RefundSnapshot, ...] = field(default=())

    @property
    def left_q(self) -> int:
        """What can still be returned."""
        return self.amount_q - sum(
            refund.amount_q for refund in self.refunds if refund.status != RefundStatus.FAILED
        )


def readable(read: Callable[[], _T]) -> _T:
    """Read an answer; one that is not as promised leaves the outcome unknown."""
    try:
        return read()
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise OutcomeUnknownError(
            f"Efi's answer cannot be read ({type(error).__name__}: {error})"[:200]
        ) from None


def needs_payments(cob: Json) -> bool:
    """Whether a charge is called paid and shows no payment: then they have to be asked for."""
    return cob.get("status") == _PAID and not cob.get("pix")


def payments_of(listed: object, keys: Sequence[str]) -> tuple[Payment, ...]:
    """The payments among what is listed that came to one of our keys, each once."""
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise AnswerError("pix is no list")
    found: dict[str, Payment] = {}
    used: set[str] = set()
    for each in listed:
        e2eid = each["endToEndId"]
        # Another tenant of the same institution may cause a notification, not a payment to us.
        if each.get("chave", keys[0]) not in keys or e2eid in found:
            continue
        refunds = []
        for devolucao in each.get("devolucoes") or ():
            reference = str(devolucao["id"])
            if reference in used:
                # Unique under one payment only.
                reference = f"{e2eid}/{reference}"
            used.add(reference)
            refunds.append(read_refund(devolucao, reference))
        found[e2eid] = Payment(e2eid, from_pix(each["valor"]), tuple(refunds))
    return tuple(found.values())


def read_refund(devolucao: Json, reference: str) -> RefundSnapshot:
    """One refund; a status nobody knows is one that is under way."""
    status = _REFUNDS.get(devolucao.get("status", ""), RefundStatus.PENDING)
    return RefundSnapshot(reference, from_pix(devolucao["valor"]), status)


def read_charge(cob: Json, payments: Sequence[Payment], now: datetime) -> PaymentResult:
    """A charge and its payments.

    :raises AnswerError: also as ``LookupError``, ``TypeError`` or ``ValueError`` where a field
        is missing or of another kind.
    """
    txid = str(cob["txid"])
    asked = from_pix(cob["valor"]["original"])
    ends_at = expiry_of(cob)
    paid = sum(payment.amount_q for payment in payments)
    refunds = tuple(refund for payment in payments for refund in payment.refunds)
    returned = sum(r.amount_q for r in refunds if r.status != RefundStatus.FAILED)
    status = _status(cob, asked, paid, returned, ends_at, now)
    action = _action(cob, asked, ends_at) if status == PaymentStatus.PENDING else None
    failed = status == PaymentStatus.FAILED
    return PaymentResult(
        success=not failed,
        transaction_id=txid,
        status=status,
        error_code="declined" if failed else None,
        error_message="Efi removed the charge" if failed else None,
        metadata=_metadata(cob, payments, action),
        amount_q=asked,
        currency=CURRENCY,
        captured_q=paid,
        refunded_q=returned,
        refunds=refunds,
        next_action=action,
        expires_at=ends_at,
    )


def expiry_of(cob: Json) -> datetime:
    """When the charge can no longer be paid: its creation and its life in seconds."""
    calendar = cob["calendario"]
    made_at = moment(calendar["criacao"])
    try:
        # Efi documents the number as a text here and there.
        return made_at + timedelta(seconds=int(calendar.get("expiracao", 86_400)))
    except OverflowError:
        raise AnswerError("calendario ends beyond all time") from None


def moment(text: object) -> datetime:
    """A time of the gateway as aware UTC."""
    if not isinstance(text, str):
        raise AnswerError("a time is no text")
    read = datetime.fromisoformat(text)
    try:
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except OverflowError:
        raise AnswerError("a time is beyond all time") from None


def _status(
    cob: Json, asked: int, paid: int, returned: int, ends_at: datetime, now: datetime
) -> PaymentStatus:
    if paid:
        if returned >= paid:
            return PaymentStatus.REFUNDED
        if returned:
            return PaymentStatus.PARTIALLY_REFUNDED
        return PaymentStatus.CAPTURED if paid >= asked else PaymentStatus.PARTIALLY_CAPTURED
    word = cob.get("status")
    if word == _OPEN and now - ends_at >= LATE:
        # The gateway goes on calling it open.
        return PaymentStatus.EXPIRED
    return _ENDED.get(str(word), PaymentStatus.PENDING)


def _action(cob: Json, asked: int, ends_at: datetime) -> NextAction | None:
    """What the shopper sees. A code that no bank would take is worse than none."""
    code = cob.get("pixCopiaECola")
    if cob.get("status") != _OPEN or not isinstance(code, str):
        return None
    try:
        check(code, asked)
    except BRCodeError as error:
        raise AnswerError(f"pixCopiaECola: {error}") from None
    return NextAction(
        ActionKind.SHOW_QR,
        {
            "provider": PROVIDER,
            "copy_paste": code,
            "qr_image": qr_image(code),
            "expires_at": ends_at.isoformat(),
        },
    )


def _metadata(cob: Json, payments: Sequence[Payment], action: NextAction | None) -> dict[str, Any]:
    """The names of the specification page for what the shopper needs; ids for the operator."""
    shown: dict[str, Any] = {"efi_status": str(cob.get("status", ""))}
    if action is not None:
        shown |= {
            "qr_code": action.data["copy_paste"],
            "qr_image": action.data["qr_image"],
            "copy_paste": action.data["copy_paste"],
            "expires_at": action.data["expires_at"],
        }
    if payments:
        shown["end_to_end_ids"] = [payment.e2eid for payment in payments]
    return shown
