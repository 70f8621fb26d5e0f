"""Takes due directives, oldest first and one for an order, so that nobody else has them too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from django.db.backends.utils import CursorWrapper

from omniman_payment_core.records import Directive, OrderView

from ..orders import OrderAdapter
from .database import Database


class Claiming:
    """Candidates are looked for without a lock; then orders are locked; then it is checked again.

    Between the look and the lock another worker may have claimed a directive of the same
    order, and its commit is seen by the second statement only.
    """

    def __init__(self, database: Database, orders: OrderAdapter) -> None:
        self._database = database
        self._orders = orders

    def claim(
        self, cursor: CursorWrapper, owner: str, limit: int, lease: timedelta, now: datetime
    ) -> tuple[list[Directive], Mapping[str, OrderView]]:
        """The claimed directives in the order in which they were due, and their orders."""
        candidates = self._candidates(cursor, limit, now)
        if not candidates:
            return [], {}
        orders = self._lock(candidates)
        numbers = [candidates[ref] for ref in candidates if ref in orders]
        taken = self._take(cursor, numbers, owner, lease, now)
        return taken, {ref: order for ref, order in orders.items() if order is not None}

    def _candidates(self, cursor: CursorWrapper, limit: int, now: datetime) -> dict[str, int]:
        """The oldest due directive of each order that nobody else is about."""
        dialect = self._database.dialect
        moment = dialect.time(now)
        found: dict[str, int] = {}
        seen: set[str] = set()
        while len(found) < limit:
            page = limit - len(found)
            cursor.execute(self._due, [moment, moment, dialect.several(seen), page])
            rows = cursor.fetchall()
            for number, ref, free in rows:
                if ref not in seen and free:
                    found[ref] = number
                seen.add(ref)
            if len(rows) < page:
                break
        return found

    def _lock(self, candidates: Mapping[str, int]) -> dict[str, OrderView | None]:
        """Orders by reference: ``None`` for one that does not exist, without those in use."""
        loaded = self._orders.load(sorted(candidates), lock=True, wait=False)
        orders: dict[str, OrderView | None] = dict(loaded)
        left = [ref for ref in candidates if ref not in orders]
        if left:
            in_use = self._orders.load(left, lock=False)
            orders.update({ref: None for ref in left if ref not in in_use})
        return orders

    def _take(
        self,
        cursor: CursorWrapper,
        numbers: Sequence[int],
        owner: str,
        lease: timedelta,
        now: datetime,
    ) -> list[Directive]:
        dialect = self._database.dialect
        moment, until = dialect.time(now), dialect.time(now + lease)
        cursor.execute(self._claim, [owner, until, until, dialect.several(numbers), moment, moment])
        read = self._database.rows.directive
        taken = {row[0]: read(row) for row in cursor.fetchall()}
        return [taken[number] for number in numbers if number in taken]

    # -- statements ------------------------------------------------------------------------

    @cached_property
    def _due(self) -> str:
        """What is due, and whether its order's lock was free; literals let the index be used."""
        database = self._database
        table = database.tables.directive.sql
        return (
            f"SELECT id, order_ref, {database.dialect.lock_free} FROM ("
            f"SELECT t.id, t.order_ref, t.available_at FROM {table} t "
            f"WHERE t.status IN ('pending', 'running') AND t.available_at <= %s "
            f"AND {self._idle} AND NOT ({database.dialect.among('t.order_ref')}) "
            f"ORDER BY t.available_at, t.id LIMIT %s) c ORDER BY available_at, id"
        )

    @cached_property
    def _claim(self) -> str:
        database = self._database
        columns = ", ".join(
            database.dialect.selected(column, "") for column in database.tables.directive.columns
        )
        return (
            f"UPDATE {database.tables.directive.sql} AS t SET status = 'running', "
            f"attempts = t.attempts + CASE t.status WHEN 'running' THEN 1 ELSE 0 END, "
            f"fence = t.fence + 1, lease_owner = %s, lease_until = %s, available_at = %s, "
            f"waiting = FALSE WHERE {database.dialect.among('t.id')} "
            f"AND t.status IN ('pending', 'running') AND t.available_at <= %s "
            f"AND {self._idle} RETURNING {columns}"
        )

    @cached_property
    def _idle(self) -> str:
        """No other directive of the order runs under a lease that still holds."""
        return (
            f"NOT EXISTS (SELECT 1 FROM {self._database.tables.directive.sql} r "
            f"WHERE r.order_ref = t.order_ref AND r.status = 'running' AND r.available_at > %s)"
        )
