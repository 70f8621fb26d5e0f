"""Rows to records and back, positions in the order of :class:`~.tables.Tables`. No SQL here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from omniman_payment_core.notices import PaymentChange
from omniman_payment_core.records import (
    SCHEMA_VERSION,
    CallRecord,
    Directive,
    DirectiveChange,
    DirectiveStatus,
    Event,
    Flag,
    NewDirective,
    Operation,
    Payment,
    Refund,
)
from omniman_payment_core.values import NextAction, PaymentStatus, RefundStatus

from .dialect import Dialect, Row

_Record = TypeVar("_Record")

_PAYMENT_STATUS = {status.value: status for status in PaymentStatus}
_REFUND_STATUS = {status.value: status for status in RefundStatus}
_DIRECTIVE = tuple(field.name for field in fields(Directive))
_PAYMENT = tuple(field.name for field in fields(Payment))
_OPERATION = tuple(field.name for field in fields(Operation))
_FINISHED = (DirectiveStatus.COMPLETED, DirectiveStatus.FAILED)


def read_json(raw: Any) -> Any:
    """A JSON column's value; most are empty."""
    if raw is None:
        return None
    if raw == "{}":
        return {}
    return json.loads(raw)


def _record(kind: type[_Record], names: tuple[str, ...], values: tuple[Any, ...]) -> _Record:
    """What the frozen record's own constructor does field by field, in one step."""
    record = object.__new__(kind)
    record.__dict__.update(zip(names, values, strict=True))
    return record


@lru_cache(maxsize=256)
def _triggers(raw: str) -> tuple[str, ...]:
    return tuple(json.loads(raw))


