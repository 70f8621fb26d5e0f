"""Where the far side keeps its books: the port, and the fast one in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from omniman_payment_core.values import PaymentResult

from .transactions import Movement, Transaction

Asked = tuple[Any, ...]
"""A request as it came: which, and with what parameters."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an idempotency key stands for: what was asked, and the answer to it."""

    asked: Asked = field(repr=False)
    answer: PaymentResult
    at: datetime


class Store(Protocol):
    """The books. Everything else is called with ``lock`` held, which makes it one step."""

    lock: AbstractContextManager[Any]

    def get(self, transaction_id: str) -> Transaction | None: ...

    def save(self, txn: Transaction) -> None:
        """Write a new or changed transaction."""
        ...

    def of_order(self, order_ref: str) -> Sequence[Transaction]: ...

    def all(self) -> Sequence[Transaction]: ...

    def recall(self, key: str) -> Remembered | None: ...

    def remember(self, key: str, answer: Remembered) -> None: ...

    def book(self, movement: Movement) -> None: ...

    def movements(self, order_ref: str | None = None) -> Sequence[Movement]: ...

    def bump(self, counter: str) -> int:
        """Count one up; the new count."""
        ...

    def close(self) -> None: ...


class MemoryStore:
    """Books in dictionaries, behind one lock."""

    def __init__(self) -> None:
        self.lock: AbstractContextManager[Any] = threading.RLock()
        self._transactions: dict[str, Transaction] = {}
        # Tuples of ids: thousands of payments leave the garbage collector nothing to walk.
        self._by_order: dict[str, tuple[str, ...]] = {}
        self._keys: dict[str, Remembered] = {}
        self._moved: list[Movement] = []
        self._moved_by_order: dict[str, list[Movement]] = {}
        self._counters: dict[str, int] = {}

    def get(self, transaction_id: str) -> Transaction | None:
        return self._transactions.get(transaction_id)

    def recall(self, key: str) -> Remembered | None:
        return self._keys.get(key)

    def remember(self, key: str, answer: Remembered) -> None:
        self._keys[key] = answer

    def save(self, txn: Transaction) -> None:
        if txn.id not in self._transactions:
            self._transactions[txn.id] = txn
            self._by_order[txn.order_ref] = (*self._by_order.get(txn.order_ref, ()), txn.id)

    def of_order(self, order_ref: str) -> Sequence[Transaction]:
        return tuple(self._transactions[i] for i in self._by_order.get(order_ref, ()))

    def all(self) -> Sequence[Transaction]:
        return tuple(self._transactions.values())

    def book(self, movement: Movement) -> None:
        self._moved.append(movement)
        self._moved_by_order.setdefault(movement.order_ref, []).append(movement)

    def movements(self, order_ref: str | None = None) -> Sequence[Movement]:
        return tuple(self._moved if order_ref is None else self._moved_by_order.get(order_ref, ()))

    def bump(self, counter: str) -> int:
        count = self._counters.get(counter, 0) + 1
        self._counters[counter] = count
        return count

    def close(self) -> None:
        """Nothing to give back: the books live as long as the gateway does."""
