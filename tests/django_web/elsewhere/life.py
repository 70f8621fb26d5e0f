"""Everything that a shop, its gateway and its operator do, once; imported when Django is set up."""

from __future__ import annotations

from io import StringIO
from typing import Any

from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from omniman_payment_core.records import NewDirective
from omniman_payment_django.approvals import request_refund
from omniman_payment_django.models import (
    Channel,
    Directive,
    Flag,
    Order,
    Payment,
    PaymentOperation,
    Session,
    WebhookDelivery,
)
from omniman_payment_django.pay import pay_url
from omniman_payment_django.runtime import get_registry, get_store
from omniman_payment_django.sessions import (
    cancel_order,
    commit_session,
    confirm_payment,
    refund_payment,
)
from omniman_payment_mock import MockGateway, MockPaymentBackend
from omniman_payment_mock.script import Fault

ANA = ("--actor", "ana", "--reason", "she looked")
BEA = ("--actor", "bea", "--reason", "she looked too")


class Life:
    """Of one shop with one gateway."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._gateway = MockGateway("elsewhere")
        config = {"webhook_secret": self._gateway.webhook_secret}
        get_registry().use("shop", MockPaymentBackend(config, gateway=self._gateway))
        self._channel = self._all(Channel).create(code="web", config={"payment_backend": "shop"})
        self._sold = 0

    def _all(self, model: Any) -> Any:
        return model.objects.using(self._alias)

    def shop_sells(self) -> None:
        """Hold, capture, refund; and a cancellation."""
        order = self._buys()
        confirm_payment(order)
        refund_payment(order, 300)
        _work()
        assert self._gateway.moved_q(order.ref) == 700
        asked = request_refund(order, 600, actor="ana", reason="broken")
        _run("payments", "decide-refund", str(asked.pk), "--approve", *BEA)
        _work()
        assert self._gateway.moved_q(order.ref) == 100
        gone = self._buys()
        cancel_order(gone, "ana")
        _work()
        assert self._gateway.held_q(gone.ref) == 0

    def gateway_tells(self) -> None:
        """Of a payment that the pay page shows, and of one that nobody knows."""
        order = self._buys(behaviour={"qr": True})
        page = Client().get(pay_url(order))
        assert page.status_code == 200, page.content
        transaction = str(self._payment(order).transaction_id)
        self._gateway.pay(transaction)
        for about in (transaction, "nobody"):
            headers, body = self._gateway.webhook(about)
            told = Client().post(
                "/payments/webhooks/shop/", body, content_type="application/json", headers=headers
            )
            assert told.status_code == 200, told.content
        _work()
        assert self._payment(order).status == "authorized"
        deliveries = self._all(WebhookDelivery)
        deliveries.filter(status="unmatched").update(next_try_at=timezone.now())
        _work()
        assert sorted(deliveries.values_list("status", "attempts")) == [
            ("matched", 0), ("unmatched", 1),
        ]  # fmt: skip

    def somebody_decides(self) -> None:
        """A verdict, another try, and an end to it."""
        order = self._buys()
        self._gateway.fail_next(Fault("timeout", on="capture", when="after"))
        confirm_payment(order)
        _work()
        doubt = self._all(PaymentOperation).filter(kind="capture", state="sent")
        (key,) = doubt.values_list("key", flat=True)
        doubt.update(state="parked")
        self._all(Directive).filter(topic="payment.confirm", order_ref=order.ref).update(
            status="parked"
        )
        _run("payments", "verdict", key, "--happened", *ANA)
        _work()
        assert self._payment(order).captured_q == 1000
        refund = NewDirective("payment.refund", order.ref, {"amount_q": 5000})
        (number,) = get_store().enqueue([refund])
        _work()
        _run("payments", "retry", str(number), *ANA)
        _run("payments", "abandon", str(number), *ANA)
        assert order.ref in _run("payments", "explain", order.ref)
        assert order.ref in _run("payments", "show", order.ref)

    def books_are_compared(self) -> None:
        """Against the gateway's, and among themselves."""
        order = self._buys()
        confirm_payment(order)
        _work()
        self._gateway.refund_outside(str(self._payment(order).transaction_id), 250)
        self._gateway.open("charge", 700, "BRL", "SOMEBODY", {})
        assert "1 differ, 1 unknown" in _run("payments", "reconcile", "shop")
        _work()
        assert self._payment(order).refunded_q == 250
        (flag,) = self._all(Flag).filter(settled_at=None)
        assert flag.kind == "unknown_transaction"
        assert "unknown_transaction" in _run("payments", "flags")
        _run("payments", "settle-flag", str(flag.pk), *ANA)
        _run("payments", "audit")
        _run("payments", "backends")

    def payers_are_forgotten(self) -> None:
        """One on demand, the others with time."""
        ref = self._all(Payment).first().order_ref
        _run("payments", "forget", "--order", ref, *ANA)
        _run("payments", "forget", "--older-than", "90")

    def _buys(self, **method: Any) -> Order:
        self._sold += 1
        session = self._all(Session).create(
            key=f"session-{self._sold}",
            channel=self._channel,
            items=[{"sku": "tea", "price_q": 1000, "qty": 1}],
        )
        order = commit_session(
            session, commit_key=f"commit-{self._sold}", payment_method={"type": "card", **method}
        )
        _work()
        return order

    def _payment(self, order: Order) -> Payment:
        found: Payment = self._all(Payment).get(order_ref=order.ref)
        return found


def _run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def _work() -> None:
    _run("process_directives")
