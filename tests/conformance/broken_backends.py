"""Backends that are each wrong in one way that has cost somebody money, for the kit to catch.

They are the mock with one fault, so whatever the kit says of them is about that fault.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any, ClassVar

from omniman_payment_core.contracts import BackendRegistration, Feature
from omniman_payment_core.errors import (
    OutcomeUnknownError,
    PaymentError,
    TransactionNotFoundError,
)
from omniman_payment_core.values import PaymentResult, PaymentStatus, WebhookEvent
from omniman_payment_mock import MockGateway, MockPaymentBackend
from omniman_payment_mock.plugin import make_registration
from omniman_payment_mock.script import Fault

SECRET = "planted-webhook-secret-of-the-broken"


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Driver:
    """The kit's hands at the far side."""

    def __init__(self, gateway: MockGateway, clock: Clock) -> None:
        self.gateway, self.clock = gateway, clock
        self.pay, self.webhook, self.dispute = gateway.pay, gateway.webhook, gateway.dispute
        self.moved_q, self.held_q = gateway.moved_q, gateway.held_q
        self.decline_next, self.refund_outside = gateway.decline_next, gateway.refund_outside

    def lose_next(self, when: str) -> None:
        self.gateway.fail_next(Fault("timeout", on="mutating", when=when))

    def fail_refund(self, reference: str) -> None:
        named = self.gateway.__dict__.get("named", {})
        self.gateway.settle_refund(named.get(reference, reference), ok=False)

    def advance(self, period: timedelta) -> None:
        self.clock.now += period


class Sound(MockPaymentBackend):
    """The control: nothing is wrong with it."""

    registration: BackendRegistration = make_registration()


class Prepares(Sound):
    """Another sound one: it gets the address by a call of its own, before money can move."""

    choose_transaction_id = None  # type: ignore[assignment]

    def prepare(
        self, amount_q: int, currency: str, order_ref: str, payment_method: Any,
        metadata: Any = None, *, capture: bool, idempotency_key: str,
    ) -> str:  # fmt: skip
        address = super().choose_transaction_id(idempotency_key)
        self.prepared.add(address)
        return address

    @property
    def prepared(self) -> set[str]:
        """The gateway's unconfirmed transactions, kept where every backend sees them."""
        known: set[str] = self.gateway.__dict__.setdefault("prepared", set())
        return known

    def get_status(self, transaction_id: str) -> PaymentResult:
        unconfirmed = self.gateway.transaction(transaction_id) is None
        if unconfirmed and transaction_id in self.prepared:
            return PaymentResult(True, transaction_id, "pending")
        return super().get_status(transaction_id)


class NamesAndTells(Sound):
    """Sound: it names its refunds, and tells again what its notifications have told."""

    def choose_refund_id(self, idempotency_key: str) -> str:
        return f"back-{blake2b(idempotency_key.encode(), digest_size=12).hexdigest()}"

    def refund(
        self, transaction_id: str, amount_q: int | None = None, reason: str | None = None, *,
        idempotency_key: str | None = None,
    ) -> PaymentResult:  # fmt: skip
        result = super().refund(transaction_id, amount_q, reason, idempotency_key=idempotency_key)
        if idempotency_key is None or not result.success:
            return result
        return replace(result, reference=self._named(result.reference, idempotency_key))

    def get_status(self, transaction_id: str) -> PaymentResult:
        seen = super().get_status(transaction_id)
        refunds = tuple(
            replace(
                r,
                reference=self._named(r.reference, r.idempotency_key)
                if r.idempotency_key
                else r.reference,
                idempotency_key=None,
            )
            for r in seen.refunds or ()
        )
        return replace(seen, refunds=refunds if seen.refunds is not None else None)

    def poll_events(self, since: datetime) -> list[WebhookEvent]:
        return [
            event
            for seen in self.list_transactions(since)
            for event in self.parse_webhook(*self.gateway.webhook(seen.transaction_id))
        ]

    def parse_webhook(self, headers: Any, body: bytes) -> Any:
        # The mock numbers each notification anew; what it is about is its name here.
        return [
            replace(event, event_id=f"about-{event.transaction_id}")
            for event in super().parse_webhook(headers, body)
        ]

    def _named(self, reference: str | None, key: str) -> str:
        name = self.choose_refund_id(key)
        self.gateway.__dict__.setdefault("named", {})[name] = reference
        return name


