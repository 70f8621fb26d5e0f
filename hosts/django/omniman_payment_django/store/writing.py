"""Writes what decisions changed: for a whole batch at once, one statement for each table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from django.db.backends.utils import CursorWrapper

from omniman_payment_core.engine.telling import change_of
from omniman_payment_core.records import ABOUT_UNKNOWN, Flag, NewDirective

from .database import ConcurrentChangeError, Database
from .dialect import Row
from .tables import Table

if TYPE_CHECKING:
    from omniman_payment_core.engine import Written


class Writing:
    """The writing half of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(
        self, cursor: CursorWrapper, written: Sequence[Written], now: datetime, tell: bool
    ) -> None:
        """Every change of a batch in which no order comes twice, but what orders themselves get."""
        self._write_payments(cursor, written)
        self._write_operations(cursor, written)
        self._write_refunds(cursor, written)
        rows, tables = self._database.rows, self._database.tables
        events = [rows.event(e) for w in written for e in w.changes.events]
        self._add(cursor, self._new_event, tables.event, events)
        calls = [rows.call(w.changes.call) for w in written if w.changes.call is not None]
        self._add(cursor, self._new_call, tables.call, calls)
        if tell:
            notices = [
                rows.notice(change_of(w.changes.move, now)) for w in written if w.changes.move
            ]
            self._add(cursor, self._new_notice, tables.notice, notices)
        self._settle_flags(cursor, written, now)
        self.add_flags(cursor, [f for w in written for f in w.changes.flags], now)
        self._write_directives(cursor, written, now)

    def add_flags(self, cursor: CursorWrapper, flags: Sequence[Flag], now: datetime) -> None:
        """Open flags; one that is open already stays as it is."""
        rows = [self._database.rows.flag(flag, now) for flag in flags]
        self._add(cursor, self._new_flag, self._database.tables.flag, rows)

    def enqueue(
        self, cursor: CursorWrapper, directives: Iterable[NewDirective], now: datetime
    ) -> list[int]:
        """Add or wake directives one after the other; the ids of those that are to run."""
        numbers = []
        for new in directives:
            self._database.dialect.run_one(
                cursor,
                self._enqueue_returning,
                self._database.tables.new_directive,
                self._database.rows.new_directive(new, now),
            )
            numbers += [row[0] for row in cursor.fetchall()]
        return numbers

    # -- one table each --------------------------------------------------------------------

    def _write_payments(self, cursor: CursorWrapper, written: Sequence[Written]) -> None:
        rows, tables = self._database.rows, self._database.tables
        new, changed = [], []
        for entry in written:
            changes = entry.changes
            if changes.payment is None:
                continue
            if changes.payment_is_new:
                new.append(rows.new_payment(changes.payment))
            else:
                changed.append(rows.payment_change(changes.payment))
        self._add(cursor, self._new_payment, tables.payment, new)
        self._change(cursor, self._payment_change, tables.payment_change, changed)

    def _write_operations(self, cursor: CursorWrapper, written: Sequence[Written]) -> None:
        rows, tables = self._database.rows, self._database.tables
        new = [rows.new_operation(op) for w in written for op in w.changes.new_operations]
        changed = [rows.operation_change(op) for w in written for op in w.changes.operations]
        self._add(cursor, self._new_operation, tables.operation, new)
        self._change(cursor, self._operation_change, tables.operation_change, changed)

    def _write_refunds(self, cursor: CursorWrapper, written: Sequence[Written]) -> None:
        rows, tables = self._database.rows, self._database.tables
        new = [rows.new_refund(refund) for w in written for refund in w.changes.new_refunds]
        changed = [rows.refund_change(refund) for w in written for refund in w.changes.refunds]
        self._add(cursor, self._new_refund, tables.refund, new)
        self._change(cursor, self._refund_change, tables.refund_change, changed)

    def _settle_flags(
        self, cursor: CursorWrapper, written: Sequence[Written], now: datetime
    ) -> None:
        """What nobody knew of an order is known: it is no question for a person any more."""
        dialect = self._database.dialect
        for entry in written:
            found_out = entry.changes.found_out
            if found_out is not None:
                order_ref = entry.case.directive.order_ref
                kinds = dialect.several(ABOUT_UNKNOWN)
                said = [found_out.actor, found_out.reason]
                cursor.execute(self._flag_settled, [dialect.time(now), *said, order_ref, kinds])

    def _write_directives(
        self, cursor: CursorWrapper, written: Sequence[Written], now: datetime
    ) -> None:
        """How directives end, then what is enqueued, then who is woken: each may see the last."""
        database = self._database
        ended = [
            database.rows.directive_change(w.case.directive.id, w.changes.directive, now)
            for w in written
            if w.changes.directive is not None
        ]
        self._change(cursor, self._directive_change, database.tables.directive_change, ended)
        new = [n for w in written for n in w.changes.new_directives]
        for batch in _without_repeats(new):
            rows = [database.rows.new_directive(n, now) for n in batch]
            self._add(cursor, self._enqueue, database.tables.new_directive, rows)
        woken = [w.case.directive.order_ref for w in written if w.changes.wake]
        if woken:
            cursor.execute(
                self._wake, [database.dialect.time(now), database.dialect.several(woken)]
            )
        revived = [w.case.directive.order_ref for w in written if w.changes.revive]
        if revived:
            cursor.execute(
                self._revive, [database.dialect.time(now), database.dialect.several(revived)]
            )

    def _add(
        self, cursor: CursorWrapper, statement: str, table: Table, rows: Sequence[Row]
    ) -> None:
        if rows:
            self._database.dialect.run(cursor, statement, table, rows)

    def _change(
        self, cursor: CursorWrapper, statement: str, table: Table, rows: Sequence[Row]
    ) -> None:
        if rows:
            touched = self._database.dialect.run(cursor, statement, table, rows)
            if touched != len(rows):
                raise ConcurrentChangeError(
                    f"{len(rows) - touched} of {len(rows)} rows of {table.sql} were changed or "
                    "removed by somebody else"
                )

    # -- statements ------------------------------------------------------------------------

    @cached_property
    def _new_payment(self) -> str:
        return self._database.dialect.inserting(self._database.tables.payment)

    @cached_property
    def _payment_change(self) -> str:
        return self._database.dialect.updating(
            self._database.tables.payment_change, keys=2, also=["version = t.version + 1"]
        )

    @cached_property
    def _new_operation(self) -> str:
        return self._database.dialect.inserting(self._database.tables.operation)

    @cached_property
    def _operation_change(self) -> str:
        return self._database.dialect.updating(self._database.tables.operation_change)

    @cached_property
    def _new_refund(self) -> str:
        return self._database.dialect.inserting(self._database.tables.refund)

    @cached_property
    def _refund_change(self) -> str:
        return self._database.dialect.updating(self._database.tables.refund_change)

    @cached_property
    def _new_event(self) -> str:
        return self._database.dialect.inserting(self._database.tables.event)

    @cached_property
    def _new_call(self) -> str:
        return self._database.dialect.inserting(self._database.tables.call)

    @cached_property
    def _new_notice(self) -> str:
        return self._database.dialect.inserting(self._database.tables.notice)

    @cached_property
    def _new_flag(self) -> str:
        return self._database.dialect.inserting(
            self._database.tables.flag,
            "ON CONFLICT (dedupe_key) WHERE settled_at IS NULL DO NOTHING",
        )

    @cached_property
    def _flag_settled(self) -> str:
        return (
            f"UPDATE {self._database.tables.flag.sql} SET settled_at = %s, actor = %s, reason = %s "
            f"WHERE order_ref = %s AND {self._database.dialect.among('kind')} "
            "AND settled_at IS NULL"
        )

    @cached_property
    def _directive_change(self) -> str:
        return self._database.dialect.updating(
            self._database.tables.directive_change,
            keep="available_at",
            also=["lease_owner = ''", "lease_until = NULL"],
        )

    @cached_property
    def _enqueue(self) -> str:
        """A known key adds nothing; a known sync runs again, or once more when it is running."""
        table = self._database.tables.new_directive
        return self._database.dialect.inserting(
            table,
            "ON CONFLICT (dedupe_key) DO UPDATE SET wakes = {t}.wakes + 1, "
            "status = CASE {t}.status WHEN 'running' THEN 'running' ELSE 'pending' END, "
            "available_at = CASE {t}.status WHEN 'running' THEN {t}.available_at "
            "WHEN 'pending' THEN CASE WHEN excluded.available_at < {t}.available_at "
            "THEN excluded.available_at ELSE {t}.available_at END "
            "ELSE excluded.available_at END, "
            "attempts = CASE WHEN {t}.status IN ('pending', 'running') THEN {t}.attempts "
            "ELSE 0 END, finished_at = NULL "
            "WHERE excluded.topic = 'payment.sync'".replace("{t}", table.sql),
        )

    @cached_property
    def _enqueue_returning(self) -> str:
        return f"{self._enqueue} RETURNING id"

    @cached_property
    def _wake(self) -> str:
        return (
            f"UPDATE {self._database.tables.directive.sql} "
            f"SET available_at = %s, waiting = FALSE "
            f"WHERE {self._database.dialect.among('order_ref')} AND status = 'pending' AND waiting"
        )

    @cached_property
    def _revive(self) -> str:
        return (
            f"UPDATE {self._database.tables.directive.sql} SET status = 'pending', "
            "attempts = 0, available_at = %s, waiting = FALSE, finished_at = NULL "
            f"WHERE {self._database.dialect.among('order_ref')} AND status = 'parked'"
        )


def _without_repeats(directives: Sequence[NewDirective]) -> list[list[NewDirective]]:
    """Batches in which no key comes twice: one statement cannot touch a row a second time."""
    batches: list[list[NewDirective]] = []
    seen: list[set[str]] = []
    for new in directives:
        key = new.dedupe_key or ""
        place = next((i for i, keys in enumerate(seen) if not key or key not in keys), len(seen))
        if place == len(seen):
            seen.append(set())
            batches.append([])
        seen[place].add(key)
        batches[place].append(new)
    return batches
