"""The backend: what a shop talks to, with the wire between it and the gateway.

It turns calls into gateway requests and lets the scripted faults happen on the way. It keeps
no payments of its own: what happened is in the gateway's books.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from omniman_payment_core.errors import (
    NotAttemptedError,
    OutcomeUnknownError,
    RateLimitedError,
    WebhookPayloadError,
)
from omniman_payment_core.values import PaymentResult, WebhookEvent

from .gateway import KEY_WINDOW, MockGateway, id_for, utc_now
from .named import named_gateway
from .script import NO_BEHAVIOUR, Behaviour, Fault, parse
from .webhooks import key_of, parse_object, verify

_Answer = TypeVar("_Answer")
_TEXT = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class MockPaymentBackend:
    """A payment backend without a gateway account: ``MockPaymentBackend()`` is enough.

    :param config: an account's options; :mod:`omniman_payment_mock.plugin` lists them.
    :param gateway: the far side to talk to; by default the one that ``config["gateway"]``
        names, or one of this backend's own.
    :param clock: the time by which webhooks are fresh and holds lapse.
    :param sleep: how a slow call passes its time.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        gateway: MockGateway | None = None,
        clock: Callable[[], datetime] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.config = dict(config or {})
        secrets = self.config.get("webhook_secret") or []
        self._secrets = [secrets] if isinstance(secrets, str) else list(secrets)
        self._keys = [key_of(secret) for secret in self._secrets]
        self._clock = clock or utc_now
        self._sleep = sleep
        self._latency = self.config.get("latency_ms", 0) / 1000
        script = self.config.get("script")
        self._script = NO_BEHAVIOUR if not script else parse(script, where="config['script']")
        self.gateway = gateway or self._gateway()

    def _gateway(self) -> MockGateway:
        hours = self.config.get("key_window_hours")
        settings: dict[str, Any] = {
            "clock": self._clock,
            "key_window": KEY_WINDOW if hours is None else timedelta(hours=hours),
            "webhook_secret": self._secrets[0] if self._secrets else None,
        }
        name, state_file = self.config.get("gateway", ""), self.config.get("state_file", "")
        if name or state_file:
            return named_gateway(name, state_file=state_file, **settings)
        return MockGateway(**settings)

    # Requests

    def authorize(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        transaction_id: str | None = None,
    ) -> PaymentResult:
        """Hold funds."""
        return self._open(
            "authorize",
            amount_q,
            currency,
            order_ref,
            payment_method,
            metadata,
            idempotency_key,
            transaction_id,
        )

    def charge(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        transaction_id: str | None = None,
    ) -> PaymentResult:
        """Take funds in one step, or open a charge that the shopper pays elsewhere."""
        return self._open(
            "charge",
            amount_q,
            currency,
            order_ref,
            payment_method,
            metadata,
            idempotency_key,
            transaction_id,
        )

    def capture(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        """Take what is held, or part of it; the rest stays held."""
        return self._call(
            "capture",
            transaction_id,
            idempotency_key,
            lambda: self.gateway.capture(transaction_id, amount_q, key=idempotency_key),
        )

    def refund(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        reason: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        """Return captured funds; the refund's own id is the result's ``reference``."""
        return self._call(
            "refund",
            transaction_id,
            idempotency_key,
            lambda: self.gateway.refund(transaction_id, amount_q, reason, key=idempotency_key),
        )

    def cancel(self, transaction_id: str, *, idempotency_key: str | None = None) -> PaymentResult:
        """Void what is held, or withdraw a charge that is not paid."""
        return self._call(
            "cancel",
            transaction_id,
            idempotency_key,
            lambda: self.gateway.cancel(transaction_id, key=idempotency_key),
        )

    def get_status(self, transaction_id: str) -> PaymentResult:
        """The gateway's truth of now."""
        return self._call(
            "get_status", transaction_id, None, lambda: self.gateway.read(transaction_id)
        )

    def find(self, order_ref: str) -> Sequence[PaymentResult]:
        """Every transaction of an order."""
        return self._send(
            "find", order_ref, self._script.faults, lambda: self.gateway.of_order(order_ref)
        )

    def list_transactions(self, since: datetime) -> Sequence[PaymentResult]:
        """Every transaction made since a moment."""
        return self._send(
            "list_transactions", "", self._script.faults, lambda: self.gateway.since(since)
        )

    def choose_transaction_id(self, idempotency_key: str) -> str:
        """The id the transaction of this key will have."""
        return id_for(self.gateway.name, idempotency_key)

    # Notifications

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[WebhookEvent]:
        """Verify a Standard Webhooks message and say which transaction to look at."""
        keys = self._keys or [key_of(self.gateway.webhook_secret)]
        event_id, sent_at = verify(headers, body, keys, now=self._clock())
        event = parse_object(body)
        kind, transaction_id = event.get("type"), event.get("transaction_id")
        livemode = event.get("livemode")
        if not isinstance(kind, str) or not _TEXT.fullmatch(kind):
            raise WebhookPayloadError("'type' is not the name of an event")
        if transaction_id is not None and (
            not isinstance(transaction_id, str) or not _TEXT.fullmatch(transaction_id)
        ):
            raise WebhookPayloadError("'transaction_id' is not an id")
        if livemode is not None and not isinstance(livemode, bool):
            raise WebhookPayloadError("'livemode' is neither true nor false")
        return (WebhookEvent(event_id, kind, transaction_id, sent_at, livemode),)

    def close(self) -> None:
        """Nothing is held open for one backend; its gateway may be shared."""

    # The wire

    def _open(
        self,
        kind: str,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None,
        key: str | None,
        transaction_id: str | None,
    ) -> PaymentResult:
        behaviour = self._script
        if payment_method and (source := payment_method.get("behaviour")) is not None:
            behaviour = parse(source, behaviour.source, where="payment_method['behaviour']")
        gateway = self.gateway
        if gateway.declines:
            code = gateway.declines.popleft()
            behaviour = Behaviour(decline=code, source={"decline": str(code)})

        def request() -> PaymentResult:
            return gateway.open(
                kind,
                amount_q,
                currency,
                order_ref,
                payment_method,
                metadata,
                behaviour=behaviour,
                key=key,
                transaction_id=transaction_id,
            )

        return self._send(kind, key or order_ref, behaviour.faults, request)

    def _call(
        self, method: str, transaction_id: str, key: str | None, request: Callable[[], _Answer]
    ) -> _Answer:
        txn = self.gateway.transaction(transaction_id)
        faults = self._script.faults if txn is None else txn.behaviour.faults
        return self._send(method, key or transaction_id, faults, request)

    def _send(
        self, method: str, scope: str, faults: Sequence[Fault], request: Callable[[], _Answer]
    ) -> _Answer:
        gateway = self.gateway
        if gateway.late:
            gateway.deliver_late(due_only=True)
        if not (faults or gateway.faults or self._latency):
            return request()
        if self._latency:
            self._sleep(self._latency)
        lost: Fault | None = None
        for fault in self._due(method, scope, faults):
            if fault.kind == "slow":
                self._sleep(fault.seconds)
            elif fault.kind == "rate_limit":
                raise RateLimitedError("the gateway is busy", retry_after=fault.retry_after)
            elif fault.kind == "not_attempted":
                raise NotAttemptedError("the request never left")
            elif fault.kind == "late":
                gateway.arrive_late(request, timedelta(seconds=fault.seconds))
                raise OutcomeUnknownError("no answer in time")
            elif fault.when == "after":
                lost = fault
            else:
                raise _loss(fault)
        answer = request()
        if lost is not None:
            raise _loss(lost)
        return answer

    def _due(self, method: str, scope: str, faults: Sequence[Fault]) -> Sequence[Fault]:
        due = []
        for number, fault in enumerate(faults):
            if fault.strikes(method):
                met = self.gateway.count(f"{method}:{scope}:{number}")
                if met <= fault.times:
                    due.append(fault)
        for fault in self.gateway.faults:
            if fault.strikes(method):
                self.gateway.faults.remove(fault)
                due.append(fault)
                break
        return due


def _loss(fault: Fault) -> Exception:
    if fault.kind == "crash":
        return RuntimeError("the mock backend crashed, as scripted")
    return OutcomeUnknownError("no answer in time")
