"""The Pix simulator, played by buttons over its control API; it notifies the shop by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from omniman_payment_core.values import PaymentStatus, RefundStatus
from omniman_payment_django.models import Payment, Refund
from omniman_payment_django.pay.amounts import amount_text
from omniman_payment_simulators.pix import ControlError, PixControl

from .deeds import Deed, DeedRefusedError, Truth, doing, doing_with_amount

_do = partial(doing, ControlError)
_with_amount = partial(doing_with_amount, ControlError)

_PAYABLE = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)
_RETURNS = (
    ("returns-wait", "From now on returns take their time", "wait"),
    ("returns-refused", "From now on returns are refused", "refuse"),
    ("returns-at-once", "From now on returns are made at once", "at_once"),
)


class PixSide:
    """Payers in their banks' apps, and Efi with its own app."""

    name = "Pix simulator"
    keeps_its_books = False

    def __init__(self, control: PixControl) -> None:
        self._control = control

    def deeds(self, payment: Payment, refunds: Sequence[Refund]) -> Sequence[Deed]:
        txid = payment.transaction_id
        return [] if txid is None else list(self._deeds(txid, payment, refunds))

    def _deeds(self, txid: str, payment: Payment, refunds: Sequence[Refund]) -> Iterator[Deed]:
        control = self._control
        if payment.status in _PAYABLE:
            yield Deed("pay", "The shopper pays this Pix", _do(control.pay, txid))
            yield Deed(
                "pay-amount",
                "The shopper pays another amount",
                _with_amount(control.pay, txid),
                takes_amount=True,
            )
            return
        yield Deed(
            "pay-late",
            "A payment that was under way lands late",
            _do(control.pay, txid, in_flight=True),
        )
        for refund in refunds:
            if refund.status == RefundStatus.PENDING and refund.reference:
                yield from self._endings(payment, refund)
        if payment.captured_q > payment.refunded_q + payment.refund_pending_q:
            yield Deed(
                "refund",
                "Somebody refunds in Efi's app",
                _with_amount(control.refund_outside, txid),
                takes_amount=True,
            )
            for name, label, mode in _RETURNS:
                yield Deed(name, label, _do(control.returns, mode))

    def _endings(self, payment: Payment, refund: Refund) -> Iterator[Deed]:
        """A return that is under way arrives, or does not."""
        amount = amount_text(refund.amount_q, payment.currency)
        for name, label, status in (
            ("return-arrives", f"The return of {amount} arrives", "DEVOLVIDO"),
            ("return-fails", f"The return of {amount} fails", "NAO_REALIZADO"),
        ):
            yield Deed(
                name,
                label,
                _do(self._settle, refund.reference, status),
                refund.reference,
                danger=status != "DEVOLVIDO",
            )

    def _settle(self, number: str, status: str) -> None:
        """Pix names a return by its payment and its own id; who asked for it knows both."""
        for request in self._control.requests():
            parts = str(request["path"]).split("/")
            if parts[1:3] == ["v2", "pix"] and parts[4:] == ["devolucao", number]:
                self._control.settle_return(parts[3], number, status)
                return
        raise DeedRefusedError("The simulator knows no such return.")

    def truths(self, order_refs: Sequence[str]) -> Mapping[str, Truth]:
        orders = self._control.ledger()["orders"]
        return {ref: Truth(int(orders.get(ref, {}).get("moved", 0))) for ref in order_refs}