class Rows:
    """Conversions for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._time: Callable[[datetime | None], Any] = dialect.time
        self._json: Callable[[Any], Any] = dialect.json
        self._read_time: Callable[[Any], Any] = dialect.read_time

    # -- reading ---------------------------------------------------------------------------

    def directive(self, row: Row) -> Directive:
        time = self._read_time
        (
            number, topic, order_ref, payload, status, attempts, available_at, fence,
            lease_owner, lease_until, dedupe_key, waiting, wakes, schema_version, result,
            last_error,
        ) = row  # fmt: skip
        return _record(
            Directive,
            _DIRECTIVE,
            (
                number, topic, order_ref, read_json(payload), status, attempts,
                time(available_at), fence, lease_owner, time(lease_until), dedupe_key,
                bool(waiting), wakes, schema_version, read_json(result), last_error,
            ),
        )  # fmt: skip

    def payment(self, row: Row) -> Payment:
        time = self._read_time
        (
            number, order_ref, attempt, flow, account, fingerprint, livemode, plugin,
            plugin_version, currency, amount_q, created_at, transaction_id, status, authorized_q,
            captured_q, released_q, refund_pending_q, refunded_q, disputed_q, actions_open,
            failures, voids, expiries, next_action, expires_at, hold_expires_at,
            cancel_requested, fired, checks, next_check_at, version,
        ) = row  # fmt: skip
        action = read_json(next_action)
        return _record(
            Payment,
            _PAYMENT,
            (
                number, order_ref, attempt, flow, account, fingerprint, bool(livemode), plugin,
                plugin_version, currency, amount_q, time(created_at), transaction_id,
                _PAYMENT_STATUS[status], authorized_q, captured_q, released_q, refund_pending_q,
                refunded_q, disputed_q, actions_open, failures, voids, expiries,
                None if action is None else NextAction(action["kind"], action["data"]),
                time(expires_at), time(hold_expires_at), bool(cancel_requested),
                _triggers(fired), checks, time(next_check_at), version,
            ),
        )  # fmt: skip

    def operation(self, row: Row) -> Operation:
        time = self._read_time
        (
            key, payment_id, kind, ordinal, cause, params_hash, amount_q, currency, state,
            created_at, first_sent_at, last_sent_at, window_until, address, gateway_reference,
            fence, attempts, code, evidence,
        ) = row  # fmt: skip
        return _record(
            Operation,
            _OPERATION,
            (
                key, payment_id, kind, ordinal, cause, params_hash, amount_q, currency, state,
                time(created_at), time(first_sent_at), time(last_sent_at), time(window_until),
                address, gateway_reference, fence, attempts, code, evidence,
            ),
        )  # fmt: skip

    def refund(self, row: Row) -> Refund:
        number, payment_id, amount_q, status, created_at, accepted, external, reference, why = row
        return Refund(
            number, payment_id, amount_q, _REFUND_STATUS[status], self._read_time(created_at),
            bool(accepted), bool(external), reference, why,
        )  # fmt: skip

    # -- writing ---------------------------------------------------------------------------

    def new_directive(self, new: NewDirective, now: datetime) -> Row:
        return (
            str(new.topic), new.order_ref, self._json(new.payload), SCHEMA_VERSION, "pending", 0,
            self._time(new.available_at or now), 0, "", new.dedupe_key or None, False, 0, "",
            self._time(now),
        )  # fmt: skip

    def directive_change(self, number: int, change: DirectiveChange, now: datetime) -> Row:
        time = self._time
        finished_at = time(now) if change.status in _FINISHED else None
        return (
            str(change.status), change.attempts, time(change.available_at), change.waiting,
            self._json(change.result), change.last_error, finished_at, number,
        )  # fmt: skip

    def new_payment(self, p: Payment) -> Row:
        time, json_ = self._time, self._json
        return (
            p.id, p.order_ref, p.attempt, str(p.flow), p.account, p.fingerprint, p.livemode,
            p.plugin, p.plugin_version, p.currency, p.amount_q, time(p.created_at),
            p.transaction_id, p.status.value, p.authorized_q, p.captured_q, p.released_q,
            p.refund_pending_q, p.refunded_q, p.disputed_q, p.actions_open, p.failures, p.voids,
            p.expiries, json_(_action(p)), time(p.expires_at), time(p.hold_expires_at),
            p.cancel_requested, json_(p.fired), p.checks, time(p.next_check_at), p.version,
        )  # fmt: skip

    def payment_change(self, p: Payment) -> Row:
        time, json_ = self._time, self._json
        return (
            p.transaction_id, p.status.value, p.authorized_q, p.captured_q, p.released_q,
            p.refund_pending_q, p.refunded_q, p.disputed_q, p.actions_open, p.failures, p.voids,
            p.expiries, json_(_action(p)), time(p.expires_at), time(p.hold_expires_at),
            p.cancel_requested, json_(p.fired), p.checks, time(p.next_check_at), p.id,
            p.version - 1,
        )  # fmt: skip

    def new_operation(self, op: Operation) -> Row:
        time = self._time
        return (
            op.key, op.payment_id, str(op.kind), op.ordinal, op.cause, op.params_hash,
            op.amount_q, op.currency, str(op.state), time(op.created_at), time(op.first_sent_at),
            time(op.last_sent_at), time(op.window_until), op.address, op.gateway_reference,
            op.fence, op.attempts, op.code, op.evidence,
        )  # fmt: skip

    def operation_change(self, op: Operation) -> Row:
        time = self._time
        return (
            str(op.state), time(op.first_sent_at), time(op.last_sent_at), time(op.window_until),
            op.address, op.gateway_reference, op.fence, op.attempts, op.code, op.evidence, op.key,
        )  # fmt: skip

    def new_refund(self, r: Refund) -> Row:
        return (
            r.id, r.payment_id, r.amount_q, r.status.value, self._time(r.created_at), r.accepted,
            r.external, r.reference, r.reason,
        )  # fmt: skip

    def refund_change(self, r: Refund) -> Row:
        return (r.status.value, r.accepted, r.reference, r.id)

    def event(self, e: Event) -> Row:
        return (
            e.payment_id, str(e.kind), e.amount_q, e.dedupe_key, str(e.source), e.actor,
            self._time(e.at), e.gateway_reference, self._json(e.data),
        )  # fmt: skip

    def flag(self, f: Flag, now: datetime) -> Row:
        return (
            f.kind, f.dedupe_key, f.order_ref, f.message, f.payment_id, f.directive_id, f.account,
            self._time(now), "", "",
        )  # fmt: skip

    def call(self, c: CallRecord) -> Row:
        return (
            c.order_ref, c.payment_id, c.account, c.method, c.operation_key, c.amount_q,
            c.currency, c.attempt, c.outcome, c.duration_us, self._time(c.at), c.transaction_id,
            c.status, c.code, c.message,
        )  # fmt: skip

    def notice(self, change: PaymentChange) -> Row:
        snapshot = {
            "order_ref": change.order_ref,
            "account": change.account,
            "previous": change.previous,
            "status": change.status,
            "amount_q": change.amount_q,
            "currency": change.currency,
            "authorized_q": change.authorized_q,
            "captured_q": change.captured_q,
            "refunded_q": change.refunded_q,
            "disputed_q": change.disputed_q,
        }
        return (change.payment_id, change.version, self._json(snapshot), self._time(change.at))

    def read_notice(self, row: Row) -> PaymentChange:
        payment_id, version, raw, at = row
        snapshot = read_json(raw)
        previous = snapshot["previous"]
        return PaymentChange(
            **{
                **snapshot,
                "previous": None if previous is None else _PAYMENT_STATUS[previous],
                "status": _PAYMENT_STATUS[snapshot["status"]],
            },
            payment_id=payment_id,
            version=version,
            at=self._read_time(at),
        )


def _action(payment: Payment) -> Any:
    action = payment.next_action
    return None if action is None else {"kind": action.kind, "data": action.data}
