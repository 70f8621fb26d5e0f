"""What is true at a gateway at this moment, whoever has looked at it or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omniman_payment_core.values import RefundStatus
from omniman_payment_mock.transactions import Transaction

if TYPE_CHECKING:
    from .accounts import SimAccount


def returned_q(txn: Transaction) -> int:
    """What has gone back to the shopper, by refunds."""
    return sum(r.amount_q for r in txn.refunds if r.status == RefundStatus.SUCCEEDED)


def held_q(one: SimAccount, txn: Transaction) -> int:
    """What is held; a hold that is over by the clock is, whether anybody has looked or not."""
    over = txn.hold_expires_at is not None and one.gateway._clock() >= txn.hold_expires_at
    return 0 if over else txn.authorized_q - txn.captured_q - txn.released_q


def came_back(one: SimAccount, txn: Transaction) -> bool:
    """The gateway itself put money back after it was gone and something else had been paid."""
    return any(
        movement.transaction_id == txn.id and movement.kind in ("refund_returned", "dispute_won")
        for movement in one.books.movements(txn.order_ref)
    )
