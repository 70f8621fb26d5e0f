"""The institution's memory, and what it does with money; knows nothing of HTTP."""

from __future__ import annotations

import itertools
import random
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from ..common.clock import Clock
from . import shapes
from .errors import charge_not_found, efi, payment_not_found
from .records import (
    NOT_DONE,
    OPEN,
    PAID,
    PROCESSING,
    REMOVED_BY_PSP,
    RETURNED,
    Account,
    Charge,
    Payment,
    Refund,
)

Told = Callable[[Account, str, list[dict[str, Any]]], None]
"""Tells an account of what happened to payments on one of its keys."""

AT_ONCE, WAIT, REFUSE = "at_once", "wait", "refuse"
RETURNS = (AT_ONCE, WAIT, REFUSE)

_ISPB = "09089356"
_SIGN = {"paid": 1, "returned": -1, "return_failed": 1}


class State:
    """Everything that a reset forgets."""

    def __init__(
        self, clock: Clock, accounts: Sequence[Account], tell: Told, *, auto_pay: bool = False
    ) -> None:
        self.clock = clock
        self.tell = tell
        self._auto_pay_at_first = auto_pay
        self._first = [
            (a.client_id, a.client_secret, list(a.keys), a.cnpj, a.name) for a in accounts
        ]
        self.clear()

    def clear(self) -> None:
        """As if it had just been started; the time stays where it is."""
        self.accounts = {
            number: Account(number, secret, list(keys), cnpj, name)
            for number, secret, keys, cnpj, name in self._first
        }
        self.tokens: dict[str, tuple[str, float]] = {}
        self.issued = 0
        self.charges: dict[tuple[str, str], Charge] = {}
        self.paid_by: dict[str, Charge] = {}
        self.movements: list[dict[str, Any]] = []
        self.returns = AT_ONCE
        self.declines: list[str] = []
        self.auto_pay = self._auto_pay_at_first
        self._numbers = itertools.count(1)
        self._ids = random.Random(secrets.randbits(64))

    # Looking

    def now(self) -> float:
        return float(self.clock.now())

    def add_account(self, client_id: str, client_secret: str, key: str) -> None:
        """Another tenant of the same institution."""
        if client_id in self.accounts:
            raise ValueError(f"there is an account {client_id} already")
        if any(key in account.keys for account in self.accounts.values()):
            raise ValueError("a Pix key belongs to one account")
        number = f"{self.next_number():014d}"
        self.accounts[client_id] = Account(client_id, client_secret, [key], number, "OUTRA LOJA")

    def charge(self, owner: str, txid: str) -> Charge:
        """One of an account's own charges; nobody sees another's."""
        found = self.charges.get((self.accounts[owner].cnpj, txid))
        if found is None or found.owner != owner:
            raise charge_not_found()
        return found

    def charges_of(self, owner: str) -> list[Charge]:
        """An account's charges, oldest first."""
        return [charge for charge in self.charges.values() if charge.owner == owner]

    def any_charge(self, txid: str, key: str | None = None) -> Charge:
        """A charge as payers know it: by what its code says, not by whose account it is."""
        found = [
            charge
            for (_, name), charge in self.charges.items()
            if name == txid and key in (None, charge.key)
        ]
        if not found:
            raise charge_not_found()
        if len(found) > 1:
            raise ValueError("several accounts have a charge of this txid: name the pix_key")
        return found[0]

    def payments(self, owner: str) -> list[Payment]:
        """An account's payments, oldest first."""
        found = [p for c in self.charges.values() if c.owner == owner for p in c.payments]
        return sorted(found, key=lambda p: p.at)

    def payment(self, owner: str, e2eid: str) -> Payment:
        """One of an account's own."""
        charge = self.paid_by.get(e2eid)
        if charge is None or charge.owner != owner:
            raise payment_not_found()
        return next(payment for payment in charge.payments if payment.e2eid == e2eid)

    def ledger(self) -> dict[str, Any]:
        """Every movement of money, and for each order what was moved in all."""
        orders: dict[str, dict[str, int]] = {}
        for movement in self.movements:
            total = orders.setdefault(movement["order_ref"], {"moved": 0})
            total["moved"] += _SIGN[movement["kind"]] * movement["amount_q"]
        return {"movements": self.movements, "orders": orders}

    # Doing

    def next_number(self) -> int:
        return next(self._numbers)

    def open(
        self, owner: str, txid: str, body: dict[str, Any], amount_q: int, lives: int
    ) -> Charge:
        """A new charge; where the sandbox pays small ones by itself, this one perhaps paid."""
        charge = Charge(
            txid, owner, body["chave"], amount_q, self.now(), lives, self.next_number(), body
        )
        self.charges[self.accounts[owner].cnpj, txid] = charge
        return charge

    def pay(
        self,
        charge: Charge,
        amount_q: int | None = None,
        *,
        in_flight: bool = False,
        payer_info: str = "",
    ) -> Payment:
        """A payer pays; ``in_flight``: the payment was on its way before the charge ended."""
        if not in_flight and (charge.status != OPEN or self.now() >= charge.ends_at):
            raise efi(422, "cobranca_nao_pagavel", f"A cobrança está {self._standing(charge)}")
        payment = Payment(
            e2eid=f"E{_ISPB}{self._stamp()}{self._letters(11)}",
            txid=charge.txid,
            key=charge.key,
            amount_q=charge.amount_q if amount_q is None else amount_q,
            at=self.now(),
            payer_info=payer_info,
        )
        charge.payments.append(payment)
        self.paid_by[payment.e2eid] = charge
        if charge.status == OPEN:
            charge.status = PAID
        self._book("paid", charge, payment)
        self._tell(charge, payment)
        return payment

    def remove(self, charge: Charge) -> None:
        """The institution itself withdraws a charge."""
        if charge.status != OPEN:
            raise ValueError(f"the charge is {charge.status}")
        charge.status = REMOVED_BY_PSP
        charge.revision += 1

    def give_back(
        self, payment: Payment, number: str, amount_q: int, description: str = ""
    ) -> Refund:
        """A return, asked for by its owner; the amount was checked."""
        refund = Refund(
            number,
            f"D{_ISPB}{self._stamp()}{self._letters(11)}",
            amount_q,
            self.now(),
            description=description,
        )
        payment.refunds.append(refund)
        charge = self.paid_by[payment.e2eid]
        if self.returns == REFUSE:
            refund.status, refund.reason = NOT_DONE, "Devolução rejeitada pelo PSP do pagador"
            self._tell(charge, payment)
            return refund
        self._book("returned", charge, payment, refund)
        if self.returns == AT_ONCE:
            self.settle(payment, refund, RETURNED)
        return refund

    def settle(self, payment: Payment, refund: Refund, status: str) -> None:
        """A return that was under way arrives, or does not."""
        if refund.status != PROCESSING:
            raise ValueError(f"the refund is {refund.status} already")
        refund.status, refund.settled_at = status, self.now()
        charge = self.paid_by[payment.e2eid]
        if status == NOT_DONE:
            refund.reason = "Conta de destino não aceita a devolução"
            self._book("return_failed", charge, payment, refund)
        self._tell(charge, payment)

    def _tell(self, charge: Charge, payment: Payment) -> None:
        self.tell(self.accounts[charge.owner], payment.key, [shapes.payment(payment)])

    def _book(
        self, kind: str, charge: Charge, payment: Payment, refund: Refund | None = None
    ) -> None:
        self.movements.append(
            {
                "seq": len(self.movements) + 1,
                "at": self.now(),
                "kind": kind,
                "amount_q": payment.amount_q if refund is None else refund.amount_q,
                "txid": charge.txid,
                "e2eid": payment.e2eid,
                "devolucao_id": "" if refund is None else refund.id,
                "chave": payment.key,
                "order_ref": charge.order_ref,
            }
        )

    def _standing(self, charge: Charge) -> str:
        return "expirada" if charge.status == OPEN else charge.status

    def _stamp(self) -> str:
        return shapes.stamp(self.now())[:16].translate(str.maketrans("", "", "-:T"))

    def _letters(self, number: int) -> str:
        alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
        return "".join(self._ids.choice(alphabet) for _ in range(number))
