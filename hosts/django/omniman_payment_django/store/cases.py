"""Reads what decisions rest on: for all directives of a batch at once, one query for each table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from django.db.backends.utils import CursorWrapper

from omniman_payment_core.records import (
    Case,
    Directive,
    OpenDirective,
    Operation,
    OrderView,
    Payment,
    Refund,
)

from .database import Database
from .dialect import Row
from .tables import Table


class Cases:
    """The reading half of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def directives(
        self, cursor: CursorWrapper, numbers: Iterable[int], *, lock: bool
    ) -> dict[int, Directive]:
        """Directives by id."""
        dialect, read = self._database.dialect, self._database.rows.directive
        cursor.execute(
            self._directives_locked if lock else self._directives,
            [dialect.several(set(numbers))],
        )
        return {row[0]: read(row) for row in cursor.fetchall()}

    def load(
        self,
        cursor: CursorWrapper,
        directives: Sequence[Directive],
        orders: Mapping[str, OrderView],
    ) -> list[Case]:
        """The case of each directive, in their order."""
        refs = {directive.order_ref for directive in directives}
        payments = self._payments_of(cursor, refs)
        operations: Mapping[str, list[Operation]] = {}
        refunds: Mapping[str, list[Refund]] = {}
        if payments:
            ids = [payment.id for found in payments.values() for payment in found]
            operations = self._operations_of(cursor, ids)
            refunds = self._refunds_of(cursor, ids)
        others = self._open_of(cursor, refs)
        return [
            _case(
                directive,
                orders.get(directive.order_ref),
                payments.get(directive.order_ref, []),
                operations,
                refunds,
                others.get(directive.order_ref, []),
            )
            for directive in directives
        ]

    # -- one table each --------------------------------------------------------------------

    def _payments_of(self, cursor: CursorWrapper, refs: set[str]) -> dict[str, list[Payment]]:
        found: dict[str, list[Payment]] = defaultdict(list)
        read = self._database.rows.payment
        for row in self._fetch(cursor, self._payments, refs):
            found[row[1]].append(read(row))
        return found

    def _operations_of(self, cursor: CursorWrapper, ids: list[str]) -> dict[str, list[Operation]]:
        found: dict[str, list[Operation]] = defaultdict(list)
        read = self._database.rows.operation
        for row in self._fetch(cursor, self._operations, ids):
            found[row[1]].append(read(row))
        return found

    def _refunds_of(self, cursor: CursorWrapper, ids: list[str]) -> dict[str, list[Refund]]:
        found: dict[str, list[Refund]] = defaultdict(list)
        read = self._database.rows.refund
        for row in self._fetch(cursor, self._refunds, ids):
            found[row[1]].append(read(row))
        return found

    def _open_of(self, cursor: CursorWrapper, refs: set[str]) -> dict[str, list[OpenDirective]]:
        found: dict[str, list[OpenDirective]] = defaultdict(list)
        for number, topic, status, key, ref in self._fetch(cursor, self._others, refs):
            identity = key or f"directive-{number}"
            found[ref].append(OpenDirective(number, topic, status, identity))
        return found

    def _fetch(self, cursor: CursorWrapper, statement: str, keys: Iterable[str]) -> list[Row]:
        cursor.execute(statement, [self._database.dialect.several(list(keys))])
        found: list[Row] = cursor.fetchall()
        return found

    # -- statements ------------------------------------------------------------------------

    @cached_property
    def _directives(self) -> str:
        return self._select(self._database.tables.directive, "id", "id")

    @cached_property
    def _directives_locked(self) -> str:
        return self._directives + self._database.dialect.lock_rows("t")

    @cached_property
    def _payments(self) -> str:
        return self._select(self._database.tables.payment, "order_ref", "order_ref, attempt")

    @cached_property
    def _operations(self) -> str:
        table = self._database.tables.operation
        return self._select(table, "payment_id", "created_at, ordinal, key")

    @cached_property
    def _refunds(self) -> str:
        return self._select(self._database.tables.refund, "payment_id", "created_at, id")

    @cached_property
    def _others(self) -> str:
        return (
            f"SELECT id, topic, status, dedupe_key, order_ref "
            f"FROM {self._database.tables.directive.sql} "
            f"WHERE {self._database.dialect.among('order_ref')} "
            f"AND status IN ('pending', 'running', 'parked') ORDER BY id"
        )

    def _select(self, table: Table, by: str, order: str) -> str:
        dialect = self._database.dialect
        columns = ", ".join(dialect.selected(column, "t.") for column in table.columns)
        return (
            f"SELECT {columns} FROM {table.sql} t WHERE {dialect.among(f't.{by}')} "
            f"ORDER BY {', '.join(f't.{name.strip()}' for name in order.split(','))}"
        )


def _case(
    directive: Directive,
    order: OrderView | None,
    payments: list[Payment],
    operations: Mapping[str, list[Operation]],
    refunds: Mapping[str, list[Refund]],
    others: list[OpenDirective],
) -> Case:
    return Case(
        directive,
        order,
        tuple(payments),
        tuple(op for payment in payments for op in operations.get(payment.id, ())),
        tuple(refund for payment in payments for refund in refunds.get(payment.id, ())),
        tuple(other for other in others if other.id != directive.id),
    )
