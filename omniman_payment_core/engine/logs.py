"""One line for each directive and each gateway call, from named fields only.

There is no way to log a payload, a payment method or a result here: the functions take
records that have no such field. Texts from outside come scrubbed and on one line.
"""

from __future__ import annotations

import logging

from ..records import CallRecord, Directive, DirectiveChange

log = logging.getLogger("omniman_payment")


def log_call(call: CallRecord) -> None:
    """A gateway call and what became of it."""
    level = logging.INFO if call.outcome in ("answered", "found", "prepared") else logging.WARNING
    if log.isEnabledFor(level):
        log.log(
            level,
            "gateway call %s order=%s payment=%s account=%s operation=%s outcome=%s code=%s "
            "duration_ms=%d.%03d %s",
            call.method,
            call.order_ref,
            call.payment_id,
            call.account,
            call.operation_key or "-",
            call.outcome,
            call.code or "-",
            *divmod(call.duration_us, 1000),
            call.message,
            extra={
                "payment_order": call.order_ref,
                "payment_id": call.payment_id,
                "payment_account": call.account,
                "payment_operation": call.operation_key,
                "payment_method_called": call.method,
                "payment_outcome": call.outcome,
                "payment_duration_us": call.duration_us,
            },
        )


def log_directive(
    directive: Directive, change: DirectiveChange, payment_id: str, call: CallRecord | None
) -> None:
    """How a directive ended, or why it runs again, and the call that it rests on."""
    level = logging.INFO if change.status in ("completed", "pending") else logging.WARNING
    if log.isEnabledFor(level):
        log.log(
            level,
            "directive %s %s id=%s order=%s payment=%s operation=%s attempts=%s "
            "duration_ms=%d.%03d %s",
            directive.topic,
            change.status,
            directive.id,
            directive.order_ref,
            payment_id or "-",
            (call.operation_key if call else "") or "-",
            change.attempts,
            *divmod(call.duration_us if call else 0, 1000),
            change.last_error,
            extra={
                "payment_order": directive.order_ref,
                "payment_id": payment_id,
                "payment_directive": directive.id,
                "payment_topic": directive.topic,
                "payment_operation": call.operation_key if call else "",
                "payment_outcome": change.status,
                "payment_duration_us": call.duration_us if call else 0,
            },
        )
