"""When a payment that is not final is looked at next. Pure arithmetic on its own dates."""

from __future__ import annotations

from datetime import datetime

from ..records import Payment
from ..values import PaymentStatus as S
from .terms import Rules


def next_check(
    payment: Payment,
    now: datetime,
    rules: Rules,
    checks: int,
    *,
    refund_pending: bool = False,
    polled: bool = False,
) -> datetime | None:
    """The time of the next look, or ``None`` for a payment that nothing is expected of.

    ``checks`` is how many looks in a row brought nothing: each waits twice as long as the
    one before, but never past a date that matters (an expiry) by more than the slack.
    ``polled``: the whole account is asked for news, so a look of its own is only a safeguard.
    """
    first = rules.first_check_polled if polled else rules.first_check
    patience = min(rules.check_cap, first * (1 << min(checks, 20)))
    if payment.status in (S.PENDING, S.REQUIRES_ACTION):
        due = now + patience
        if payment.expires_at is not None and now < payment.expires_at:
            due = min(due, payment.expires_at + rules.expiry_slack)
        return due
    if payment.open_q > 0:
        due, warning = now + rules.idle_check, hold_warning_at(payment)
        if warning is not None and now < warning:
            due = min(due, warning)
        if payment.hold_expires_at is not None and now < payment.hold_expires_at:
            due = min(due, payment.hold_expires_at + rules.expiry_slack)
        return due
    if refund_pending:
        return now + max(patience, rules.first_check * 12)
    if payment.status in (S.DISPUTED, S.PARTIALLY_CAPTURED):
        return now + rules.idle_check
    if payment.status in (S.EXPIRED, S.CANCELLED, S.FAILED) and payment.authorized_q == 0:
        return _late_watch(payment, now, rules, polled=polled)
    return None


def hold_warning_at(payment: Payment) -> datetime | None:
    """When a person should hear that a hold is about to lapse: four fifths of its life."""
    end = payment.hold_expires_at
    return None if end is None else end - (end - payment.created_at) / 5


def _late_watch(payment: Payment, now: datetime, rules: Rules, *, polled: bool) -> datetime | None:
    """An open charge that ended can still be paid by a payer who was slow: keep looking."""
    if payment.expires_at is None:
        return None
    end = payment.expires_at + rules.late_watch
    due = end if polled and now < end else now + rules.check_cap
    return due if due <= end else None
