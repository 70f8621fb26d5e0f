"""The one place where a decision gathers what it will write: facts, operations, the next step.

A draft is the working copy of a case. Decisions talk to it in the domain's words and
:meth:`Draft.changes` turns it into one immutable value. It touches nothing outside itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ..ledger import advance, kept_q, summary_of, trigger_of
from ..records import (
    CallRecord,
    Case,
    Changes,
    DirectiveChange,
    DirectiveStatus,
    Event,
    EventKind,
    Flag,
    FoundOut,
    GatewayRequest,
    NewDirective,
    Operation,
    OperationState,
    Payment,
    Refund,
    Source,
    StatusMove,
    Topic,
    Trigger,
    evolve,
)
from ..values import PaymentStatus, RefundStatus
from .schedule import next_check
from .terms import Moment, Rules

_Row = TypeVar("_Row")


class Draft:
    """A case being decided. ``fenced`` off means the lease was lost: facts only."""

    def __init__(self, case: Case, moment: Moment, rules: Rules, *, fenced: bool = True) -> None:
        self.case = case
        self.directive = case.directive
        self.order = case.order
        self.moment = moment
        self.rules = rules
        self.fenced = fenced
        self.source: Source = Source.CALL
        self.payment: Payment | None = None
        self.looked_at: datetime | None = None
        """When the gateway was read for this settlement; looking again would tell the same."""
        self.absent = False
        """That look said the gateway knows nothing of it."""
        self.news = False
        """The last look brought something that was not known."""
        self.call: CallRecord | None = None
        self.polled = False
        """The payment's account is asked for news as a whole."""
        self.attempts = case.directive.attempts
        self._payments = {payment.id: payment for payment in case.payments}
        self._operations = {operation.key: operation for operation in case.operations}
        self._refunds = {refund.id: refund for refund in case.refunds}
        self._put_operations: set[str] = set()
        self._put_refunds: set[str] = set()
        self._stored = case
        self._events: list[Event] = []
        self._flags: list[Flag] = []
        self._new_directives: list[NewDirective] = []
        self._end: DirectiveChange | None = None
        self._request: GatewayRequest | None = None
        self._check_at: datetime | None = None
        self._wake = False
        self._revive = False
        self._found_out: FoundOut | None = None
        self.actor = moment.actor

    @property
    def looked(self) -> bool:
        return self.looked_at is not None

    # -- reading ---------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.moment.now

    @property
    def ended(self) -> bool:
        """The directive's fate in this run is decided."""
        return self._end is not None

    @property
    def touched(self) -> Payment:
        """The payment this decision is about; only asked for once it is chosen."""
        assert self.payment is not None, "a decision about a payment was made without one"
        return self.payment

    @property
    def cancelled(self) -> bool:
        """Nobody wants the chosen payment's money any more."""
        order = self.order
        return self.touched.cancel_requested or (order is not None and order.cancelled)

    def payments(self) -> list[Payment]:
        return list(self._payments.values())

    def choose(self, payment: Payment) -> None:
        """Make ``payment`` the one this decision is about."""
        self.payment = self._payments[payment.id]

    def latest(self) -> Payment | None:
        """The order's newest attempt."""
        return next(reversed(self._payments.values()), None)

    def begun_with(self) -> Payment | None:
        """The payment for which this directive already has an operation."""
        identity = self.directive.identity
        mine = (op.payment_id for op in self._operations.values() if op.cause == identity)
        return self.find_payment(next(mine, None))

    def find_payment(self, payment_id: object) -> Payment | None:
        return self._payments.get(payment_id) if isinstance(payment_id, str) else None

    def operations(self) -> Iterator[Operation]:
        """The chosen payment's operations, oldest first."""
        payment_id = self.touched.id
        return (op for op in self._operations.values() if op.payment_id == payment_id)

    def unsettled(self) -> Operation | None:
        """The operation of the payment that may still come to have an effect; at most one."""
        return next((op for op in self.operations() if op.unsettled), None)

    def doubtful(self) -> set[str]:
        """The order's payments of which something was sent and nobody knows what became of it."""
        operations = self._operations.values()
        return {op.payment_id for op in operations if op.unsettled and op.first_sent_at}

    def mine(self) -> Operation | None:
        """This directive's own newest operation."""
        identity, found = self.directive.identity, None
        for operation in self.operations():
            if operation.cause == identity:
                found = operation
        return found

    def operation(self, key: str) -> Operation | None:
        return self._operations.get(key)

    def again(self, operation: Operation) -> Operation:
        """An operation of this case, as it stands by now."""
        return self._operations[operation.key]

    def refunds(self) -> list[Refund]:
        payment_id = self.touched.id
        return [refund for refund in self._refunds.values() if refund.payment_id == payment_id]

    def other_open(self, *topics: str) -> bool:
        """Another directive of the order with one of these topics is still to run."""
        return any(
            other.topic in topics and other.status != DirectiveStatus.PARKED
            for other in self.case.others
        )

    def refundable_q(self) -> int:
        """Captured money that no refund or dispute has taken or reserved."""
        payment = self.touched
        reserved = sum(
            refund.amount_q for refund in self.refunds() if refund.status == RefundStatus.PENDING
        )
        return payment.captured_q - payment.refunded_q - payment.disputed_q - reserved

    # -- writing the payment ---------------------------------------------------------------

    def open_payment(self, payment: Payment) -> Payment:
        self.payment = self._payments[payment.id] = payment
        return payment

    def update(self, **changes: Any) -> Payment:
        """Change what is not a fact: address, next action, expiry, intentions."""
        payment = self.touched
        for name, value in changes.items():
            if getattr(payment, name) != value:
                payment = evolve(payment, **changes)
                self.payment = self._payments[payment.id] = payment
                break
        return payment

    def record(
        self,
        kind: EventKind,
        amount_q: int,
        dedupe_key: str,
        *,
        reference: str = "",
        **data: Any,
    ) -> None:
        """Append a fact to the ledger and let it move the payment."""
        event = Event(
            payment_id=self.touched.id,
            kind=kind,
            amount_q=amount_q,
            dedupe_key=dedupe_key,
            source=self.source,
            actor=self.actor,
            at=self.now,
            gateway_reference=reference,
            data=data,
        )
        self._events.append(event)
        moved = advance(self.touched, event)
        self.payment = self._payments[moved.id] = moved
        self.news = True

    def recorded_keys(self) -> Iterator[str]:
        """The dedupe keys of the facts gathered so far."""
        return (event.dedupe_key for event in self._events)

    def put(self, operation: Operation) -> Operation:
        self._operations[operation.key] = operation
        self._put_operations.add(operation.key)
        return operation

    def settle_operation(
        self, operation: Operation, state: OperationState, **changes: Any
    ) -> Operation:
        """Say what became of an operation, or that nobody knows; who waits for it runs again."""
        self._wake = True
        if operation.state == OperationState.PARKED and state != OperationState.PARKED:
            # Found out by a person's verdict, or by a look long after.
            self._revive = True
            # That nothing came of it for all the waiting is still for a person to see.
            if state != OperationState.REFUSED:
                reason = changes.get("evidence") or f"{operation.key} turned out to be {state}"
                self._found_out = FoundOut(self.actor, reason)
        return self.put(evolve(operation, state=state, **changes))

    def put_refund(self, refund: Refund) -> None:
        self._refunds[refund.id] = refund
        self._put_refunds.add(refund.id)

    def check_soon(self) -> None:
        """Have the gateway asked again at once: an answer showed that we know too little."""
        self._check_at = self.now

    # -- telling people --------------------------------------------------------------------

    def flag(self, kind: str, message: str, *, subject: str | None = None) -> None:
        """Ask a person to look; one open flag for each kind and subject."""
        payment = self.payment
        about = subject or (payment.id if payment else f"directive-{self.directive.id}")
        self._flags.append(
            Flag(
                kind=kind,
                dedupe_key=f"{kind}:{about}",
                order_ref=self.directive.order_ref,
                message=message,
                payment_id=payment.id if payment else None,
                directive_id=self.directive.id,
                account=payment.account if payment else "",
            )
        )

    def enqueue(self, directive: NewDirective) -> None:
        self._new_directives.append(directive)

    # -- ending the run --------------------------------------------------------------------

    def complete(self, **result: Any) -> None:
        self._finish(DirectiveStatus.COMPLETED, result, "")

    def fail(self, code: str, message: str) -> None:
        """End with a clear error; the specification page's two keys stand in the result."""
        self._finish(
            DirectiveStatus.FAILED, {"error_code": code, "error_message": message}, message
        )

    def park(self, kind: str, message: str) -> None:
        """Nobody knows, or nothing helps: wait for a person, visibly."""
        self.flag(kind, message)
        self._finish(DirectiveStatus.PARKED, None, message)
        self._wake = True

    def wait(self, reason: str, *, until: datetime | None = None, waiting: bool = True) -> None:
        """Run again when the payment changes, or at ``until``; no attempt is counted."""
        self._end = DirectiveChange(
            status=DirectiveStatus.PENDING,
            attempts=self.attempts,
            available_at=until or self.now + self.rules.wait_poll,
            waiting=waiting,
            last_error=reason,
        )

    def retry(self, reason: str, *, after: timedelta | None = None, counted: bool = True) -> None:
        """Run again after a delay; an attempt is counted unless nobody is to blame."""
        attempts = self.attempts + (1 if counted else 0)
        delay = after
        if delay is None:
            backoff = self.rules.backoff(self.attempts, self.moment.jitter)
            delay = self.moment.retry_in or backoff
        self._end = DirectiveChange(
            status=DirectiveStatus.PENDING,
            attempts=attempts,
            available_at=self.now + delay,
            last_error=reason,
        )

    def request(self, request: GatewayRequest) -> None:
        """Call the gateway next; the directive keeps running."""
        self._request = request

    def _finish(self, status: str, result: Mapping[str, Any] | None, error: str) -> None:
        self._end = DirectiveChange(
            status=status, attempts=self.attempts, result=result, last_error=error
        )

    # -- the outcome -----------------------------------------------------------------------

    def changes(self) -> Changes:
        """Everything gathered, as one value to be written in one transaction."""
        stored = self._stored
        operations: tuple[Operation, ...] = ()
        new_operations: tuple[Operation, ...] = ()
        if self._put_operations:
            known = [operation.key for operation in stored.operations]
            operations, new_operations = _apart(self._operations, self._put_operations, known)
        refunds: tuple[Refund, ...] = ()
        new_refunds: tuple[Refund, ...] = ()
        if self._put_refunds:
            known = [refund.id for refund in stored.refunds]
            refunds, new_refunds = _apart(self._refunds, self._put_refunds, known)
        payment, summary = self.payment, None
        triggers: tuple[Trigger, ...] = ()
        move: StatusMove | None = None
        before = None
        if payment is not None:
            before = next((p for p in stored.payments if p.id == payment.id), None)
            payment, triggers, move = self._closing(payment, before)
            if payment is before:
                payment = None
            elif self.latest() is self.payment:
                summary = summary_of(payment)
        return Changes(
            directive=self._end if self.fenced else None,
            payment=payment,
            payment_is_new=before is None,
            new_operations=new_operations,
            operations=operations,
            new_refunds=new_refunds,
            refunds=refunds,
            events=tuple(self._events),
            flags=tuple(self._flags),
            new_directives=tuple(self._new_directives),
            triggers=triggers,
            summary=summary,
            move=move,
            wake=self._wake or move is not None,
            revive=self._revive,
            found_out=self._found_out,
            call=self.call,
            request=self._request if self.fenced else None,
        )

    def _closing(
        self, payment: Payment, before: Payment | None
    ) -> tuple[Payment, tuple[Trigger, ...], StatusMove | None]:
        """What every changed payment gets: its triggers, its next check, its new version."""
        last: dict[str, Any] = {}
        triggers: tuple[Trigger, ...] = ()
        previous = before.status if before else None
        moved = previous is not payment.status
        # Two parts that go back are one status, and the first may have been the excess only.
        if moved or (before is not None and payment.refunded_q > before.refunded_q):
            trigger = trigger_of(payment)
            if trigger is not None:
                last["fired"] = (*payment.fired, trigger.value)
                if not self._unwanted(trigger):
                    triggers = (trigger,)
        if moved and payment.status not in _BEFORE_MONEY:
            last["next_action"] = None
        self._schedule(payment, before, last)
        if payment is before and not last:
            return payment, triggers, None
        last["version"] = (before.version if before else 0) + 1
        payment = evolve(payment, **last)
        return payment, triggers, StatusMove(payment, previous) if moved else None

    def _unwanted(self, trigger: Trigger) -> bool:
        """Late money never moves a cancelled order on, nor its return an order that stays paid."""
        if self.order is None:
            return False
        if trigger in (Trigger.HOLD, Trigger.CONFIRM):
            return self.order.cancelled
        if trigger in (Trigger.PARTIAL_REFUND, Trigger.REFUND):
            return sum(map(kept_q, self.payments())) >= self.order.total_q
        return False

    def _looks_again(self) -> bool:
        """The look itself could not be made: it has a time to be tried again, ever later."""
        return (
            self.directive.topic == Topic.SYNC
            and self._end is not None
            and self._end.status == DirectiveStatus.PENDING
        )

    def _schedule(self, payment: Payment, before: Payment | None, last: dict[str, Any]) -> None:
        """When the gateway is looked at next. While a call follows, the directive sees to it."""
        if self._check_at is not None:
            last.update(next_check_at=self._check_at, checks=0)
            return
        if self._request is not None or self._looks_again():
            return
        if payment is before and not self.looked and payment.next_check_at is not None:
            return
        checks = 0 if self.news else payment.checks
        if self.looked and not self.news:
            checks += 1
        pending_refund = any(
            r.status == RefundStatus.PENDING and r.accepted
            for r in self._refunds.values()
            if r.payment_id == payment.id
        )
        due = next_check(
            payment,
            self.now,
            self.rules,
            checks,
            refund_pending=pending_refund,
            polled=self.polled,
        )
        if due != payment.next_check_at or checks != payment.checks:
            last.update(next_check_at=due, checks=checks)


def _apart(
    rows: Mapping[str, _Row], put: set[str], known: list[str]
) -> tuple[tuple[_Row, ...], tuple[_Row, ...]]:
    """The rows to write, in the order they came in: those the store has, those it has not."""
    changed = tuple([rows[key] for key in known if key in put])
    if len(changed) == len(put):
        return changed, ()
    return changed, tuple([rows[key] for key in rows if key not in known])


_BEFORE_MONEY = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)
