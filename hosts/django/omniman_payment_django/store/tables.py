"""The tables as the store's statements need them; every name comes from the models' ``_meta``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from .. import models as m


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in SQL, and what has to be done to its values."""

    name: str
    sql: str
    type: str
    is_time: bool
    is_json: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A model's table with the columns that statements of the store use, in a record's order."""

    sql: str
    columns: tuple[Column, ...]

    keys: tuple[str, ...]
    """The columns without quotes, as names in JSON."""

    def names(self) -> str:
        """The columns, for an ``INSERT``."""
        return ", ".join(column.sql for column in self.columns)


def table_of(connection: BaseDatabaseWrapper, model: type[models.Model], *fields: str) -> Table:
    """The table of a model, with these fields."""
    quote = connection.ops.quote_name
    found: list[Any] = [model._meta.get_field(name) for name in fields]
    columns = tuple(_column(connection, field) for field in found)
    return Table(quote(model._meta.db_table), columns, tuple(field.column for field in found))


def _column(connection: BaseDatabaseWrapper, field: Any) -> Column:
    concrete = field.target_field if field.is_relation else field
    return Column(
        name=field.name,
        sql=connection.ops.quote_name(field.column),
        type=str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection)),
        is_time=isinstance(concrete, models.DateTimeField),
        is_json=isinstance(concrete, models.JSONField),
    )


class Tables:
    """Every table of one database connection's kind."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        def table(model: type[models.Model], fields: str) -> Table:
            return table_of(connection, model, *fields.split())

        self.directive = table(
            m.Directive,
            "id topic order_ref payload status attempts available_at fence lease_owner "
            "lease_until dedupe_key waiting wakes schema_version result last_error",
        )
        self.new_directive = table(
            m.Directive,
            "topic order_ref payload schema_version status attempts available_at fence "
            "lease_owner dedupe_key waiting wakes last_error created_at",
        )
        self.directive_change = table(
            m.Directive,
            "status attempts available_at waiting result last_error finished_at id",
        )
        self.payment = table(
            m.Payment,
            "id order_ref attempt flow account fingerprint livemode plugin plugin_version "
            "currency amount_q created_at transaction_id status authorized_q captured_q "
            "released_q refund_pending_q refunded_q disputed_q actions_open failures voids "
            "expiries next_action expires_at hold_expires_at cancel_requested fired checks "
            "next_check_at version",
        )
        self.payment_change = table(
            m.Payment,
            "transaction_id status authorized_q captured_q released_q "
            "refund_pending_q refunded_q disputed_q actions_open failures voids expiries "
            "next_action expires_at hold_expires_at cancel_requested fired checks next_check_at "
            "id version",
        )
        self.operation = table(
            m.PaymentOperation,
            "key payment kind ordinal cause params_hash amount_q currency state created_at "
            "first_sent_at last_sent_at window_until address gateway_reference fence attempts "
            "code evidence",
        )
        self.operation_change = table(
            m.PaymentOperation,
            "state first_sent_at last_sent_at window_until address gateway_reference fence "
            "attempts code evidence key",
        )
        self.refund = table(
            m.Refund, "id payment amount_q status created_at accepted external reference reason"
        )
        self.refund_change = table(m.Refund, "status accepted reference id")
        self.event = table(
            m.PaymentEvent,
            "payment kind amount_q dedupe_key source actor at gateway_reference data",
        )
        self.flag = table(
            m.Flag,
            "kind dedupe_key order_ref message payment_id directive_id account opened_at actor "
            "reason",
        )
        self.call = table(
            m.GatewayCall,
            "order_ref payment_id account method operation_key amount_q currency attempt outcome "
            "duration_us at transaction_id status code message",
        )
        self.notice = table(m.PaymentNotice, "payment_id version snapshot at")
        self.order = table(m.Order, "ref status currency total_q data channel")
        self.order_summary = table(m.Order, "data ref")
        self.order_status = table(m.Order, "status ref")
        self.channel = table(m.Channel, "code config id")
        self.order_event = table(m.OrderEvent, "order_ref kind actor data at")
