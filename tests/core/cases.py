"""One decision at a time: a case put together by hand, what is decided, and nothing around it.

The tests of the rules state what must be written for a given state and a given answer; the
shop of ``harness`` shows the same rules at work over time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from omniman_payment_core.contracts import Abilities, BackendRegistration, Feature
from omniman_payment_core.decisions import Directory, Moment, Outcome, Rules, Terms, decide, resolve
from omniman_payment_core.records import (
    CallRecord,
    Case,
    Changes,
    ChannelView,
    Directive,
    DirectiveChange,
    Event,
    Flag,
    GatewayRequest,
    OpenDirective,
    Operation,
    OperationState,
    OrderView,
    Payment,
    Refund,
)
from omniman_payment_core.values import PaymentResult, RefundStatus

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
ALL_METHODS = (
    "authorize",
    "capture",
    "charge",
    "refund",
    "cancel",
    "get_status",
    "find",
)
ORDER = OrderView("O1", ChannelView("web", {}), "open", "BRL", 1000)
CANCELLED = replace(ORDER, cancelled=True)
RETURNS_LATE_MONEY = replace(ORDER, channel=ChannelView("web", {"late_money": "refund"}))
DONE, FAILED, PARKED, PENDING = "completed", "failed", "parked", "pending"


def payment(number: int = 1, **changes: Any) -> Payment:
    """An attempt to pay order O1; the first one unless told otherwise."""
    facts: dict[str, Any] = {
        "id": f"pay-{number}",
        "order_ref": "O1",
        "attempt": number,
        "flow": "authorize_capture",
        "account": "shop",
        "fingerprint": "print",
        "livemode": False,
        "plugin": "mock",
        "plugin_version": "1",
        "currency": "BRL",
        "amount_q": 1000,
        "created_at": NOW - HOUR,
        "transaction_id": f"tx-{number}",
        "version": 3,
    }
    return Payment(**{**facts, **changes})


def operation(kind: str, state: str = "sent", number: int = 1, **changes: Any) -> Operation:
    """An operation of the first payment, asked for by the directive of :func:`directive`."""
    sent = state != OperationState.PLANNED
    facts: dict[str, Any] = {
        "key": f"omp_pay-1_{kind}_{number}",
        "payment_id": "pay-1",
        "kind": kind,
        "ordinal": number,
        "cause": "directive-7",
        "params_hash": "hash",
        "amount_q": 1000,
        "currency": "BRL",
        "state": OperationState(state),
        "created_at": NOW - MINUTE,
        "first_sent_at": NOW - MINUTE if sent else None,
        "last_sent_at": NOW - MINUTE if sent else None,
        "address": "tx-1",
        "fence": 1 if sent else 0,
        "attempts": 1 if sent else 0,
    }
    return Operation(**{**facts, **changes})


def refund(status: str = "pending", number: int = 1, amount_q: int = 300, **changes: Any) -> Refund:
    """The refund that goes with ``operation("refund", number=number)``."""
    facts: dict[str, Any] = {
        "id": f"omp_pay-1_refund_{number}",
        "payment_id": "pay-1",
        "amount_q": amount_q,
        "status": RefundStatus(status),
        "created_at": NOW - MINUTE,
    }
    return Refund(**{**facts, **changes})


def answer(status: str, transaction_id: str | None = "tx-1", **more: Any) -> PaymentResult:
    """What a gateway says."""
    success = more.pop("success", True)
    return PaymentResult(success, transaction_id, status, **more)


@dataclass
class Desk:
    """Where one decision is made: an order, its payments, and a directive about them."""

    topic: str = "payment.sync"
    payload: Any = field(default_factory=dict)
    payments: Sequence[Payment] = ()
    operations: Sequence[Operation] = ()
    refunds: Sequence[Refund] = ()
    others: Sequence[OpenDirective] = ()
    order: OrderView | None = ORDER
    methods: Sequence[str] = ALL_METHODS
    keyed: Sequence[str] = ()
    finalizes: bool = False
    registration: BackendRegistration = field(
        default_factory=lambda: BackendRegistration(name="mock", build=lambda options: None)
    )
    names: Callable[[str], str] | None = None
    names_refund: Callable[[str], str] | None = None
    rules: Rules = field(default_factory=Rules)
    jitter: float = 0.0
    retry_in: timedelta | None = None
    attempts: int = 0
    fenced: bool = True
    call: CallRecord | None = None
    fingerprint: str = "print"
    dedupe_key: str | None = None
    schema_version: int = 1
    accounts_asked: list[str] = field(default_factory=list)

    def directive(self) -> Directive:
        return Directive(
            id=7,
            topic=self.topic,
            order_ref="O1",
            payload=self.payload,
            status="running",
            attempts=self.attempts,
            available_at=NOW,
            fence=5,
            dedupe_key=self.dedupe_key,
            schema_version=self.schema_version,
            last_error="the line was dead",
        )

    def terms(self, account: str = "shop") -> Terms:
        self.accounts_asked.append(account)
        return Terms(
            account=account,
            plugin="mock",
            version="1",
            fingerprint=self.fingerprint,
            livemode=False,
            abilities=Abilities(
                frozenset(self.methods),
                frozenset(self.keyed),
                frozenset(),
                finalizes=self.finalizes,
            ),
            registration=self.registration,
            choose_transaction_id=self.names,
            choose_refund_id=self.names_refund,
        )

    def features(self, *missing: str, **facts: Any) -> Desk:
        """The same with a registration that lacks some features."""
        features = {name: Feature(False, f"no {name} here") for name in missing}
        return replace(
            self,
            registration=BackendRegistration(
                name="mock", build=lambda options: None, features=features, **facts
            ),
        )

    def decide(self) -> Decided:
        """What is decided about the directive itself."""
        return Decided(decide(self.case(), self.directory(), self.moment(), self.rules))

    def hear(self, outcome: Outcome, about: Operation | None = None, **more: Any) -> Decided:
        """What the outcome of a call changes: of an operation's, or of a look."""
        paid = self.payments[-1] if self.payments else payment()
        request = GatewayRequest(
            method="get_status" if about is None else about.kind,
            account=paid.account,
            fingerprint=paid.fingerprint,
            plugin=paid.plugin,
            livemode=paid.livemode,
            payment_id=more.pop("payment_id", paid.id),
            order_ref="O1",
            amount_q=paid.amount_q,
            currency=paid.currency,
            transaction_id=paid.transaction_id,
            operation=about,
            attempt=more.pop("attempt", 1 if about is None else about.attempts),
            **more,
        )
        return Decided(
            resolve(
                self.case(),
                request,
                outcome,
                self.call,
                self.terms(),
                self.directory(),
                self.moment(),
                self.rules,
                fenced=self.fenced,
            )
        )

    def case(self) -> Case:
        return Case(
            directive=self.directive(),
            order=self.order,
            payments=tuple(self.payments),
            operations=tuple(self.operations),
            refunds=tuple(self.refunds),
            others=tuple(self.others),
        )

    def directory(self) -> Directory:
        return Directory(lambda channel: self.terms(), self.terms)

    def moment(self) -> Moment:
        return Moment(NOW, lambda: "pay-new", jitter=self.jitter, retry_in=self.retry_in)


