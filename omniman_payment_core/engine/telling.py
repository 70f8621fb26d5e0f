"""Telling observers, always after the commit and only of what was committed.

Status moves are told at least once: their notices stay in the store until the telling is
over, and whoever finds one left behind tells it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..notices import DirectiveNotice, PaymentChange
from ..records import (
    CallRecord,
    Directive,
    DirectiveChange,
    DirectiveStatus,
    NewDirective,
    StatusMove,
)
from .logs import log_directive
from .ports import Clock, Store, Written

if TYPE_CHECKING:
    from ..plugins.hooks import PaymentHooks

_HOOKS = {
    DirectiveStatus.COMPLETED: "directive_settled",
    DirectiveStatus.FAILED: "directive_failed",
    DirectiveStatus.PARKED: "directive_parked",
    DirectiveStatus.PENDING: "directive_retrying",
}


class Teller:
    """Turns what was committed into notices. Builds none that nobody would hear."""

    def __init__(self, store: Store, hooks: PaymentHooks, clock: Clock) -> None:
        self._store = store
        self._hooks = hooks
        self._clock = clock

    @property
    def tells_changes(self) -> bool:
        """Whether anybody wants to hear of status moves."""
        return self._hooks.observes("payment_changed")

    def claimed(self, written: Sequence[Written]) -> None:
        """Directives that a worker has taken."""
        if self._hooks.observes("directive_claimed"):
            for entry in written:
                directive = entry.case.directive
                notice = self._notice(directive, _payment_id(entry), "running", "")
                self._hooks.directive_claimed(notice)

    def committed(self, written: Sequence[Written]) -> None:
        """Everything a transaction has settled."""
        moves = []
        for entry in written:
            changes = entry.changes
            if changes.directive is not None:
                self._settled(entry, changes.directive)
            if changes.move is not None:
                moves.append(changes.move)
            for directive in changes.new_directives:
                self.enqueued(directive)
        if moves and self.tells_changes:
            now = self._clock.now()
            self.changed([change_of(move, now) for move in moves])

    def changed(self, changes: Sequence[PaymentChange]) -> None:
        """Status moves, whose notices are forgotten once all observers were told."""
        for change in changes:
            self._hooks.payment_changed(change)
        if changes:
            self._store.told(changes)

    def enqueued(self, directive: NewDirective) -> None:
        """A directive that is now to be done."""
        if self._hooks.observes("directive_enqueued"):
            self._hooks.directive_enqueued(
                DirectiveNotice(
                    id=None,
                    topic=directive.topic,
                    order_ref=directive.order_ref,
                    payment_id=None,
                    attempts=0,
                    status=DirectiveStatus.PENDING,
                    reason="",
                    at=self._clock.now(),
                )
            )

    def wished_delay(self, directive: Directive, call: CallRecord) -> timedelta | None:
        """What policy plugins say about the next attempt."""
        if not self._hooks.observes("retry_delay"):
            return None
        notice = self._notice(directive, call.payment_id, "retrying", call.message)
        return self._hooks.retry_delay(notice)

    def _settled(self, entry: Written, change: DirectiveChange) -> None:
        directive, payment_id = entry.case.directive, _payment_id(entry)
        log_directive(directive, change, payment_id, entry.changes.call)
        hook = _HOOKS[DirectiveStatus(change.status)]
        if self._hooks.observes(hook):
            status = "retrying" if change.status == DirectiveStatus.PENDING else change.status
            notice = self._notice(directive, payment_id, status, change.last_error, change.attempts)
            getattr(self._hooks, hook)(notice)

    def _notice(
        self,
        directive: Directive,
        payment_id: str,
        status: str,
        reason: str,
        attempts: int | None = None,
    ) -> DirectiveNotice:
        return DirectiveNotice(
            id=directive.id,
            topic=directive.topic,
            order_ref=directive.order_ref,
            payment_id=payment_id or None,
            attempts=directive.attempts if attempts is None else attempts,
            status=status,
            reason=reason,
            at=self._clock.now(),
        )


def change_of(move: StatusMove, at: datetime) -> PaymentChange:
    """A status move as observers are told of it."""
    payment = move.payment
    return PaymentChange(
        payment_id=payment.id,
        order_ref=payment.order_ref,
        account=payment.account,
        previous=move.previous,
        status=payment.status,
        amount_q=payment.amount_q,
        currency=payment.currency,
        authorized_q=payment.authorized_q,
        captured_q=payment.captured_q,
        refunded_q=payment.refunded_q,
        disputed_q=payment.disputed_q,
        version=payment.version,
        at=at,
    )


def _payment_id(entry: Written) -> str:
    changes = entry.changes
    if changes.payment is not None:
        return changes.payment.id
    return changes.call.payment_id if changes.call is not None else ""
