"""The truth about money: every movement at the simulator, for whoever checks another ledger."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

_HELD = {"authorized": 1, "captured_from_hold": -1, "released": -1}
_MOVED = {
    "captured": 1,
    "captured_from_hold": 1,
    "refunded": -1,
    "refund_failed": 1,
    "disputed": -1,
    "dispute_won": 1,
}


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that was held, let go, taken, or given back. ``amount`` is never negative."""

    seq: int
    at: int
    kind: str
    amount: int
    currency: str
    transaction: str
    reference: str
    order_ref: str
    idempotency_key: str


class Books:
    """Append-only."""

    def __init__(self) -> None:
        self.movements: list[Movement] = []

    def write(self, **movement: Any) -> None:
        """One more movement."""
        self.movements.append(Movement(seq=len(self.movements) + 1, **movement))

    def held(self, transaction: str) -> int:
        """What is held of one transaction and neither taken nor released."""
        mine = (m for m in self.movements if m.transaction == transaction)
        return sum(_HELD.get(m.kind, 0) * m.amount for m in mine)

    def as_json(self) -> dict[str, Any]:
        """Every movement, and for each order what is held and what was moved in all."""
        orders: dict[str, dict[str, Any]] = defaultdict(lambda: {"held": 0, "moved": 0})
        for movement in self.movements:
            totals = orders[movement.order_ref]
            totals["currency"] = movement.currency
            totals["held"] += _HELD.get(movement.kind, 0) * movement.amount
            totals["moved"] += _MOVED.get(movement.kind, 0) * movement.amount
        return {"movements": [asdict(m) for m in self.movements], "orders": dict(orders)}
