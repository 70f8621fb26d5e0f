"""The driver: how the kit plays the gateway's other side and counts the money there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol


class GatewayDriver(Protocol):
    """Works the far side directly (a simulator, a sandbox), never through the backend.

    The last five may be missing; the cases that need them are then skipped.
    """

    def pay(self, transaction_id: str) -> None:
        """The shopper pays an open charge in full."""
        ...

    def moved_q(self, order_ref: str) -> int:
        """Money really taken for an order, less what really went back."""
        ...

    def held_q(self, order_ref: str) -> int:
        """Money really held for an order and neither taken nor released."""
        ...

    def decline_next(self, code: str) -> None:
        """The gateway refuses the next authorize or charge, for this ``DeclineCode`` reason."""
        ...

    def lose_next(self, when: str) -> None:
        """Of the next mutating request, lose the request (``"before"`` the gateway carries it
        out) or the answer (``"after"``)."""
        ...

    def refund_outside(self, transaction_id: str, amount_q: int) -> None:
        """Somebody refunds in the gateway's dashboard."""
        ...

    def fail_refund(self, reference: str) -> None:
        """A refund that the gateway took fails later."""
        ...

    def dispute(self, transaction_id: str, amount_q: int) -> None:
        """The shopper's bank takes money back."""
        ...

    def advance(self, period: timedelta) -> None:
        """Time passes, at the gateway and for the backend."""
        ...

    def webhook(self, transaction_id: str) -> tuple[Mapping[str, str], bytes]:
        """An authentic notification about a transaction: headers and body."""
        ...
