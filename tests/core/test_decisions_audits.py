"""What the books say of themselves and against the gateway, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.decisions import (
    Books,
    PaymentBooks,
    breaches,
    differences,
    moved_money,
    sync_of,
)
from omniman_payment_core.ledger import fold
from omniman_payment_core.records import (
    Event,
    EventKind,
    Operation,
    Trigger,
)
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    NOW,
    answer,
    operation,
    payment,
    refund,
)

BOOKS = Books("BRL", 1000, 1000, 1000, 0, 0, 0, waiting=False)
OPEN = Books("BRL", 1000, 0, 0, 0, 0, 0, waiting=True)
HOLD = Books("BRL", 1000, 1000, 0, 0, 0, 1000, waiting=False)


def test_books_that_agree_or_are_silent_have_no_difference() -> None:
    said: dict[str, Any] = {
        "amount_q": 1000,
        "authorized_q": 1000,
        "captured_q": 1000,
        "refunded_q": 0,
    }
    assert differences(BOOKS, answer("captured", **said, disputed_q=0, currency="brl")) == ()
    assert differences(BOOKS, answer("captured")) == ()
    assert differences(OPEN, answer("pending")) == ()


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"amount_q": 999}, "asked for"),
        ({"authorized_q": 999}, "authorized"),
        ({"captured_q": 999}, "captured"),
        ({"refunded_q": 1}, "returned"),
        ({"disputed_q": 1}, "disputed"),
        ({"held_q": 1}, "held"),
    ],
)
def test_each_amount_that_differs_is_a_sentence_with_both(said: Any, what: str) -> None:
    (sentence,) = differences(BOOKS, answer("captured", **said))
    assert sentence.startswith(f"{what}: the gateway says ")
    (theirs,) = said.values()
    (name,) = said
    ours = "0.00" if name in ("refunded_q", "disputed_q", "held_q") else "10.00"
    here, there = sentence.index(ours), sentence.index("9.99" if theirs == 999 else "0.01")
    assert there < here


def test_a_charge_without_a_hold_is_not_compared_with_one() -> None:
    charge = replace(BOOKS, authorized_q=0)
    assert differences(charge, answer("captured", authorized_q=1000)) == ()


def test_another_currency_makes_every_amount_meaningless() -> None:
    (sentence,) = differences(BOOKS, answer("captured", currency="usd", captured_q=5))
    assert "USD" in sentence
    assert "BRL" in sentence


@pytest.mark.parametrize("status", ["cancelled", "expired", "failed"])
def test_an_end_at_the_gateway_that_we_did_not_hear_of(status: str) -> None:
    for books in (OPEN, HOLD):
        (sentence,) = differences(books, answer(status))
        assert status in sentence
    assert differences(BOOKS, answer(status)) == ()


def test_money_at_the_gateway_that_we_did_not_hear_of() -> None:
    assert len(differences(OPEN, answer("authorized"))) == 1
    assert differences(HOLD, answer("authorized")) == ()
    assert len(differences(OPEN, answer("captured"))) == 1
    assert len(differences(OPEN, answer("captured", captured_q=1000))) == 1
    assert differences(BOOKS, answer("captured")) == ()


@pytest.mark.parametrize(
    ("status", "said", "moved"),
    [
        ("pending", {}, False),
        ("cancelled", {}, False),
        ("refunded", {}, False),
        ("cancelled", {"captured_q": 1}, True),
        ("cancelled", {"disputed_q": 1}, True),
        ("pending", {"captured_q": 0}, False),
        ("authorized", {}, True),
        ("captured", {}, True),
        ("partially_captured", {}, True),
        ("partially_refunded", {}, True),
        ("disputed", {}, True),
    ],
)
def test_a_strange_transaction_matters_when_it_has_money(
    status: str, said: Any, moved: bool
) -> None:
    assert moved_money(answer(status, **said)) is moved


# -- auditing ------------------------------------------------------------------------------------


def audited(*facts: tuple[str, int], flagged: bool = False, **books: Any) -> list[str]:
    """The rules that do not hold for a payment with these facts."""
    events = [
        Event("pay-1", EventKind(kind), amount, f"fact-{number}", "call", "worker", NOW)
        for number, (kind, amount) in enumerate(facts)
    ]
    paid = replace(fold(payment(), events), fired=tuple(t.value for t in Trigger))
    found = PaymentBooks(
        paid, events, books.get("operations", ()), books.get("refunds", ()), flagged
    )
    return [breach.rule for breach in breaches(found)]


CAPTURED = (("captured", 1000),)


def test_amounts_may_be_as_large_as_they_may_and_no_larger() -> None:
    held = ("authorized", 1000)
    assert audited(held, ("captured", 1000)) == []
    assert "no capture beyond the hold" in audited(held, ("captured", 1001))
    assert audited(held, ("captured", 1001), flagged=True) == []
    assert audited(("captured", 1000)) == []
    assert audited(("captured", 1001)) == ["no payment above what was asked"]
    assert audited(("captured", 1001), flagged=True) == []
    assert audited(("captured", 1001), ("refunded", 1)) == []


def test_what_goes_back_was_taken_before() -> None:
    def rules(*refunds: Any, captured_q: int = 1000) -> list[str]:
        return audited(("captured", captured_q), refunds=refunds)

    assert rules(refund("pending", 1, 1000)) == []
    assert rules(refund("pending", 1, 600), refund("succeeded", 2, 401)) == [
        "no refund beyond the capture"
    ]
    assert rules(refund("pending", 1, 1001)) == ["no refund beyond the capture"]
    assert rules(refund("failed", 1, 1001)) == []
    assert rules(refund("pending", 1, 1001, external=True)) == []
    assert rules(refund("pending", 1, 1000), captured_q=2000) == []
    assert rules(refund("pending", 1, 999), captured_q=2000) == ["no payment above what was asked"]


@pytest.mark.parametrize(
    ("state", "sent", "rules"),
    [
        ("sent", False, ["written down before it is sent"]),
        ("pending", False, ["written down before it is sent"]),
        ("ok", False, ["written down before it is sent"]),
        ("planned", False, []),
        ("refused", False, []),
        ("abandoned", False, []),
        ("ok", True, []),
        ("parked", True, []),
        ("refused", True, ["never failed without evidence"]),
        ("abandoned", True, ["never failed without evidence"]),
    ],
)
def test_an_operation_is_written_down_first_and_never_fails_in_silence(
    state: str, sent: bool, rules: list[str]
) -> None:
    one = operation("charge", state, first_sent_at=NOW if sent else None)
    assert audited(*CAPTURED, operations=[one]) == rules
    if state in ("refused", "abandoned"):
        for told in (replace(one, evidence="no"), replace(one, code="declined")):
            assert audited(*CAPTURED, operations=[told]) == []


def test_one_operation_is_in_doubt_at_most_and_each_has_a_cause() -> None:
    one = operation("capture", "sent")
    two: list[Operation] = [one, replace(one, key="b", state="parked")]
    assert audited(*CAPTURED, operations=[one]) == []
    assert audited(*CAPTURED, operations=two) == ["one operation in doubt at most"]
    assert audited(*CAPTURED, operations=[replace(one, cause="")]) == [
        "every operation has a cause"
    ]


def test_an_amount_that_no_fact_explains_and_an_untold_change_are_named() -> None:
    odd = PaymentBooks(payment(status=S.CAPTURED, captured_q=5), (), (), ())
    found = {breach.rule: breach for breach in breaches(odd)}
    sums = found["the payment is the sum of its facts"]
    assert sums.what == "status is captured, by its facts pending; captured_q is 5, by its facts 0"
    assert sums.where == "payment pay-1 of order O1"
    untold = found["every change is told to the order once"]
    assert untold.what == "on_payment_confirm has not been for status captured"


def test_somebody_who_knocks_twice_wakes_one_look() -> None:
    knock = sync_of("O1", "pay-1")
    assert (knock.topic, knock.order_ref) == ("payment.sync", "O1")
    assert (knock.payload, knock.dedupe_key) == ({"payment_id": "pay-1"}, "sync:pay-1")
    assert knock.available_at is None