@dataclass(frozen=True)
class Decided:
    """What a decision writes, and shorter ways to look at it."""

    changes: Changes

    @property
    def end(self) -> DirectiveChange:
        assert self.changes.directive is not None, "the directive keeps running"
        assert self.asks == ""
        return self.changes.directive

    @property
    def ended(self) -> str:
        """How the directive ended; nothing while it keeps running."""
        return "" if self.changes.directive is None else self.end.status

    @property
    def code(self) -> str:
        """The error's code, of a directive that failed."""
        assert self.end.status == FAILED, self.end
        assert self.end.result is not None
        code: str = self.end.result["error_code"]
        return code

    @property
    def result(self) -> dict[str, Any]:
        assert self.end.status == DONE, self.end
        return dict(self.end.result or {})

    @property
    def waits(self) -> timedelta:
        """How long the directive waits before it runs again."""
        assert self.end.status == PENDING, self.end
        assert self.end.available_at is not None
        return self.end.available_at - NOW

    @property
    def payment(self) -> Payment:
        assert self.changes.payment is not None, "no payment was changed"
        return self.changes.payment

    @property
    def request(self) -> GatewayRequest:
        assert self.asks, "nothing is asked of the gateway"
        assert self.changes.request is not None
        return self.changes.request

    @property
    def asks(self) -> str:
        """The method that is called next, and then nothing else is decided; nothing if none is."""
        both = self.changes.request is not None and self.changes.directive is not None
        assert not both, "a directive that has ended still calls"
        return "" if self.changes.request is None else self.changes.request.method

    @property
    def facts(self) -> list[tuple[str, int]]:
        return [(str(event.kind), event.amount_q) for event in self.changes.events]

    @property
    def events(self) -> tuple[Event, ...]:
        return self.changes.events

    @property
    def flags(self) -> list[str]:
        return [flag.kind for flag in self.changes.flags]

    def flag(self, kind: str) -> Flag:
        (found,) = (flag for flag in self.changes.flags if flag.kind == kind)
        return found

    def operation(self, key: str) -> Operation:
        """An operation as it is written."""
        written = (*self.changes.operations, *self.changes.new_operations)
        (found,) = (operation for operation in written if operation.key == key)
        return found

    def refund(self, key: str = "omp_pay-1_refund_1") -> Refund:
        written = (*self.changes.refunds, *self.changes.new_refunds)
        (found,) = (refund for refund in written if refund.id == key)
        return found

    @property
    def enqueued(self) -> list[tuple[str, dict[str, Any], str | None]]:
        return [(d.topic, dict(d.payload), d.dedupe_key) for d in self.changes.new_directives]
