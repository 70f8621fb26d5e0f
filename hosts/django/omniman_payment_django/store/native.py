"""This package's own orders behind the order port: set-based statements on Order and Channel."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from omniman_payment_core.records import ChannelView, OrderView, Trigger

from ..models.flow import CANCELLED, TransitionError, check_transition
from ..orders import Problem, target_of
from .database import Database
from .dialect import Row
from .rows import read_json

ACTOR = "payments"
MAX_CHANNELS = 1000


class NativeOrders:
    """This package's own Order and Channel, read and written by set-based statements."""

    def __init__(self, using: str) -> None:
        self._database = Database(using)
        self._channels: dict[tuple[str, str], ChannelView] = {}

    @cached_property
    def _select(self) -> str:
        tables, dialect = self._database.tables, self._database.dialect
        ref, status, currency, total_q, _, channel = tables.order.columns
        code, config, key = tables.channel.columns
        return (
            f"SELECT o.{ref.sql}, o.{status.sql}, o.{currency.sql}, o.{total_q.sql}, "
            f"c.{code.sql}, c.{config.sql} FROM {tables.order.sql} o "
            f"JOIN {tables.channel.sql} c ON c.{key.sql} = o.{channel.sql} "
            f"WHERE {dialect.among(f'o.{ref.sql}')}"
        )

    @cached_property
    def _write_summary(self) -> str:
        order, dialect = self._database.tables.order_summary, self._database.dialect
        return dialect.updating(order, merge="payment")

    @cached_property
    def _write_status(self) -> str:
        return self._database.dialect.updating(self._database.tables.order_status)

    @cached_property
    def _write_event(self) -> str:
        return self._database.dialect.inserting(self._database.tables.order_event)

    def load(
        self, refs: Collection[str], *, lock: bool, wait: bool = True
    ) -> Mapping[str, OrderView]:
        dialect = self._database.dialect
        statement = self._select
        if lock:
            statement += dialect.lock_rows("o", wait=wait)
        with self._database.connection.cursor() as cursor:
            cursor.execute(statement, [dialect.several(refs)])
            rows = cursor.fetchall()
        return {
            ref: OrderView(
                ref, self._channel(code, config), status, currency, total_q, status == CANCELLED
            )
            for ref, status, currency, total_q, code, config in rows
        }

    def _channel(self, code: str, config: str) -> ChannelView:
        """Channels are few and their config is parsed once, until it changes."""
        known = self._channels.get((code, config))
        if known is None:
            if len(self._channels) >= MAX_CHANNELS:
                self._channels = {}
            known = self._channels[code, config] = ChannelView(code, read_json(config))
        return known

    def write_summaries(self, summaries: Mapping[str, Mapping[str, Any]]) -> None:
        database = self._database
        rows: list[Row] = [
            (database.dialect.json(summary), ref) for ref, summary in summaries.items()
        ]
        with database.connection.cursor() as cursor:
            database.dialect.run(cursor, self._write_summary, database.tables.order_summary, rows)

    def fire(self, triggers: Mapping[str, Sequence[Trigger]]) -> Sequence[Problem]:
        problems: list[Problem] = []
        moves: dict[str, str] = {}
        events: list[Row] = []
        now = timezone.now()
        for ref, order in self.load(triggers.keys(), lock=True).items():
            status = order.status
            for trigger in triggers[ref]:
                target = target_of(order.channel, trigger)
                if target is None or target == status:
                    continue
                problem = _refusal(order, status, target, trigger)
                if problem is not None:
                    problems.append(problem)
                    continue
                data = {"from": status, "to": target, "trigger": trigger.value}
                events.append(self._event(ref, data, now))
                moves[ref] = status = target
        with self._database.connection.cursor() as cursor:
            self._write(cursor, moves, events)
        return problems

    def _event(self, ref: str, data: Mapping[str, str], now: Any) -> Row:
        dialect = self._database.dialect
        return (ref, "status_changed", ACTOR, dialect.json(data), dialect.time(now))

    def _write(self, cursor: CursorWrapper, moves: Mapping[str, str], events: list[Row]) -> None:
        if not moves:
            return
        dialect, tables = self._database.dialect, self._database.tables
        rows = [(status, ref) for ref, status in moves.items()]
        dialect.run(cursor, self._write_status, tables.order_status, rows)
        dialect.run(cursor, self._write_event, tables.order_event, events)


def _refusal(order: OrderView, status: str, target: str, trigger: str) -> Problem | None:
    try:
        check_transition(order.channel.config, order.channel.code, order.ref, status, target)
    except TransitionError as error:
        message = f"{trigger}: {error}"
        return Problem("transition_refused", order.ref, f"{order.ref}:{trigger}", message)
    return None
