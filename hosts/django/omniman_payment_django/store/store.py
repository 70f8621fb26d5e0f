"""The engine's store on Django's database: every method is one transaction of a few statements.

Knows nothing of gateways. SQLite from 3.35 on, PostgreSQL from 14 on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from django.db.backends.utils import CursorWrapper

from omniman_payment_core.decisions import sync_of
from omniman_payment_core.engine import Settlement, Written
from omniman_payment_core.notices import PaymentChange
from omniman_payment_core.records import (
    Case,
    Changes,
    DirectiveStatus,
    Flag,
    NewDirective,
    OrderView,
    Trigger,
)

from ..orders import GuardedOrders, OrderAdapter, Problem, target_of
from .cases import Cases
from .claiming import Claiming
from .database import ConcurrentChangeError, Database
from .native import NativeOrders
from .writing import Writing

log = logging.getLogger("omniman_payment.store")


class DjangoStore:
    """Implements :class:`omniman_payment_core.engine.ports.Store`.

    ``orders`` is another project's order adapter; ``clock`` takes the place of the database's
    own clock, for tests.
    """

    def __init__(
        self,
        using: str = "default",
        orders: OrderAdapter | None = None,
        *,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.using = using
        self._database = Database(using, clock)
        self._orders: OrderAdapter = (
            NativeOrders(using) if orders is None else GuardedOrders(orders, using)
        )
        self._cases = Cases(self._database)
        self._claiming = Claiming(self._database, self._orders)
        self._writing = Writing(self._database)

    # -- the port --------------------------------------------------------------------------

    def claim(
        self,
        *,
        owner: str,
        limit: int,
        lease: timedelta,
        decide: Callable[[Case, datetime], Changes],
        tell: bool,
    ) -> list[Written]:
        def work(cursor: CursorWrapper) -> list[Written]:
            now = self._database.dialect.now(cursor)
            directives, orders = self._claiming.claim(cursor, owner, limit, lease, now)
            if not directives:
                return []
            written = [
                Written(case, decide(case, now))
                for case in self._cases.load(cursor, directives, orders)
            ]
            self._write(cursor, written, now, tell)
            return written

        return self._database.run(work)

    def settle(self, settlements: Sequence[Settlement], *, tell: bool) -> list[Written]:
        def work(cursor: CursorWrapper) -> list[Written]:
            refs = sorted({settlement.order_ref for settlement in settlements})
            self._database.dialect.lock_orders(cursor, refs)
            now = self._database.dialect.now(cursor)
            written: dict[int, Written] = {}
            for turn in _turns(settlements):
                # Within a turn no order comes twice; the next turn reads what this one wrote.
                orders = self._orders.load(refs, lock=True)
                found = self._settle(cursor, [settlements[i] for i in turn], orders, now)
                self._write(cursor, found, now, tell)
                written.update(zip(turn, found, strict=True))
            return [written[i] for i in range(len(settlements))]

        return self._database.run(work) if settlements else []

    def enqueue(self, directives: Sequence[NewDirective]) -> list[int]:
        """Joins the caller's transaction, if any: an order and its directive belong together."""

        def work(cursor: CursorWrapper) -> list[int]:
            now = self._database.dialect.now(cursor)
            return self._writing.enqueue(cursor, directives, now)

        return self._database.run(work, joins=True) if directives else []

    def lock_order(self, order_ref: str) -> None:
        """Until the caller's transaction ends, no worker writes anything about this order."""
        with self._database.connection.cursor() as cursor:
            self._database.dialect.lock_orders(cursor, [order_ref])

    def arm_checks(self, limit: int) -> int:
        def work(cursor: CursorWrapper) -> int:
            database = self._database
            now = database.dialect.now(cursor)
            cursor.execute(self._checks_due, [database.dialect.time(now), limit])
            due = [(number, ref) for number, ref, free in cursor.fetchall() if free]
            if due:
                cursor.execute(
                    self._check_taken,
                    [database.dialect.several([n for n, _ in due]), database.dialect.time(now)],
                )
                taken = {row[0] for row in cursor.fetchall()}
                syncs = [sync_of(ref, number) for number, ref in due if number in taken]
                self._writing.enqueue(cursor, syncs, now)
                return len(syncs)
            return 0

        return self._database.run(work)

    def untold(self, older_than: timedelta, limit: int) -> list[PaymentChange]:
        def work(cursor: CursorWrapper) -> list[PaymentChange]:
            database = self._database
            now = database.dialect.now(cursor)
            cursor.execute(self._untold, [database.dialect.time(now - older_than), limit])
            return [database.rows.read_notice(row) for row in cursor.fetchall()]

        return self._database.run(work)

    def told(self, changes: Sequence[PaymentChange]) -> None:
        def work(cursor: CursorWrapper) -> None:
            cursor.executemany(
                self._told, [(change.payment_id, change.version) for change in changes]
            )

        if changes:
            self._database.run(work)

    # -- inside ----------------------------------------------------------------------------

    def _settle(
        self,
        cursor: CursorWrapper,
        settlements: Sequence[Settlement],
        orders: Mapping[str, OrderView],
        now: datetime,
    ) -> list[Written]:
        numbers = [settlement.directive_id for settlement in settlements]
        found = self._cases.directives(cursor, numbers, lock=True)
        missing = [number for number in numbers if number not in found]
        if missing:
            raise ConcurrentChangeError(
                f"directive {missing[0]} is gone; a directive that runs must not be deleted"
            )
        cases = self._cases.load(cursor, [found[number] for number in numbers], orders)
        written = []
        for settlement, case in zip(settlements, cases, strict=True):
            directive = case.directive
            fenced = (
                directive.fence == settlement.fence
                and directive.status == DirectiveStatus.RUNNING
                # Once the lease is over, another directive of the order may be running.
                and directive.available_at > now
            )
            written.append(Written(case, settlement.resolve(case, now, fenced), fenced))
        return written

    def _write(
        self, cursor: CursorWrapper, written: Sequence[Written], now: datetime, tell: bool
    ) -> None:
        self._writing.write(cursor, written, now, tell)
        problems = [*self._write_summaries(written), *self._fire(written)]
        for problem in problems:
            log.warning("%s", problem.message)
        self._writing.add_flags(cursor, [_flag(problem) for problem in problems], now)

    def _write_summaries(self, written: Sequence[Written]) -> Sequence[Problem]:
        summaries = {
            w.case.directive.order_ref: w.changes.summary
            for w in written
            if w.changes.summary is not None and w.case.order is not None
        }
        return (self._orders.write_summaries(summaries) or ()) if summaries else ()

    def _fire(self, written: Sequence[Written]) -> Sequence[Problem]:
        """Only where the channel asks for it: most orders move by hand."""
        triggers: dict[str, tuple[Trigger, ...]] = {}
        for entry in written:
            order = entry.case.order
            if order is None or not entry.changes.triggers:
                continue
            wanted = tuple(t for t in entry.changes.triggers if target_of(order.channel, t))
            if wanted:
                triggers[order.ref] = wanted
        return self._orders.fire(triggers) if triggers else ()

    # -- statements ------------------------------------------------------------------------

    @cached_property
    def _checks_due(self) -> str:
        database = self._database
        return (
            f"SELECT id, order_ref, {database.dialect.lock_free} FROM ("
            f"SELECT id, order_ref, next_check_at FROM {database.tables.payment.sql} "
            f"WHERE next_check_at IS NOT NULL AND next_check_at <= %s "
            f"ORDER BY next_check_at LIMIT %s) c ORDER BY next_check_at"
        )

    @cached_property
    def _check_taken(self) -> str:
        database = self._database
        return (
            f"UPDATE {database.tables.payment.sql} SET next_check_at = NULL "
            f"WHERE {database.dialect.among('id')} AND next_check_at <= %s RETURNING id"
        )

    @cached_property
    def _untold(self) -> str:
        database = self._database
        columns = ", ".join(
            database.dialect.selected(column) for column in database.tables.notice.columns
        )
        return (
            f"SELECT {columns} FROM {database.tables.notice.sql} WHERE at <= %s "
            f"ORDER BY at, id LIMIT %s"
        )

    @cached_property
    def _told(self) -> str:
        return (
            f"DELETE FROM {self._database.tables.notice.sql} WHERE payment_id = %s AND version = %s"
        )


def _turns(settlements: Sequence[Settlement]) -> list[list[int]]:
    """Positions, grouped so that each group has every order at most once, in their order."""
    turns: list[list[int]] = []
    met: dict[str, int] = {}
    for position, settlement in enumerate(settlements):
        turn = met.get(settlement.order_ref, 0)
        met[settlement.order_ref] = turn + 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(position)
    return turns


def _flag(problem: Problem) -> Flag:
    return Flag(
        kind=problem.kind,
        dedupe_key=f"{problem.kind}:{problem.subject}",
        order_ref=problem.order_ref,
        message=problem.message,
    )
