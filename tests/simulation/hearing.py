"""Stands where plugins' hooks stand: hears every change of status, and sees every call leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from omniman_payment_core.notices import GatewayCall, PaymentChange
from omniman_payment_core.records import StatusMove

from .violations import Violation, hold

if TYPE_CHECKING:
    from .world import World

_HEARS = ("payment_changed", "around_gateway_call")


class Hearing:
    """The observers of a world, as :class:`~omniman_payment_core.plugins.hooks.PaymentHooks`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.moves: dict[tuple[str, int], str] = {}
        """Every committed move: which version of a payment came to which status."""
        self.heard: Counter[tuple[str, int]] = Counter()

    def observes(self, hook: str) -> bool:
        return hook in _HEARS

    def around_gateway_call(self, call: GatewayCall, perform: Callable[[], Any]) -> Any:
        world = self._world
        world.calling = call
        said: object = None
        try:
            said = answer = perform()
            return answer
        except BaseException as error:
            said = error
            raise
        finally:
            world.calling = None
            world.tell(f"  {call.method} for {call.order_ref}: {getattr(said, 'status', said)!s}")

    def payment_changed(self, change: PaymentChange) -> None:
        told = (change.payment_id, change.version)
        try:
            hold("telling only what happened", self.moves.get(told) == change.status, change)
            hold("telling until it was told", told in self._world.store.notices, change)
        except Violation as violation:
            # Where it is told from may catch it; the world does not.
            self._world.broken.append(violation)
        self.heard[told] += 1
        if self.heard[told] > 1:
            self._world.marks["told_again"] += 1

    def committed(self, move: StatusMove) -> None:
        """Remember a move that a transaction has committed."""
        payment = move.payment
        self.moves[payment.id, payment.version] = payment.status
