"""What happens to a payment at its gateway without our hearing of it; and what is no difference."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from omniman_payment_mock import MockGateway

TOTAL_Q = 1000
PART_Q = 400

Act = Callable[[MockGateway, str, random.Random], None]


@dataclass(frozen=True, slots=True)
class Life:
    """How a payment begins, what we do with it, and what is then done behind our back."""

    name: str
    charge: bool = True
    behaviour: dict[str, Any] = field(default_factory=dict)
    asks: tuple[tuple[str, dict[str, Any]], ...] = ()
    """Further directives, once it has begun."""
    behind: Act | None = None
    """What nobody tells us of."""
    differs: bool = True
    heals: bool = True
    """The reconciliation puts the books right, or finds them so."""

    def __str__(self) -> str:
        return self.name


def _pay(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.pay(transaction)


def _pay_otherwise(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.pay(transaction, rng.choice([1, rng.randint(2, TOTAL_Q - 1), rng.randint(1001, 3000)]))


def _pay_after_all(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.pay(transaction, late=True)


def _authenticate(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.confirm_3ds(transaction, ok=rng.random() < 0.5)


def _abandon(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.abandon(transaction)


def _refund(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    for part_q in rng.choice([(TOTAL_Q,), (rng.randint(1, TOTAL_Q),), (1, 2), (PART_Q, 1)]):
        gateway.refund_outside(transaction, part_q)


def _refund_a_cent(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.refund_outside(transaction, 1)


def _dispute(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.dispute(transaction, rng.randint(1, TOTAL_Q))


def _win(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.dispute(transaction)
    gateway.win_dispute(transaction)


def _capture(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.capture(transaction, rng.choice([TOTAL_Q, rng.randint(1, TOTAL_Q)]))


def _void(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.cancel(transaction)


def _end_refund(ok: bool) -> Act:
    def end(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
        found = gateway.transaction(transaction)
        assert found is not None
        gateway.settle_refund(found.refunds[0].reference, ok=ok)

    return end


def _refund_and_dispute(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    gateway.refund_outside(transaction, rng.randint(1, 500))
    gateway.dispute(transaction, rng.randint(1, 500))


def _forget(gateway: MockGateway, transaction: str, rng: random.Random) -> None:
    store: Any = gateway._store
    with store.lock:
        del store._transactions[transaction]


_REFUND = (("payment.refund", {"amount_q": PART_Q}),)
_CONFIRM = (("payment.confirm", {}),)
_PART = (("payment.confirm", {"amount_q": PART_Q}),)
_CANCEL = (("payment.cancel", {}),)
_QR = {"qr": True}
_SLOW = {"refund": "pending"}

LIVES = (
    Life("paid, and nobody told", behaviour=_QR, behind=_pay),
    Life("paid with another amount", behaviour=_QR, behind=_pay_otherwise),
    Life("paid after it was withdrawn", behaviour=_QR, asks=_CANCEL, behind=_pay_after_all),
    Life("authenticated, or not", behaviour={"authenticate": True}, behind=_authenticate),
    Life("given up by the gateway", behaviour=_QR, behind=_abandon),
    Life("refunded in the dashboard", behind=_refund),
    Life("refunded there after us", asks=_REFUND, behind=_refund_a_cent),
    Life("disputed", behind=_dispute),
    Life("refunded there and disputed", behind=_refund_and_dispute),
    Life("captured in the dashboard", charge=False, behind=_capture),
    Life("voided in the dashboard", charge=False, behind=_void),
    Life("a refund of ours has failed", behaviour=_SLOW, asks=_REFUND, behind=_end_refund(False)),
    Life("lost by the gateway", behind=_forget, heals=False),
    Life("a hold lost by the gateway", charge=False, behind=_forget, heals=False),
)

SOUND = (
    Life("paid", differs=False),
    Life("held", charge=False, differs=False),
    Life("captured", charge=False, asks=_CONFIRM, differs=False),
    Life("captured in part", charge=False, asks=_PART, differs=False),
    Life("voided", charge=False, asks=_CANCEL, differs=False),
    Life("captured and refunded in part", charge=False, asks=_CONFIRM + _REFUND, differs=False),
    Life("refunded in part", asks=_REFUND, differs=False),
    Life("refunded twice", asks=(*_REFUND, ("payment.refund", {"amount_q": 1})), differs=False),
    Life("refunded whole", asks=(("payment.refund", {}),), differs=False),
    Life("a refund on its way", behaviour=_SLOW, asks=_REFUND, differs=False),
    # No sum differs: the payment's own next look tells that it has arrived.
    Life("a refund has arrived", behaviour=_SLOW, asks=_REFUND, differs=False, heals=False,
         behind=_end_refund(True)),
    Life("a dispute came and was won", behind=_win, differs=False),
    Life("nobody has paid yet", behaviour=_QR, differs=False),
    Life("withdrawn", behaviour=_QR, asks=_CANCEL, differs=False),
    Life("to be authenticated", behaviour={"authenticate": True}, differs=False),
    Life("declined", behaviour={"decline": "insufficient_funds"}, differs=False),
)  # fmt: skip
