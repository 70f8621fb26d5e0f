"""Refunds and disputes: whole, in part, again, too much, on their way, and failing later."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_simulators.stripe.control import ControlError
from simulators.tests.account import Account, refused

HOUR = 3600


def _paid(account: Account, card: str = "visa") -> Any:
    return account.open(card)


def _charge(account: Account, intent: Any) -> Any:
    return account.sdk.v1.charges.retrieve(intent.latest_charge)


def test_a_refund_without_an_amount_gives_everything_back(account: Account) -> None:
    paid = _paid(account)
    refund = account.refunds.create({"payment_intent": paid.id, "metadata": {"a": "b"}})
    assert (refund.status, refund.amount, refund.currency) == ("succeeded", 1000, "brl")
    assert (refund.payment_intent, refund.charge) == (paid.id, paid.latest_charge)
    charge = _charge(account, paid)
    assert (charge.refunded, charge.amount_refunded) == (True, 1000)
    assert account.control.moved("A-1") == 0
    assert account.intents.retrieve(paid.id).status == "succeeded"
    assert account.kinds()[-2:] == ["refund.created", "charge.refunded"]


def test_refunds_in_parts_add_up(account: Account) -> None:
    paid = _paid(account)
    for amount in (300, 300, 200):
        account.refunds.create({"payment_intent": paid.id, "amount": amount})
    charge = _charge(account, paid)
    assert (charge.refunded, charge.amount_refunded) == (False, 800)
    rest = account.refunds.create({"charge": charge.id})
    assert rest.amount == 200
    assert _charge(account, paid).refunded is True
    assert account.control.moved("A-1") == 0


def test_more_than_is_left_is_refused(account: Account) -> None:
    paid = _paid(account)
    error = refused(lambda: account.refunds.create({"payment_intent": paid.id, "amount": 1001}))
    assert (error.http_status, error.param) == (400, "amount")
    assert "is greater than charge amount" in str(error)
    account.refunds.create({"payment_intent": paid.id, "amount": 700})
    error = refused(lambda: account.refunds.create({"payment_intent": paid.id, "amount": 301}))
    assert "is greater than unrefunded amount on charge" in str(error)
    assert account.control.moved("A-1") == 300


def test_what_was_refunded_is_not_refunded_again(account: Account) -> None:
    paid = _paid(account)
    account.refunds.create({"payment_intent": paid.id})
    error = refused(lambda: account.refunds.create({"payment_intent": paid.id}))
    assert (error.http_status, error.code) == (400, "charge_already_refunded")


def test_only_what_was_captured_goes_back(account: Account) -> None:
    held = account.hold()
    account.intents.capture(held.id, {"amount_to_capture": 400})
    error = refused(lambda: account.refunds.create({"payment_intent": held.id, "amount": 401}))
    assert error.param == "amount"
    assert account.refunds.create({"payment_intent": held.id}).amount == 400
    assert account.control.moved("A-1") == 0


def test_what_was_not_paid_is_not_refunded(account: Account) -> None:
    opened = account.open()
    error = refused(lambda: account.refunds.create({"payment_intent": opened.id}))
    assert (error.http_status, error.param) == (400, "payment_intent")
    error = refused(lambda: account.refunds.create({"payment_intent": "pi_none"}))
    assert error.code == "resource_missing"
    assert "payment_intent or charge" in str(refused(lambda: account.refunds.create({})))


@pytest.mark.parametrize("amount", [0, -5])
def test_a_refund_is_of_something(account: Account, amount: int) -> None:
    paid = _paid(account)
    error = refused(lambda: account.refunds.create({"payment_intent": paid.id, "amount": amount}))
    assert (error.http_status, error.param) == (400, "amount")
    assert account.control.moved("A-1") == 1000


def test_a_reason_is_one_of_three(account: Account) -> None:
    paid = _paid(account)
    whim: Any = {"payment_intent": paid.id, "reason": "whim"}
    assert refused(lambda: account.refunds.create(whim)).param == "reason"
    refund = account.refunds.create({"payment_intent": paid.id, "reason": "requested_by_customer"})
    assert refund.reason == "requested_by_customer"


def test_a_refund_that_takes_its_time_succeeds_in_the_end(account: Account) -> None:
    refund = account.refunds.create({"payment_intent": _paid(account, "pendingRefund").id})
    assert refund.status == "pending"
    account.control.advance(HOUR)
    assert account.refunds.retrieve(refund.id).status == "succeeded"
    assert "refund.updated" in account.kinds()
    assert "refund.failed" not in account.kinds()
    assert account.control.moved("A-1") == 0


def test_a_refund_that_seemed_to_succeed_fails_later(account: Account) -> None:
    paid = _paid(account, "refundFail")
    refund = account.refunds.create({"payment_intent": paid.id})
    assert refund.status == "succeeded"
    account.control.advance(HOUR)
    failed = account.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert "refund.failed" in account.kinds()
    assert account.movements() == [("captured", 1000), ("refunded", 1000), ("refund_failed", 1000)]
    assert account.control.moved("A-1") == 1000
    charge = _charge(account, paid)
    assert (charge.refunded, charge.amount_refunded) == (False, 0)


@pytest.mark.parametrize(("status", "moved"), [("succeeded", 0), ("failed", 1000)])
def test_a_bank_can_settle_a_refund_at_once(account: Account, status: str, moved: int) -> None:
    refund = account.refunds.create({"payment_intent": _paid(account, "pendingRefund").id})
    account.control.settle_refund(refund.id, status)
    assert account.refunds.retrieve(refund.id).status == status
    assert account.control.moved("A-1") == moved
    if status == "failed":
        with pytest.raises(ControlError, match="failed cannot become succeeded"):
            account.control.settle_refund(refund.id)


def test_a_refund_settled_twice_the_same_way_is_told_once(account: Account) -> None:
    refund = account.refunds.create({"payment_intent": _paid(account, "pendingRefund").id})
    account.control.settle_refund(refund.id)
    told = account.kinds()
    account.control.settle_refund(refund.id)
    assert account.kinds() == told


def test_somebody_refunds_in_the_dashboard(account: Account) -> None:
    paid = _paid(account)
    refund = account.control.refund_outside(paid.id, 250)
    found = account.refunds.retrieve(refund["id"])
    assert found.amount == 250
    assert account.control.moved("A-1") == 750
    created = next(e for e in account.control.events() if e["type"] == "refund.created")
    assert created["request"]["idempotency_key"] is None


def test_the_metadata_of_a_refund_can_change(account: Account) -> None:
    refund = account.refunds.create({"payment_intent": _paid(account).id, "metadata": {"a": "1"}})
    changed = account.refunds.update(refund.id, {"metadata": {"b": "2"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}


# Disputes


def test_a_dispute_takes_the_money_and_forbids_refunds(account: Account) -> None:
    paid = _paid(account)
    dispute = account.control.dispute(paid.id)
    assert (dispute["status"], dispute["amount"]) == ("needs_response", 1000)
    assert _charge(account, paid).disputed is True
    assert account.control.moved("A-1") == 0
    error = refused(lambda: account.refunds.create({"payment_intent": paid.id}))
    assert (error.http_status, error.code) == (400, "charge_disputed")
    assert account.kinds()[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


@pytest.mark.parametrize(("verdict", "moved"), [("won", 1000), ("lost", 0)])
def test_a_dispute_is_won_or_lost(account: Account, verdict: str, moved: int) -> None:
    dispute = account.control.dispute(_paid(account).id)
    account.control.close_dispute(dispute["id"], verdict)
    assert account.sdk.v1.disputes.retrieve(dispute["id"]).status == verdict
    assert account.control.moved("A-1") == moved
    reinstated = "charge.dispute.funds_reinstated" in account.kinds()
    assert reinstated is (verdict == "won")
    assert "charge.dispute.closed" in account.kinds()
    with pytest.raises(ControlError, match=f"{verdict} cannot become"):
        account.control.close_dispute(dispute["id"], "won")


def test_a_part_can_be_disputed(account: Account) -> None:
    account.control.dispute(_paid(account).id, 400)
    assert account.control.moved("A-1") == 600


def test_what_was_not_paid_is_not_disputed(account: Account) -> None:
    with pytest.raises(ControlError, match="nothing that could be disputed"):
        account.control.dispute(account.open().id)


@pytest.mark.parametrize(
    ("card", "status", "moved"),
    [
        ("createDispute", "needs_response", 0),
        ("createDisputeProductNotReceived", "needs_response", 0),
        ("createDisputeInquiry", "warning_needs_response", 1000),
    ],
)
def test_cards_that_are_disputed_at_once(
    account: Account, card: str, status: str, moved: int
) -> None:
    paid = _paid(account, card)
    found = account.sdk.v1.disputes.list({"payment_intent": paid.id}).data
    assert [one.status for one in found] == [status]
    assert account.control.moved("A-1") == moved
    if status.startswith("warning"):
        assert account.refunds.create({"payment_intent": paid.id}).status == "succeeded"
