"""The wire between a world and one of its gateways: all that goes wrong, and who is watching."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from omniman_payment_core.errors import (
    ConfigurationError,
    NotAttemptedError,
    OutcomeUnknownError,
    RateLimitedError,
    TransactionNotFoundError,
)
from omniman_payment_core.values import PaymentResult
from omniman_payment_mock.gateway import MockGateway

from .gateways import LATEST_ARRIVAL, STRANGER, Wire, altered
from .violations import Violation
from .watching import watch_call

if TYPE_CHECKING:
    from .world import World

LONGEST_LIE = timedelta(days=1)
"""How old a look may be at a gateway whose looks prove nothing."""
READS = ("get_status", "find")
_EVERYWHERE = ("lost", "lost", "unanswered", "unanswered", "limit", "unsent", "crash", "garbage")
FAULTS: Mapping[str, tuple[str, ...]] = {
    "find": (*_EVERYWHERE, "lag", "lag"),
    "get_status": (*_EVERYWHERE, "lag", "lag", "currency", "stranger", "amount"),
    "prepare": (*_EVERYWHERE, "late"),
    "refund": (*_EVERYWHERE, "late", "denied", "saved", "currency"),
}
_MUTATING = (*_EVERYWHERE, "late", "denied", "saved", "currency", "stranger", "amount")


@dataclass(frozen=True, slots=True)
class Effect:
    """A request of ours that the gateway carried out, whether its answer came home or not."""

    key: str
    method: str
    result: PaymentResult


@dataclass(frozen=True, slots=True)
class _Call:
    """One call on its way: how to carry it out, and what it says."""

    method: str
    key: str
    perform: Callable[[], Any]
    asked: Mapping[str, Any]


class WatchedWire(Wire):
    """Meets more kinds of trouble than a plain one, and every call is looked over as it leaves.

    ``proves``: a look that finds nothing means something here, so that none is very old.
    Its age and the longest way of a request are together what an absence has to outlive.
    ``addressed``: an opening can be looked up whatever its answer says.
    """

    def __init__(
        self,
        world: World,
        gateway: MockGateway,
        fingerprint: str,
        *,
        proves: bool,
        addressed: bool,
        lag: timedelta,
    ) -> None:
        super().__init__(gateway, world.rng, world.marks)
        self.world = world
        self.fingerprint = fingerprint
        self.down_until: datetime | None = None
        self.effects: list[Effect] = []
        self._addressed = addressed
        self._longest_way = LATEST_ARRIVAL - lag
        self._lag = lag if proves else LONGEST_LIE
        self._saved: set[str] = set()
        self._views: dict[str, tuple[datetime, PaymentResult]] = {}

    def by_chance(self, method: str) -> str | None:
        rng = self.rng
        if not self.trouble or rng.random() >= self.trouble:
            return None
        fault = rng.choice(FAULTS.get(method, _MUTATING))
        if fault == "stranger" and method in ("authorize", "charge") and not self._addressed:
            return "unanswered"
        return fault

    def convey(self, method: str, call: Callable[[], Any], asked: Mapping[str, Any]) -> Any:
        world = self.world
        try:
            key = watch_call(world, self, method, asked)
        except Violation as violation:
            # The engine catches whatever a call raises; the world does not.
            world.broken.append(violation)
            raise
        on_its_way = _Call(method, key, call, asked)
        if self.down_until is not None and world.clock.now() < self.down_until:
            world.marks[f"wire:down:{method}"] += 1
            raise NotAttemptedError("connection refused")
        if key in self._saved:
            world.marks["wire:saved_again"] += 1
            raise OutcomeUnknownError("500, as the first time")
        fault = self.choose(method)
        if fault is None:
            return self._arrives(on_its_way)
        if fault == "saved" and "idempotency_key" not in asked:
            fault = "unanswered"
        world.marks[f"wire:{fault}"] += 1
        world.marks[f"wire:{fault}:{method}"] += 1
        world.tell(f"    {method}: {fault}")
        return self._meets(fault, on_its_way)

    def _meets(self, fault: str, call: _Call) -> Any:
        rng = self.rng
        match fault:
            case "lost":
                raise OutcomeUnknownError("no answer in time")
            case "late":
                delay = rng.random() * self._longest_way
                self.gateway.arrive_late(lambda: self._arrives(call), delay)
                raise OutcomeUnknownError("no answer in time")
            case "limit":
                raise RateLimitedError("busy", retry_after=rng.randrange(1, 120))
            case "unsent":
                raise NotAttemptedError("connection refused")
            case "denied":
                raise ConfigurationError("401: these credentials are not known")
            case "crash":
                raise RuntimeError("a bug in the plugin, before sending")
            case "saved":
                self._saved.add(call.key)
                if rng.random() < 0.5:
                    self._arrives(call)
                raise OutcomeUnknownError("500, saved under the key")
            case "lag":
                return self._seen_earlier(call)
            case "garbage":
                self._arrives(call)
                return rng.choice([None, "ok", ValueError("returned"), {"status": "paid"}])
            case "vague":
                self._arrives(call)
                return PaymentResult(False, None, "failed")
            case "currency":
                return altered(self._arrives(call), currency="XTS")
            case "stranger":
                return altered(self._arrives(call), transaction_id=STRANGER)
            case "amount":
                return altered(self._arrives(call), amount_q=7)
        self._arrives(call)
        raise OutcomeUnknownError("the answer was lost")

    def _arrives(self, call: _Call) -> Any:
        """The gateway carries it out, or refuses it."""
        result = call.perform()
        if call.method == "get_status":
            self._views[call.asked["transaction_id"]] = (self.world.clock.now(), result)
        elif call.key and isinstance(result, PaymentResult) and result.success:
            self.effects.append(Effect(call.key, call.method, result))
        return result

    def _seen_earlier(self, call: _Call) -> Any:
        """A replica that lags behind shows what was, or that there is nothing."""
        now = self.world.clock.now()
        if call.method == "find":
            found = self.gateway.transactions(call.asked["order_ref"])
            made = (self.gateway.transaction(name) for name in found)
            fresh = any(txn is not None and now - txn.created_at < self._lag for txn in made)
            return () if fresh else self._arrives(call)
        name = call.asked["transaction_id"]
        view = self._views.get(name)
        if view is not None and now - view[0] < self._lag:
            return view[1]
        txn = self.gateway.transaction(name)
        if txn is not None and now - txn.created_at < self._lag:
            raise TransactionNotFoundError("no such transaction, says a replica that lags")
        return self._arrives(call)
