"""The store as one worker reaches it: its connection can break, its process can die."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from omniman_payment_core.engine import Settlement, Written
from omniman_payment_core.records import Directive, DirectiveStatus, NewDirective

from .violations import Violation, hold

if TYPE_CHECKING:
    from .world import SimWorker, World

PENDING = DirectiveStatus.PENDING
FAULTS = ("again", "again", "rolled_back", "lost")
MORTAL = ("claim", "settle", "told")
"""Where a death makes a difference: what the others write stands by itself."""


class Crashed(BaseException):
    """The worker died here; what it held in memory is gone."""


class StoreError(Exception):
    """The store was not there, or did not say what became of a transaction."""


class FrailStore:
    """Every method is one transaction; it may fail, run twice, or be carried out unheard."""

    def __init__(self, world: World) -> None:
        self._store = world.store
        self._world = world
        self.worker: SimWorker | None = None

    def claim(self, **request: Any) -> list[Written]:
        written: list[Written] = self._commit("claim", lambda: self._store.claim(**request))
        return written

    def settle(self, settlements: Sequence[Settlement], *, tell: bool) -> list[Written]:
        now = self._world.clock.now()
        before = {s.directive_id: self._store.directives[s.directive_id] for s in settlements}
        held = {
            s.directive_id
            for s in settlements
            if before[s.directive_id].fence == s.fence and before[s.directive_id].available_at > now
        }
        stale = before.keys() - held

        def transaction() -> list[Written]:
            written = self._store.settle(settlements, tell=tell)
            revived = {w.case.directive.order_ref for w in written if w.changes.revive}
            for number in stale:
                self._check_untouched(before[number], before[number].order_ref in revived)
            return written

        written: list[Written] = self._commit("settle", transaction)
        return written

    def enqueue(self, directives: Sequence[NewDirective]) -> list[int]:
        numbers: list[int] = self._commit("enqueue", lambda: self._store.enqueue(directives))
        return numbers

    def arm_checks(self, limit: int) -> int:
        armed: int = self._commit("arm", lambda: self._store.arm_checks(limit))
        return armed

    def untold(self, *request: Any) -> Any:
        self._world.store_answers()
        return self._store.untold(*request)

    def told(self, changes: Any) -> None:
        self._commit("told", lambda: self._store.told(changes))

    def _check_untouched(self, held: Directive, revived: bool) -> None:
        """Nobody who settled something for this directive held it any more.

        Their facts count all the same, and one may end the doubt that it is parked for.
        """
        self._world.marks["fence_lost"] += 1
        after = self._store.directives[held.id]
        same = (after.status, after.result) == (held.status, held.result)
        freed = revived and held.status == DirectiveStatus.PARKED
        try:
            hold("I17 a stale decision", same or (freed and after.status == PENDING), (held, after))
        except Violation as violation:
            self._world.broken.append(violation)
            raise

    def _commit(self, name: str, transaction: Callable[[], Any]) -> Any:
        world, store = self._world, self._store
        if world.healed:
            answer = self._run(transaction)
            world.committed(name, answer)
            return answer
        world.store_answers()
        mortal = name in MORTAL
        if mortal and world.dies(f"{name}:before"):
            saved = store.snapshot()
            self._run(transaction)
            store.restore(saved)
            raise Crashed
        fault = world.fault_of_the_store(name)
        if fault in ("again", "rolled_back"):
            # Its first run conflicts with somebody else's and is undone.
            saved = store.snapshot()
            self._run(transaction)
            store.restore(saved)
        if fault == "rolled_back":
            raise StoreError("the connection broke, and nothing was written")
        answer = self._run(transaction)
        world.committed(name, answer)
        if mortal and name != "told" and world.dies(f"{name}:after"):
            raise Crashed
        if fault == "lost":
            raise StoreError("the connection broke at the commit, which had been carried out")
        return answer

    def _run(self, transaction: Callable[[], Any]) -> Any:
        self._world.in_transaction = True
        try:
            return transaction()
        finally:
            self._world.in_transaction = False
