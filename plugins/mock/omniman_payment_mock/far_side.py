"""What happens at the gateway without the shop: shoppers, banks, operators, time and truth.

The controls a test uses to play the other side, and the queries a checker believes.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from omniman_payment_core.errors import InvalidRequestError, TransactionNotFoundError
from omniman_payment_core.values import DeclineCode, RefundStatus

from . import rules
from .script import Fault
from .store import Store
from .transactions import GatewayRefund, Movement, Transaction
from .webhooks import sign


@dataclass(slots=True)
class LateRequest:
    """A request whose sender has given up waiting for the answer."""

    due: datetime
    request: Callable[[], object]


class FarSide(ABC):
    """The gateway as seen from its own side of the counter."""

    def __init__(self, store: Store, clock: Callable[[], datetime], webhook_secret: str) -> None:
        self._store = store
        self._clock = clock
        self.late: list[LateRequest] = []
        """Requests on their way that nobody waits for any more."""
        self.webhook_secret = webhook_secret
        self.faults: deque[Fault] = deque()
        """What goes wrong with the next calls of any backend; see :meth:`fail_next`."""
        self.declines: deque[DeclineCode] = deque()

    # Shoppers

    def pay(self, transaction_id: str, amount_q: int | None = None, *, late: bool = False) -> None:
        """The shopper pays an open charge, all of it or another amount.

        ``late``: the money comes although the charge is paid, expired or withdrawn.
        """
        with self._store.lock:
            txn = self._find(transaction_id)
            if not txn.waiting and not late:
                raise ValueError(
                    f"{transaction_id} is {rules.status_of(txn)} and takes no payment; "
                    "late=True pays nevertheless"
                )
            amount = txn.amount_q - txn.captured_q if amount_q is None else amount_q
            if amount <= 0:
                amount = txn.amount_q
            self._take(txn, amount)

    def confirm_3ds(self, transaction_id: str, *, ok: bool = True) -> None:
        """The shopper passes 3-D Secure, or fails it."""
        with self._store.lock:
            txn = self._find(transaction_id)
            if txn.waiting != "3ds":
                raise ValueError(f"{transaction_id} does not wait for 3-D Secure")
            if ok:
                self._take(txn, txn.amount_q)
            else:
                self._fail(txn, DeclineCode.AUTHENTICATION_FAILED)

    def abandon(self, transaction_id: str) -> None:
        """The gateway gives up on a payment that waits for the shopper."""
        with self._store.lock:
            txn = self._find(transaction_id)
            if not txn.waiting:
                raise ValueError(f"{transaction_id} does not wait for the shopper")
            self._fail(txn, DeclineCode.DECLINED)

    # Banks and operators

    def refund_outside(self, transaction_id: str, amount_q: int | None = None) -> str:
        """Somebody refunds in the gateway's dashboard; the refund's id."""
        with self._store.lock:
            txn = self._find(transaction_id)
            amount = rules.refundable_q(txn) if amount_q is None else amount_q
            if amount <= 0 or amount > rules.refundable_q(txn):
                raise ValueError(f"{transaction_id} has {rules.refundable_q(txn)} to refund")
            return self._add_refund(txn, amount, None).reference

    def settle_refund(self, reference: str, *, ok: bool = True) -> None:
        """A pending refund ends; one that had succeeded can only fail."""
        with self._store.lock:
            for txn in self._store.all():
                for refund in txn.refunds:
                    if refund.reference == reference:
                        self._settle_refund(txn, refund, ok)
                        return
            raise ValueError(f"no refund {reference!r} at this gateway")

    def dispute(self, transaction_id: str, amount_q: int | None = None) -> None:
        """The shopper's bank takes money back."""
        with self._store.lock:
            txn = self._find(transaction_id)
            amount = rules.refundable_q(txn) if amount_q is None else amount_q
            if amount <= 0 or amount > rules.refundable_q(txn):
                raise ValueError(f"{transaction_id} has {rules.refundable_q(txn)} to dispute")
            txn.disputed_q += amount
            self._store.save(txn)
            self._book("dispute", txn, -amount, None)

    def win_dispute(self, transaction_id: str) -> None:
        """The bank gives disputed money back."""
        with self._store.lock:
            txn = self._find(transaction_id)
            amount, txn.disputed_q = txn.disputed_q, 0
            self._store.save(txn)
            if amount:
                self._book("dispute_won", txn, amount, None)

    # The wire between a backend and the gateway

    def fail_next(self, fault: Fault) -> None:
        """Let the next call that the fault can strike meet it, whoever makes it."""
        self.faults.append(fault)

    def decline_next(self, code: str) -> None:
        """Refuse the next authorize or charge."""
        self.declines.append(DeclineCode(code))

    def arrive_late(self, request: Callable[[], object], after: timedelta) -> None:
        """A request that its sender has given up on, still on its way here."""
        with self._store.lock:
            self.late.append(LateRequest(self._clock() + after, request))

    def deliver_late(self, *, due_only: bool = False) -> None:
        """Let late requests arrive: all of them, or only those that are due."""
        if not self.late:
            return
        with self._store.lock:
            now = self._clock()
            arrived = [late for late in self.late if not due_only or late.due <= now]
            self.late = [late for late in self.late if late not in arrived]
            for late in arrived:
                with suppress(InvalidRequestError):  # Nobody is there to hear that it was wrong.
                    late.request()

    def webhook(
        self,
        transaction_id: str | None,
        kind: str = "payment.updated",
        *,
        event_id: str | None = None,
        secret: str | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """A signed notification: its headers and body, ready to be delivered."""
        now = self._clock()
        message_id = event_id or self._new_id("evt")
        event = {
            "id": message_id,
            "type": kind,
            "transaction_id": transaction_id,
            "occurred_at": now.isoformat(),
            "livemode": False,
        }
        body = json.dumps(event).encode()
        return sign(body, secret or self.webhook_secret, message_id, now), body

    # Truth

    @property
    def moved(self) -> Sequence[Movement]:
        """Every movement of real money, oldest first."""
        with self._store.lock:
            return self._store.movements()

    def moved_q(self, order_ref: str) -> int:
        """What the shopper of an order is really short of: captures less what went back."""
        with self._store.lock:
            return sum(m.amount_q for m in self._store.movements(order_ref))

    def held_q(self, order_ref: str) -> int:
        """What is really held for an order."""
        with self._store.lock:
            now = self._clock()
            return sum(rules.held_q(self._seen(t, now)) for t in self._store.of_order(order_ref))

    def transactions(self, order_ref: str | None = None) -> Sequence[str]:
        """The ids of an order's transactions, or of all."""
        with self._store.lock:
            found = self._store.all() if order_ref is None else self._store.of_order(order_ref)
            return tuple(t.id for t in found)

    def count(self, counter: str) -> int:
        """Count one up, for faults that strike a number of times."""
        with self._store.lock:
            return self._store.bump(counter)

    def transaction(self, transaction_id: str) -> Transaction | None:
        """The gateway's own record. Look, do not touch."""
        with self._store.lock:
            return self._store.get(transaction_id)

    def close(self) -> None:
        """Give back what the books hold open."""
        self._store.close()

    # Inside

    @abstractmethod
    def _pay(self, txn: Transaction, amount_q: int, now: datetime) -> None: ...

    @abstractmethod
    def _add_refund(self, txn: Transaction, amount_q: int, key: str | None) -> GatewayRefund: ...

    @abstractmethod
    def _new_id(self, prefix: str) -> str: ...

    def _find(self, transaction_id: str) -> Transaction:
        txn = self._store.get(transaction_id)
        if txn is None:
            raise TransactionNotFoundError(f"no transaction {transaction_id!r} at this gateway")
        return self._seen(txn, self._clock())

    def _seen(self, txn: Transaction, now: datetime) -> Transaction:
        """Every look at a transaction first lets happen what was due by the clock."""
        if not txn.waiting and txn.hold_expires_at is None:
            return txn
        script = txn.behaviour
        if txn.waiting and script.pays_after_seconds is not None:
            paid_at = txn.created_at + timedelta(seconds=script.pays_after_seconds)
            if now >= paid_at and (txn.expires_at is None or paid_at < txn.expires_at):
                self._take(txn, script.pays_amount_q or txn.amount_q)
        if rules.lapse(txn, now):
            self._store.save(txn)
        return txn

    def _on_read(self, txn: Transaction) -> None:
        script = txn.behaviour
        for refund in txn.refunds:
            if refund.fails_at_next_read:
                self._settle_refund(txn, refund, False)
        if txn.waiting and script.pays_after_reads is not None:
            txn.reads += 1
            self._store.save(txn)
            if txn.reads >= script.pays_after_reads:
                self._take(txn, script.pays_amount_q or txn.amount_q)

    def _take(self, txn: Transaction, amount_q: int) -> None:
        captured = txn.captured_q
        self._pay(txn, amount_q, self._clock())
        if not txn.captures_at_once or txn.captured_q >= txn.amount_q:
            txn.waiting = ""
        self._store.save(txn)
        if txn.captured_q > captured:
            self._book("capture", txn, txn.captured_q - captured, None)

    def _fail(self, txn: Transaction, code: DeclineCode) -> None:
        txn.waiting, txn.declined = "", code
        self._store.save(txn)

    def _settle_refund(self, txn: Transaction, refund: GatewayRefund, ok: bool) -> None:
        before, refund.fails_at_next_read = refund.status, False
        if before is RefundStatus.FAILED or (ok and before is RefundStatus.SUCCEEDED):
            raise ValueError(f"refund {refund.reference} has {before} already")
        refund.status = RefundStatus.SUCCEEDED if ok else RefundStatus.FAILED
        self._store.save(txn)
        if ok:
            self._book("refund", txn, -refund.amount_q, refund.idempotency_key)
        elif before is RefundStatus.SUCCEEDED:
            self._book("refund_returned", txn, refund.amount_q, refund.idempotency_key)

    def _book(self, kind: str, txn: Transaction, amount_q: int, key: str | None) -> None:
        self._store.book(
            Movement(kind, txn.id, txn.order_ref, amount_q, txn.currency, key, self._clock())
        )
