"""The far side: a stateful gateway that keeps true books and honours idempotency keys.

It knows nothing of backends, networks or faults: whatever reaches it is carried out
completely or refused, and ``moved`` tells which money really moved.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from omniman_payment_core.currencies import normalise_currency
from omniman_payment_core.errors import InvalidRequestError, TransactionNotFoundError
from omniman_payment_core.values import PaymentResult, PaymentStatus, RefundStatus

from . import rules
from .far_side import FarSide
from .script import NO_BEHAVIOUR, Behaviour
from .store import Asked, MemoryStore, Remembered, Store
from .transactions import GatewayRefund, Transaction
from .webhooks import new_secret

KEY_WINDOW = timedelta(hours=24)
HOLD_PERIOD = timedelta(days=7)
CHARGE_PERIOD = timedelta(hours=1)


def utc_now() -> datetime:
    """The clock where none is injected."""
    return datetime.now(UTC)


def id_for(gateway: str, idempotency_key: str) -> str:
    """The transaction id that belongs to a key: the same on every call, on every machine."""
    digest = blake2b(f"{gateway}\0{idempotency_key}".encode(), digest_size=15)
    return f"mock_{digest.hexdigest()}"


class MockGateway(FarSide):
    """The gateway's request side; what shoppers and operators do is in :class:`FarSide`.

    :param clock: the gateway's time, aware UTC.
    :param rng: where ids come from that no key determines; unpredictable when left out.
    :param key_window: how long an idempotency key is remembered; ``None``: for ever.
    """

    def __init__(
        self,
        name: str = "",
        *,
        clock: Callable[[], datetime] = utc_now,
        rng: random.Random | None = None,
        key_window: timedelta | None = KEY_WINDOW,
        hold_period: timedelta = HOLD_PERIOD,
        charge_period: timedelta = CHARGE_PERIOD,
        webhook_secret: str | None = None,
        store: Store | None = None,
    ) -> None:
        books: Store = MemoryStore() if store is None else store
        super().__init__(books, clock, webhook_secret or new_secret())
        self.name = name
        self._random_bytes = os.urandom if rng is None else rng.randbytes
        self.key_window = key_window
        self.hold_period = hold_period
        self.charge_period = charge_period

    # Requests of a backend

    def open(
        self,
        kind: str,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *,
        behaviour: Behaviour = NO_BEHAVIOUR,
        key: str | None = None,
        transaction_id: str | None = None,
    ) -> PaymentResult:
        """Hold (``kind="authorize"``) or take (``kind="charge"``) money of a shopper."""
        _check_amount(amount_q)
        code = normalise_currency(currency)
        if code is None:
            raise InvalidRequestError("currency: an ISO 4217 code is expected")
        if not order_ref:
            raise InvalidRequestError("order_ref: a text that is not empty is expected")
        asked: Asked = ()
        if key is not None:
            # The caller's mappings are theirs to change; what was asked is not.
            method, extra = dict(payment_method), dict(metadata or ())
            asked = (kind, amount_q, code, order_ref, method, extra, transaction_id)
        with self._store.lock:
            now = self._clock()
            if key is not None and (known := self._replay(key, asked, now)) is not None:
                return known
            txn = Transaction(
                self._address(transaction_id, key),
                order_ref,
                amount_q,
                code,
                kind == "charge",
                now,
                behaviour=behaviour,
            )
            self._begin(txn, now)
            self._store.save(txn)
            if txn.captured_q:
                self._book("capture", txn, txn.captured_q, key)
            declined = behaviour.decline
            refusal = None if declined is None else (declined, "the payment was declined")
            answer = rules.view(txn, refusal=refusal)
            return answer if key is None else self._answer(key, asked, now, answer)

    def capture(
        self, transaction_id: str, amount_q: int | None = None, *, key: str | None = None
    ) -> PaymentResult:
        """Take held money; what is left stays held until it is captured, voided or lapses."""
        _check_optional(amount_q)
        asked = ("capture", transaction_id, amount_q)
        with self._store.lock:
            now = self._clock()
            txn = self._txn(transaction_id, now)
            if key is not None and (known := self._replay(key, asked, now)) is not None:
                return known
            amount = rules.held_q(txn) if amount_q is None else amount_q
            refusal = rules.refuse_capture(txn, amount)
            if refusal is not None:
                return self._refuse(key, asked, now, txn, refusal)
            txn.captured_q += amount
            self._store.save(txn)
            self._book("capture", txn, amount, key)
            return self._answer(key, asked, now, rules.view(txn))

    def refund(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        reason: str | None = None,
        *,
        key: str | None = None,
    ) -> PaymentResult:
        """Send captured money back."""
        _check_optional(amount_q)
        asked = ("refund", transaction_id, amount_q, reason)
        with self._store.lock:
            now = self._clock()
            txn = self._txn(transaction_id, now)
            if key is not None and (known := self._replay(key, asked, now)) is not None:
                return known
            amount = rules.refundable_q(txn) if amount_q is None else amount_q
            refusal = rules.refuse_refund(txn, amount)
            if refusal is not None:
                return self._refuse(key, asked, now, txn, refusal)
            refund = self._add_refund(txn, amount, key)
            done = refund.status is RefundStatus.SUCCEEDED
            return self._answer(
                key,
                asked,
                now,
                rules.view(
                    txn,
                    status=PaymentStatus.REFUNDED if done else PaymentStatus.PENDING,
                    reference=refund.reference,
                ),
            )

    def cancel(self, transaction_id: str, *, key: str | None = None) -> PaymentResult:
        """Void what is still held, or withdraw a charge nobody has paid."""
        asked = ("cancel", transaction_id)
        with self._store.lock:
            now = self._clock()
            txn = self._txn(transaction_id, now)
            if key is not None and (known := self._replay(key, asked, now)) is not None:
                return known
            refusal = rules.refuse_cancel(txn)
            if refusal is not None:
                return self._refuse(key, asked, now, txn, refusal)
            txn.released_q += rules.held_q(txn)
            txn.waiting, txn.cancelled = "", True
            self._store.save(txn)
            return self._answer(key, asked, now, rules.view(txn))

    def read(self, transaction_id: str) -> PaymentResult:
        """The transaction as it is now."""
        with self._store.lock:
            txn = self._txn(transaction_id, self._clock())
            self._on_read(txn)
            return rules.view(txn)

    def of_order(self, order_ref: str) -> Sequence[PaymentResult]:
        """Every transaction of an order, oldest first."""
        with self._store.lock:
            now = self._clock()
            return tuple(rules.view(self._seen(t, now)) for t in self._store.of_order(order_ref))

    def since(self, moment: datetime) -> Sequence[PaymentResult]:
        """Every transaction made at or after a moment, oldest first."""
        with self._store.lock:
            now = self._clock()
            made = (t for t in self._store.all() if t.created_at >= moment)
            return tuple(rules.view(self._seen(t, now)) for t in made)

    # Inside

    def _begin(self, txn: Transaction, now: datetime) -> None:
        script = txn.behaviour
        txn.waiting = script.waiting
        if script.decline is not None:
            txn.declined = script.decline
        elif txn.waiting:
            period = timedelta(seconds=script.expires_in) if script.expires_in else None
            txn.expires_at = now + (period or self.charge_period)
        else:
            self._pay(txn, txn.amount_q, now)

    def _pay(self, txn: Transaction, amount_q: int, now: datetime) -> None:
        if txn.captures_at_once:
            txn.captured_q += amount_q
            txn.authorized_q += amount_q
        else:
            script = txn.behaviour
            period = timedelta(seconds=script.expires_in) if script.expires_in else None
            txn.authorized_q += amount_q
            txn.hold_expires_at = now + (period or self.hold_period)

    def _add_refund(self, txn: Transaction, amount_q: int, key: str | None) -> GatewayRefund:
        script = txn.behaviour.refund
        status = RefundStatus.PENDING if script == "pending" else RefundStatus.SUCCEEDED
        refund = GatewayRefund(
            self._new_id("mockre"), amount_q, status, key, script == "fails_later"
        )
        txn.refunds = (*txn.refunds, refund)
        self._store.save(txn)
        if status is RefundStatus.SUCCEEDED:
            self._book("refund", txn, -amount_q, key)
        return refund

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}_{self._random_bytes(15).hex()}"

    def _address(self, chosen: str | None, key: str | None) -> str:
        if chosen is not None:
            if self._store.get(chosen) is not None:
                raise InvalidRequestError(f"transaction id {chosen!r} is taken")
            return chosen
        if key is not None:
            derived = id_for(self.name, key)
            # Taken means the key was used and has been forgotten since: this is a new payment.
            if self._store.get(derived) is None:
                return derived
        return self._new_id("mock")

    def _txn(self, transaction_id: str, now: datetime) -> Transaction:
        txn = self._store.get(transaction_id)
        if txn is None:
            raise TransactionNotFoundError(f"no transaction {transaction_id!r} at this gateway")
        return self._seen(txn, now)

    def _replay(self, key: str, asked: Asked, now: datetime) -> PaymentResult | None:
        known = self._store.recall(key)
        if known is None:
            return None
        if self.key_window is not None and now - known.at >= self.key_window:
            return None
        if known.asked != asked:
            raise InvalidRequestError(
                f"idempotency key {key!r} was used before with other parameters"
            )
        return known.answer

    def _answer(
        self, key: str | None, asked: Asked, now: datetime, answer: PaymentResult
    ) -> PaymentResult:
        if key is not None:
            self._store.remember(key, Remembered(asked, answer, now))
        return answer

    def _refuse(
        self,
        key: str | None,
        asked: Asked,
        now: datetime,
        txn: Transaction,
        refusal: rules.Refusal,
    ) -> PaymentResult:
        answer = rules.view(txn, status=PaymentStatus.FAILED, refusal=refusal)
        return self._answer(key, asked, now, answer)


def _check_amount(amount_q: object) -> None:
    if not isinstance(amount_q, int) or isinstance(amount_q, bool) or amount_q <= 0:
        raise InvalidRequestError("amount_q: a whole number above zero is expected")


def _check_optional(amount_q: int | None) -> None:
    if amount_q is not None:
        _check_amount(amount_q)
