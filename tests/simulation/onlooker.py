"""Lets the invariants be checked over a shop that no simulated world drives, by its books alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from omniman_payment_core.records import Payment
from omniman_payment_core.testing import MemoryStore
from omniman_payment_mock.gateway import MockGateway
from omniman_payment_mock.transactions import Movement


class _Books:
    """The gateway's books, of which everything may have been touched since the last check."""

    def __init__(self, gateway: MockGateway) -> None:
        self._gateway = gateway

    @property
    def touched(self) -> set[str]:
        return set(self._gateway.transactions())

    def movements(self, order_ref: str) -> Sequence[Movement]:
        return [movement for movement in self._gateway.moved if movement.order_ref == order_ref]


class Onlooker:
    """What a world shows to the invariants, of one store and the gateway of one account."""

    def __init__(
        self, store: MemoryStore, gateway: MockGateway, account: str, *, shows_amounts: bool
    ) -> None:
        self.store = store
        self.marks: Counter[str] = Counter()
        self.rng_for_checks = random.Random(7)
        self.broken: list[Any] = []
        self.seen: Any = None
        self.payers = SimpleNamespace(unasked=set())
        self.operator = SimpleNamespace(gave_up=set())
        self.hearing = SimpleNamespace(moves={}, heard=Counter())
        one = SimpleNamespace(
            name=account,
            gateway=gateway,
            books=_Books(gateway),
            wire=SimpleNamespace(effects=[]),
            shows_amounts=shows_amounts,
        )
        self.accounts = _Accounts(one)

    def payments_of(self, ref: str) -> list[Payment]:
        return [p for p in self.store.payments.values() if p.order_ref == ref]

    def payment_of(self, transaction_id: str) -> Payment | None:
        found = (p for p in self.store.payments.values() if p.transaction_id == transaction_id)
        return next(found, None)


class _Accounts:
    """The one account."""

    def __init__(self, one: Any) -> None:
        self.all = [one]

    def __getitem__(self, name: str) -> Any:
        return self.all[0]


def onlooker_of(shop: Any) -> Onlooker:
    """The one that watches a shop: anything with a ``store`` and the ``gateway`` of one account."""
    watching = getattr(shop, "onlooker", None)
    if watching is None:
        plain = str(getattr(shop, "strength", "")).startswith("five_methods")
        watching = Onlooker(shop.store, shop.gateway, "mock", shows_amounts=not plain)
        shop.onlooker = watching
    onlooker: Onlooker = watching
    return onlooker