class LetsGo(Sound):
    """Sound as well: a capture is the last one unless it is told that it is not."""

    def capture(
        self, transaction_id: str, amount_q: int | None = None, *, currency: str | None = None,
        final: bool = True, idempotency_key: str | None = None,
    ) -> PaymentResult:  # fmt: skip
        result = super().capture(transaction_id, amount_q, idempotency_key=idempotency_key)
        if not final or result.status != PaymentStatus.PARTIALLY_CAPTURED:
            return result
        self.gateway.cancel(transaction_id)
        return replace(result, status=PaymentStatus.CAPTURED)


class KeepsTheRestOfALastPart(LetsGo):
    def capture(
        self, transaction_id: str, amount_q: int | None = None, *, currency: str | None = None,
        final: bool = True, idempotency_key: str | None = None,
    ) -> PaymentResult:  # fmt: skip
        return super().capture(
            transaction_id, amount_q, final=False, idempotency_key=idempotency_key
        )


class MovesMoneyWhenPreparing(Prepares):
    def prepare(self, *args: Any, capture: bool, idempotency_key: str) -> str:
        address = super().prepare(*args, capture=capture, idempotency_key=idempotency_key)
        self.charge(*args, idempotency_key=idempotency_key, transaction_id=address)
        return address


class ChargesAgainUnderTheSameKey(Sound):
    def charge(
        self, *args: Any, idempotency_key: str | None = None, **kwargs: Any
    ) -> PaymentResult:
        kwargs.pop("transaction_id", None)
        return super().charge(*args, **kwargs)


class HoldsAgainUnderTheSameKey(Sound):
    def authorize(
        self, *args: Any, idempotency_key: str | None = None, **kwargs: Any
    ) -> PaymentResult:
        kwargs.pop("transaction_id", None)
        return super().authorize(*args, **kwargs)


class RefundsAgainUnderTheSameKey(Sound):
    def refund(
        self, *args: Any, idempotency_key: str | None = None, **kwargs: Any
    ) -> PaymentResult:
        return super().refund(*args, **kwargs)


class ClaimsACaptureThatMovesNothing(Sound):
    def capture(self, transaction_id: str, *args: Any, **kwargs: Any) -> PaymentResult:
        seen = self.get_status(transaction_id)
        return replace(seen, success=True, status="captured", captured_q=seen.amount_q)


