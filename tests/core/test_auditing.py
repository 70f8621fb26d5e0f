"""Broken books are noticed, each by its rule; sound ones and ones a person knows of are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.decisions import PaymentBooks, breaches
from omniman_payment_core.records import OperationState, Trigger
from omniman_payment_core.values import PaymentStatus, RefundStatus

from .harness import Shop


def books_of(shop: Shop, **changes: Any) -> PaymentBooks:
    (payment,) = shop.store.payments.values()
    store = shop.store
    books = PaymentBooks(
        payment,
        [event for event in store.events.values() if event.payment_id == payment.id],
        list(store.operations.values()),
        list(store.refunds.values()),
    )
    return replace(books, **changes)


@pytest.fixture
def shop() -> Shop:
    """An order of 1000: held, captured, 300 of it refunded."""
    shop = Shop()
    shop.order()
    for number in (shop.hold(), shop.confirm(), shop.refund(300)):
        shop.do(number)
    return shop


def rules(books: PaymentBooks) -> list[str]:
    return [breach.rule for breach in breaches(books)]


def test_sound_books_are_left_alone(shop: Shop) -> None:
    assert rules(books_of(shop)) == []


def test_an_amount_that_no_fact_explains(shop: Shop) -> None:
    books = books_of(shop)
    (breach,) = breaches(replace(books, payment=replace(books.payment, refunded_q=200)))
    assert breach.rule == "the payment is the sum of its facts"
    assert breach.what == "refunded_q is 200, by its facts 300"
    assert breach.where == f"payment {books.payment.id} of order {books.payment.order_ref}"


def test_a_fact_that_is_missing(shop: Shop) -> None:
    books = books_of(shop)
    assert "the payment is the sum of its facts" in rules(replace(books, events=books.events[:-1]))


def test_a_status_that_was_assigned_by_hand(shop: Shop) -> None:
    books = books_of(shop)
    payment = replace(books.payment, status=PaymentStatus.CAPTURED)
    assert rules(replace(books, payment=payment)) == ["the payment is the sum of its facts"]


def test_more_than_was_held_or_asked(shop: Shop) -> None:
    books = books_of(shop)
    (captured,) = [event for event in books.events if event.kind == "captured"]
    again = replace(captured, dedupe_key="once more", amount_q=400)
    payment = replace(books.payment, captured_q=1400)
    wrong = replace(books, payment=payment, events=[*books.events, again])
    assert rules(wrong) == ["no capture beyond the hold", "no payment above what was asked"]
    assert rules(replace(wrong, flagged=True)) == []


def test_refunds_beyond_the_capture_also_while_they_are_under_way(shop: Shop) -> None:
    books = books_of(shop)
    (refund,) = books.refunds
    more = replace(refund, id="another", amount_q=701, status=RefundStatus.PENDING)
    wrong = replace(books, refunds=[refund, more], flagged=True)
    (breach,) = breaches(wrong)
    assert breach.rule == "no refund beyond the capture"
    assert "10.01 BRL refunded or under way, 10.00 BRL captured" in breach.what
    failed = replace(more, status=RefundStatus.FAILED)
    outside = replace(more, external=True)
    assert rules(replace(books, refunds=[refund, failed, outside])) == []


def test_two_operations_in_doubt(shop: Shop) -> None:
    books = books_of(shop)
    doubtful = [replace(each, state=OperationState.SENT) for each in books.operations[:2]]
    (breach,) = breaches(replace(books, operations=doubtful))
    assert breach.rule == "one operation in doubt at most"
    assert breach.what == ", ".join(sorted(each.key for each in doubtful))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"first_sent_at": None}, "written down before it is sent"),
        (
            {"state": OperationState.REFUSED, "code": "", "evidence": ""},
            "never failed without evidence",
        ),
        (
            {"state": OperationState.ABANDONED, "code": "", "evidence": ""},
            "never failed without evidence",
        ),
        ({"cause": ""}, "every operation has a cause"),
    ],
)
def test_an_operation_that_tells_too_little(shop: Shop, changes: dict[str, Any], rule: str) -> None:
    books = books_of(shop)
    first, *others = books.operations
    assert rules(replace(books, operations=[replace(first, **changes), *others])) == [rule]


def test_an_operation_that_was_never_sent_needs_no_evidence(shop: Shop) -> None:
    books = books_of(shop)
    never = replace(
        books.operations[0],
        state=OperationState.ABANDONED,
        first_sent_at=None,
        code="",
        evidence="",
    )
    assert rules(replace(books, operations=[never])) == []


def test_a_change_that_the_order_was_not_told_of(shop: Shop) -> None:
    books = books_of(shop)
    fired = tuple(each for each in books.payment.fired if each != Trigger.PARTIAL_REFUND)
    wrong = replace(books, payment=replace(books.payment, fired=fired))
    (breach,) = breaches(wrong)
    assert breach.rule == "every change is told to the order once"
    assert breach.what == "on_payment_partial_refund has not been for status partially_refunded"
