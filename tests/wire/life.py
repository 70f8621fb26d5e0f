"""A payment's whole life at the simulator, lived by the real plugin and by the SDK, as recorded."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe

from omniman_payment_core.values import PaymentResult
from omniman_payment_simulators.stripe import StripeSimulator
from omniman_payment_stripe import StripeBackend

VISA = {"payment_method_id": "pm_card_visa"}
ASKS = {"payment_method_id": "pm_card_authenticationRequired"}
POOR = {"payment_method_id": "pm_card_visa_chargeDeclinedInsufficientFunds"}
PAGE: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Recording:
    """What went over the wire: exchanges of the plugin, of plugin and SDK, and all events."""

    by_plugin: list[dict[str, Any]]
    requests: list[dict[str, Any]]
    events: list[dict[str, Any]]


class Till:
    """One shop: a backend of ours at the simulator, and a fresh key for every call."""

    def __init__(self, simulator: StripeSimulator, **options: Any) -> None:
        self.backend = StripeBackend(
            {
                "api_key": simulator.api_key,
                "publishable_key": simulator.publishable_key,
                "webhook_secret": simulator.webhook_secret,
                "base_url": simulator.url,
                **options,
            }
        )
        self._orders = 0

    def key(self) -> str:
        self._orders += 1
        return f"{id(self)}-{self._orders}"

    def open(self, method: dict[str, str], *, capture: bool = False) -> PaymentResult:
        """Prepare and hold or charge, as the engine does."""
        order, metadata = f"A-{self.key()}", {"payment_id": "pay_1", "note": "Größe 38, açaí"}
        rest = (1000, "BRL", order, dict(method), metadata)
        prepared = self.backend.prepare(*rest, capture=capture, idempotency_key=self.key())
        assert isinstance(prepared, str), prepared
        call = self.backend.charge if capture else self.backend.authorize
        return call(*rest, idempotency_key=self.key(), transaction_id=prepared)

    def held(self, method: dict[str, str] = VISA) -> str:
        """The id of a payment that is held."""
        result = self.open(method)
        assert result.status == "authorized", result
        assert result.transaction_id is not None
        return result.transaction_id


def live_by_plugin(simulator: StripeSimulator) -> None:
    """Everything that the plugin can do, in every way that sends other parameters."""
    for options in (
        {},
        {"return_url": "https://shop.example/orders/A-1"},
        {"multicapture": True},
    ):
        till = Till(simulator, **options)
        try:
            _captures(till)
            _refunds(till)
            _shoppers(till, simulator)
            _reading(till, simulator)
        finally:
            till.backend.close()


def _captures(till: Till) -> None:
    backend = till.backend
    backend.capture(till.held(), idempotency_key=till.key())
    backend.capture(till.held(), 400, currency="BRL", idempotency_key=till.key())
    held = till.held()
    backend.capture(held, 400, currency="BRL", final=False, idempotency_key=till.key())
    backend.capture(held, 600, currency="BRL", idempotency_key=till.key())
    backend.capture(till.held(), 1001, currency="BRL", idempotency_key=till.key())
    backend.cancel(till.held(), idempotency_key=till.key())
    backend.authorize(1000, "JPY", "A-once", dict(VISA), idempotency_key=till.key())
    backend.charge(1000, "KWD", "A-once", dict(VISA), {"n": 1}, idempotency_key=till.key())
    till.open(VISA, capture=True)


def _refunds(till: Till) -> None:
    paid = till.open(VISA, capture=True).transaction_id
    assert paid is not None
    for amount, reason in ((100, None), (200, "duplicate"), (300, "the box was open"), (None, "")):
        till.backend.refund(paid, amount, reason, currency="BRL", idempotency_key=till.key())
    till.backend.refund(paid, 1, currency="BRL", idempotency_key=till.key())
    till.backend.get_status(paid)


def _shoppers(till: Till, simulator: StripeSimulator) -> None:
    for success in (True, False):
        asked = till.open(ASKS)
        assert asked.next_action is not None
        assert asked.transaction_id is not None
        till.backend.get_status(asked.transaction_id)
        simulator.control.authenticate(asked.transaction_id, success=success)
        till.backend.get_status(asked.transaction_id)
    till.open(POOR)
    waiting = till.open(PAGE)
    assert waiting.transaction_id is not None
    simulator.control.pay(waiting.transaction_id)
    till.backend.get_status(waiting.transaction_id)
    unpaid = till.open(PAGE, capture=True)
    assert unpaid.transaction_id is not None
    till.backend.cancel(unpaid.transaction_id, idempotency_key=till.key())


def _reading(till: Till, simulator: StripeSimulator) -> None:
    paid = till.open(VISA, capture=True).transaction_id
    assert paid is not None
    till.backend.refund(paid, 300, "fraudulent", currency="BRL", idempotency_key=till.key())
    simulator.control.dispute(paid)
    till.backend.get_status(paid)
    till.backend.find("A-once")
    till.backend.find("it's an order \\ with everything")
    till.backend.list_transactions(datetime.now(UTC) - timedelta(days=1))


def live_by_sdk(simulator: StripeSimulator) -> None:
    """What our plugin does not ask, and what Stripe refuses."""
    client = stripe.StripeClient(
        simulator.api_key,
        base_addresses={"api": simulator.url},
        http_client=stripe.RequestsClient(timeout=10),
    )
    stranger = stripe.StripeClient("sk_test_nobody", base_addresses={"api": simulator.url})
    intents, refunds = client.v1.payment_intents, client.v1.refunds
    redirects: Any = {"enabled": True, "allow_redirects": "never"}
    made: Any = {"amount": 1000, "currency": "usd", "automatic_payment_methods": redirects}
    paid: Any = made | {"payment_method": "pm_card_visa", "confirm": True}

    intent = intents.create(paid, {"idempotency_key": "sdk-1"})
    refund = refunds.create({"payment_intent": intent.id, "amount": 400})
    refunds.retrieve(refund.id)
    refunds.update(refund.id, {"metadata": {"seen": "1"}})
    refunds.list({"payment_intent": intent.id, "limit": 1})
    intents.retrieve(intent.id, {"expand": ["latest_charge.refunds", "payment_method"]})
    intents.update(intents.create(made).id, {"metadata": {"order_ref": "A-2"}})
    intents.list({"limit": 2})
    charge = intents.retrieve(intent.id).latest_charge
    assert isinstance(charge, str)
    client.v1.charges.retrieve(charge, {"expand": ["refunds"]})
    disputed = intents.create(paid | {"payment_method": "pm_card_createDispute"})
    dispute = client.v1.disputes.list({"payment_intent": disputed.id}).data[0]
    client.v1.disputes.retrieve(dispute.id)
    simulator.control.close_dispute(dispute.id, status="won")
    failing = refunds.create({"payment_intent": intents.create(paid).id, "amount": 100})
    simulator.control.settle_refund(failing.id, status="failed")
    lapsing = intents.create(paid | {"capture_method": "manual"})
    simulator.control.advance(8 * 24 * 3600)
    intents.retrieve(lapsing.id, {"expand": ["latest_charge"]})
    for refused in (
        lambda: intents.create(paid | {"amount": 5}, {"idempotency_key": "sdk-1"}),
        lambda: intents.create(paid | {"payment_method": "pm_card_visa_chargeDeclined"}),
        lambda: intents.create(paid | {"currency": "zzz"}),
        lambda: intents.retrieve("pi_unknown"),
        lambda: intents.capture(intent.id),
        lambda: refunds.create({"payment_intent": intent.id, "amount": 601}),
        lambda: stranger.v1.payment_intents.retrieve(intent.id),
    ):
        with suppress(stripe.StripeError):
            refused()
            raise AssertionError("the simulator took what Stripe refuses")
