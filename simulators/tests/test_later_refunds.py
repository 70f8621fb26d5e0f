"""Refunds that go through other states than the usual ones."""

from __future__ import annotations

import pytest

from omniman_payment_simulators.stripe.control import ControlError
from simulators.tests.account import Account, refused


def pending(account: Account) -> str:
    paid = account.open("pendingRefund")
    return account.refunds.create({"payment_intent": paid.id, "amount": 400}).id


def test_a_shopper_who_has_to_act_can_be_spared(account: Account) -> None:
    number = pending(account)
    account.control.settle_refund(number, "requires_action")
    assert account.control.moved("A-1") == 600
    canceled = account.refunds.cancel(number)
    assert (canceled.status, account.control.moved("A-1")) == ("canceled", 1000)
    assert account.kinds()[-2:] == ["refund.updated", "charge.refund.updated"]


def test_only_a_refund_that_waits_for_the_shopper_is_canceled(account: Account) -> None:
    number = pending(account)
    error = refused(lambda: account.refunds.cancel(number))
    assert "status of pending" in str(error)
    assert account.control.moved("A-1") == 600


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_what_did_not_arrive_can_be_refunded_again(account: Account, status: str) -> None:
    paid = account.open("pendingRefund")
    first = account.refunds.create({"payment_intent": paid.id})
    refused(lambda: account.refunds.create({"payment_intent": paid.id}))
    account.control.settle_refund(first.id, status)
    again = account.refunds.create({"payment_intent": paid.id})
    assert (again.amount, account.control.moved("A-1")) == (1000, 0)


@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_what_is_over_stays_as_it_is(account: Account, end: str) -> None:
    number = pending(account)
    account.control.settle_refund(number, end)
    for status in ("pending", "succeeded", "failed", "canceled"):
        with pytest.raises(ControlError, match=f"a refund that is {end}|A refund that is {end}"):
            account.control.settle_refund(number, status)
    assert account.control.moved("A-1") == 1000
