"""Refunds of a part, of too much, of several at once; and currencies that have no cents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniman_payment_core.records import NewDirective
from omniman_payment_core.values import PaymentStatus
from omniman_payment_django.models import Order, Payment, Refund
from omniman_payment_django.runtime import get_store
from omniman_payment_django.sessions import refund_payment, retry_payment
from omniman_payment_simulators.stripe import StripeSimulator
from omniman_payment_stripe import StripeBackend
from tests.pix_shop.shop import Shop as PixShop
from tests.stripe_shop.shop import CARD, Shop

FLOW = {
    "transitions": {"new": ["paid"], "paid": ["partly_returned", "returned"]},
    "auto_transitions": {
        "on_payment_confirm": "paid",
        "on_payment_partial_refund": "partly_returned",
        "on_payment_refund": "returned",
    },
}


def test_a_refund_of_a_part_returns_the_part_also_when_asked_for_twice(shop: Shop) -> None:
    """medusajs/medusa #12192: a refund of a part gave back everything."""
    order = shop.sell(CARD, flow="charge")
    shop.settle()
    shop.control.fault(kind="drop", when="before", method="POST", path="/v1/refunds")
    refund_payment(order, 1)
    shop.settle()
    assert shop.facts(order)[-1] == ("refunded", 1)
    assert shop.payment(order).status == "partially_refunded"
    assert {
        r["params"]["amount"] for r in shop.control.requests() if r["path"] == "/v1/refunds"
    } == {"1"}
    assert shop.control.moved(order.ref) == 999
    shop.agrees(order)


def test_of_several_refunds_the_one_that_fails_later_is_not_reported_as_done(shop: Shop) -> None:
    """medusajs/medusa #15306: some of them had failed, and all were reported as done."""
    order = shop.sell({"type": "card", "payment_method_id": "pm_card_pendingRefund"}, flow="charge")
    shop.settle()
    asked = [refund_payment(order, amount_q) for amount_q in (100, 200, 300)]
    shop.settle()
    for directive in asked:
        directive.refresh_from_db()
        assert (directive.status, directive.result["status"]) == ("completed", "pending")
    assert shop.payment(order).refunded_q == 0, "what is on its way has not arrived"
    ends = {100: "succeeded", 200: "failed", 300: "succeeded"}
    for refund in Refund.objects.filter(payment_id=shop.payment(order).id):
        shop.control.settle_refund(refund.reference, ends[refund.amount_q])
    shop.settle()
    assert {r.amount_q: r.status for r in Refund.objects.all()} == ends
    assert shop.flags() == ["refund_failed"]
    assert shop.payment(order).refunded_q == 400
    assert shop.control.moved(order.ref) == 600
    shop.agrees(order)


def test_of_several_refunds_the_one_that_is_refused_fails_alone(pix: PixShop) -> None:
    """medusajs/medusa #15306: one of them was refused, and all were reported as done."""
    order, _ = pix.paid()
    ended = []
    for amount_q, outcome in ((100, "at_once"), (200, "refuse"), (300, "at_once")):
        pix.control.returns(outcome)
        directive = refund_payment(order, amount_q)
        pix.settle()
        directive.refresh_from_db()
        ended.append(directive.status)
    assert ended == ["completed", "failed", "completed"]
    assert pix.payment(order).refunded_q == 400
    assert pix.control.moved(order.ref) == 600
    pix.agrees(order)


@pytest.mark.parametrize("policy", ["flag", "refund"])
def test_an_order_whose_second_payment_went_back_stays_paid(pix: PixShop, policy: str) -> None:
    """pretix/pretix #343: returning the charge too many made the paid order unpaid."""
    order, txid = pix.paid(late_money=policy, order_flow=FLOW)
    pix.control.pay(txid, in_flight=True)
    pix.settle()
    if policy == "flag":
        # Whoever sees the flag returns what was paid too much.
        refund_payment(order, 1000)
        pix.settle()
    assert pix.control.moved(order.ref) == 1000
    payment = pix.payment(order)
    assert payment.captured_q - payment.refunded_q == order.total_q
    order.refresh_from_db()
    assert order.status == "paid"
    refund_payment(order, 300)
    pix.settle()
    order.refresh_from_db()
    assert order.status == "partly_returned", "what goes back now is the order's own money"
    pix.agrees(order)


@pytest.mark.parametrize("policy", ["flag", "refund"])
def test_an_order_paid_by_two_attempts_stays_paid_when_one_goes_back(
    pix: PixShop, policy: str
) -> None:
    """pretix/pretix #343: returning the charge too many made the paid order unpaid."""
    order, first = pix.sold(late_money=policy, order_flow=FLOW)
    pix.let_pass(timedelta(hours=2))
    pix.look()
    retry_payment(order, {"type": "pix"})
    pix.work()
    pix.control.pay(pix.txid(order))
    pix.settle()
    pix.control.pay(first, in_flight=True)
    pix.settle()
    early = Payment.objects.get(order_ref=order.ref, attempt=1)
    assert early.captured_q == 1000
    if policy == "flag":
        ask_refund(order, early)
        pix.settle()
    early.refresh_from_db()
    assert early.status == "refunded"
    assert pix.payment(order).status == "captured"
    assert pix.control.moved(order.ref) == order.total_q
    order.refresh_from_db()
    assert order.status == "paid"


def ask_refund(order: Order, payment: Payment) -> None:
    """Return one of an order's payments, whichever is the newest."""
    new = NewDirective("payment.refund", order.ref, {"payment_id": payment.id})
    get_store().enqueue([new])


# -- currencies ------------------------------------------------------------------------------------

# By hand, and not from the plugin: what Stripe has to be told for an amount of the smallest unit.
AT_STRIPE = {"JPY": 1, "KRW": 1, "VND": 1, "BRL": 1, "KWD": 1, "BHD": 1, "ISK": 100, "UGX": 100}
THREE_PLACES = ("KWD", "BHD")
amounts = st.sampled_from(sorted(AT_STRIPE)).flatmap(
    lambda currency: st.tuples(
        st.just(currency),
        st.integers(2_000, 900_000).map(lambda n: n * 10 if currency in THREE_PLACES else n),
    )
)


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[StripeSimulator, StripeBackend]]:
    with StripeSimulator() as simulator:
        backend = StripeBackend({"api_key": simulator.api_key, "base_url": simulator.url})
        yield simulator, backend
        backend.close()


numbers = count(1)


@given(amounts, st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_amounts_are_the_same_on_both_sides_whatever_the_currency(
    account: tuple[StripeSimulator, StripeBackend], asked: tuple[str, int], tenths: int
) -> None:
    """activemerchant/active_merchant #1794, #1943: yen were charged a hundred times over."""
    simulator, backend = account
    currency, amount_q = asked
    part_q = amount_q // 100 * tenths * 10
    order_ref = f"money-{next(numbers)}"
    paid = backend.charge(amount_q, currency, order_ref, dict(CARD))
    assert (paid.status, paid.captured_q) == (PaymentStatus.CAPTURED, amount_q)
    assert simulator.control.moved(order_ref) == amount_q * AT_STRIPE[currency]
    assert paid.transaction_id is not None
    back = backend.refund(paid.transaction_id, part_q)
    assert back.success
    seen = backend.get_status(paid.transaction_id)
    assert (seen.captured_q, seen.refunded_q) == (amount_q, part_q)
    assert simulator.control.moved(order_ref) == (amount_q - part_q) * AT_STRIPE[currency]