class TakesTheMoneyWhenAskedToHoldIt(Sound):
    def authorize(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return replace(self.charge(*args, **kwargs), status="authorized")


class IgnoresThePartOfAPartialCapture(Sound):
    def capture(
        self, transaction_id: str, amount_q: int | None = None, **kwargs: Any
    ) -> PaymentResult:
        return super().capture(transaction_id, None, **kwargs)


class RefundsBeyondTheCapture(Sound):
    def refund(
        self, transaction_id: str, amount_q: int | None = None, *args: Any, **kwargs: Any
    ) -> PaymentResult:
        txn = self.gateway.transaction(transaction_id)
        if txn is not None and amount_q is not None and amount_q > txn.captured_q:
            self.gateway._add_refund(txn, amount_q, kwargs.get("idempotency_key"))
            return PaymentResult(True, transaction_id, "refunded")
        return super().refund(transaction_id, amount_q, *args, **kwargs)


class ReportsATimeoutAsAFailure(Sound):
    def charge(self, *args: Any, **kwargs: Any) -> PaymentResult:
        try:
            return super().charge(*args, **kwargs)
        except OutcomeUnknownError:
            return PaymentResult(False, None, "failed", "card_declined", "timeout")


class LetsTheLibrarysTimeoutThrough(Sound):
    def capture(self, *args: Any, **kwargs: Any) -> PaymentResult:
        try:
            return super().capture(*args, **kwargs)
        except OutcomeUnknownError:
            raise TimeoutError("read timed out") from None


class RaisesADecline(Sound):
    def charge(self, *args: Any, **kwargs: Any) -> PaymentResult:
        result = super().charge(*args, **kwargs)
        if not result.success:
            raise PaymentError("card declined")
        return result


class DeclinesWithoutAReason(Sound):
    def authorize(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return replace(super().authorize(*args, **kwargs), error_code=None)


class PutsAnSdkObjectIntoMetadata(Sound):
    def authorize(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return replace(super().authorize(*args, **kwargs), metadata={"intent": object()})


class ShowsItsSecret(Sound):
    def charge(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return replace(super().charge(*args, **kwargs), metadata={"config": SECRET})


class AnswersFloatAmounts(Sound):
    def get_status(self, transaction_id: str) -> PaymentResult:
        seen = super().get_status(transaction_id)
        return replace(seen, captured_q=(seen.captured_q or 0) / 1)  # type: ignore[arg-type]


class ConvertsThroughFloat(Sound):
    def charge(self, amount_q: int, *args: Any, **kwargs: Any) -> PaymentResult:
        return super().charge(int(amount_q / 100 * 100), *args, **kwargs)


class AnswersInAnotherCurrency(Sound):
    def charge(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return replace(super().charge(*args, **kwargs), currency="USD")


class CallsAnUnknownTransactionFailed(Sound):
    def get_status(self, transaction_id: str) -> PaymentResult:
        try:
            return super().get_status(transaction_id)
        except TransactionNotFoundError:
            return PaymentResult(False, transaction_id, "failed")


class InventsAStatus(Sound):
    def get_status(self, transaction_id: str) -> PaymentResult:
        return replace(super().get_status(transaction_id), status="CONCLUIDA")


class CallsEverythingPaid(Sound):
    def get_status(self, transaction_id: str) -> PaymentResult:
        return replace(super().get_status(transaction_id), status="captured")


class ForgetsRefundsInItsStatus(Sound):
    def get_status(self, transaction_id: str) -> PaymentResult:
        return replace(super().get_status(transaction_id), refunded_q=0, refunds=())


class CancelsOnPaperOnly(Sound):
    def cancel(self, transaction_id: str, **kwargs: Any) -> PaymentResult:
        return replace(self.get_status(transaction_id), status="cancelled")


class FindsOtherPeoplesPayments(Sound):
    def find(self, order_ref: str) -> Any:
        return [self.gateway.read(t) for t in self.gateway.transactions()]


class AddsToTheCallersMetadata(Sound):
    def charge(
        self, amount_q: int, currency: str, order_ref: str, *rest: Any, **kwargs: Any
    ) -> PaymentResult:
        for mapping in rest[1:]:
            mapping["order_ref"] = order_ref
        return super().charge(amount_q, currency, order_ref, *rest, **kwargs)


class ReplaysAnotherRequestUnderTheKey(Sound):
    def charge(
        self, *args: Any, idempotency_key: str | None = None, **kwargs: Any
    ) -> PaymentResult:
        known = self.gateway._store.recall(idempotency_key or "")
        if known is not None:
            return known.answer
        return super().charge(*args, idempotency_key=idempotency_key, **kwargs)


class ChoosesARandomId(Sound):
    def choose_transaction_id(self, idempotency_key: str) -> str:
        return self.gateway._new_id("mock")


class ClosesOnce(Sound):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("already closed")
        self.closed = True


class SharesOneBookBetweenAccounts(Sound):
    transactions: ClassVar[dict[str, Any]] = {}


class BelievesForgedWebhooks(Sound):
    def parse_webhook(self, headers: Any, body: bytes) -> Any:
        try:
            event = json.loads(body)
            return [WebhookEvent(event["id"], event["type"], event["transaction_id"])]
        except Exception:
            return super().parse_webhook(headers, body)


class BelievesOldWebhooks(Sound):
    def parse_webhook(self, headers: Any, body: bytes) -> Any:
        sent = {k.lower(): v for k, v in headers.items()}.get("webhook-timestamp", "")
        before, clock = self._clock, self._clock
        if sent.isdigit() and sent.isascii() and len(sent) < 12:
            clock = partial(datetime.fromtimestamp, int(sent), UTC)
        self._clock = clock
        try:
            return super().parse_webhook(headers, body)
        finally:
            self._clock = before


class CrashesOnAnOddHeader(Sound):
    def parse_webhook(self, headers: Any, body: bytes) -> Any:
        for value in headers.values():
            value.encode("ascii")
        return super().parse_webhook(headers, body)


class CrashesOnDeepJson(Sound):
    def parse_webhook(self, headers: Any, body: bytes) -> Any:
        json.loads(body)
        return super().parse_webhook(headers, body)


class DeclinesAFeatureWithoutASentence(Sound):
    registration = make_registration(features={"partial_refund": Feature.no("")})


class DeclaresAFeatureThatDoesNotExist(Sound):
    registration = make_registration(features={"instalments": Feature.yes()})


class NamesARefundAnewEachTime(NamesAndTells):
    def choose_refund_id(self, idempotency_key: str) -> str:
        count = self.gateway.__dict__.setdefault("names", iter(range(1000)))
        return f"back-{next(count)}"


class InventsEventsWhenPolled(NamesAndTells):
    def poll_events(self, since: datetime) -> list[WebhookEvent]:
        count = self.gateway.__dict__.setdefault("polls", iter(range(1000)))
        return [
            replace(event, event_id=f"{event.event_id}-{next(count)}")
            for event in super().poll_events(since)
        ]
