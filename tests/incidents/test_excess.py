"""When an order hears that money went back: when it is its own, and not what was too much."""

from __future__ import annotations

import pytest

from omniman_payment_core.records import Topic
from omniman_payment_core.values import PaymentStatus
from tests.core.harness import Shop

PAID = ["on_payment_confirm"]
PARTLY = [*PAID, "on_payment_partial_refund"]


def paid(*amounts_q: int) -> Shop:
    """An order of 1000, paid with these amounts."""
    shop = Shop()
    shop.order()
    shop.charge(behaviour={"qr": True})
    shop.run()
    for number, amount_q in enumerate(amounts_q):
        shop.gateway.pay(str(shop.payment().transaction_id), amount_q, late=number > 0)
    shop.sync()
    assert shop.triggers() == PAID
    return shop


@pytest.mark.parametrize(("back_q", "told"), [(500, PAID), (501, PARTLY)])
def test_to_the_cent_it_is_the_excess_that_an_order_is_not_told_of(
    back_q: int, told: list[str]
) -> None:
    """pretix/pretix #343: an order became unpaid by money that it had never been owed."""
    shop = paid(1500)
    shop.do(shop.refund(back_q))
    assert shop.payment().status is PaymentStatus.PARTIALLY_REFUNDED
    assert shop.triggers() == told


def test_after_the_excess_each_kind_of_refund_is_told_once() -> None:
    """pretix/pretix #343: nor may the refund that counts be missed for the one that did not."""
    shop = paid(1000, 1000)
    heard = []
    for amount_q in (1000, 300, 300, 400):
        shop.do(shop.refund(amount_q))
        heard.append(shop.triggers())
    assert heard == [PAID, PARTLY, PARTLY, [*PARTLY, "on_payment_refund"]]
    assert shop.moved_q() == 0


def test_of_two_attempts_that_were_both_paid_the_last_money_back_is_told() -> None:
    """pretix/pretix #343: the order was paid by the one while the other was returned."""
    shop = Shop()
    shop.order()
    shop.charge(behaviour={"qr": True})
    shop.run()
    shop.advance(days=2)
    shop.charge(behaviour={"qr": True}, attempt=2)
    shop.run()
    first, second = shop.payments()
    for payment in (second, first):
        shop.gateway.pay(str(payment.transaction_id), late=payment is first)
        shop.sync()
    assert shop.moved_q() == 2000
    before = shop.triggers()
    shop.do(shop.enqueue(Topic.REFUND, "O1", {"payment_id": first.id}))
    assert (shop.moved_q(), shop.triggers()) == (1000, before)
    shop.do(shop.enqueue(Topic.REFUND, "O1", {"payment_id": second.id}))
    assert (shop.moved_q(), shop.triggers()) == (0, [*before, "on_payment_refund"])
