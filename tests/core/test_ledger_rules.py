"""The payment's state machine, fact by fact: amounts, statuses, moves, triggers and the summary."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from omniman_payment_core.ledger import (
    ALLOWED_MOVES,
    advance,
    blank,
    fold,
    status_of,
    summary_of,
    trigger_of,
)
from omniman_payment_core.records import Event, EventKind, Payment, Trigger, evolve
from omniman_payment_core.values import NextAction, RefundStatus
from omniman_payment_core.values import PaymentStatus as S

NOW = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
K = EventKind
AMOUNTS = {
    "authorized_q": 11,
    "captured_q": 12,
    "released_q": 13,
    "refund_pending_q": 14,
    "refunded_q": 15,
    "disputed_q": 16,
    "actions_open": 17,
    "failures": 18,
    "voids": 19,
    "expiries": 20,
}


def payment(**facts: Any) -> Payment:
    return Payment(
        id="pay-1",
        order_ref="O1",
        attempt=1,
        flow="authorize_capture",
        account="shop",
        fingerprint="f",
        livemode=False,
        plugin="mock",
        plugin_version="1",
        currency="BRL",
        amount_q=1000,
        created_at=NOW,
        **facts,
    )


def event(kind: EventKind, amount_q: int = 100, key: str = "fact", **data: Any) -> Event:
    return Event(
        payment_id="pay-1",
        kind=kind,
        amount_q=amount_q,
        dedupe_key=key,
        source="call",
        actor="test",
        at=NOW,
        data=data,
    )


def moved(kind: EventKind, **data: Any) -> dict[str, int]:
    """By how much each amount of a payment differs after a fact of 100."""
    before = payment(**AMOUNTS)
    after = advance(before, event(kind, **data))
    assert evolve(after, status=before.status, **AMOUNTS) == before, "a fact moves amounts alone"
    return {
        name: getattr(after, name) - value
        for name, value in AMOUNTS.items()
        if getattr(after, name) != value
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (K.AUTHORIZED, {"authorized_q": 100}),
        (K.CAPTURED, {"captured_q": 100}),
        (K.VOIDED, {"released_q": 100, "voids": 1}),
        (K.EXPIRED, {"released_q": 100, "expiries": 1}),
        (K.FAILED, {"failures": 1}),
        (K.ACTION_REQUIRED, {"actions_open": 1}),
        (K.ACTION_TAKEN, {"actions_open": -1}),
        (K.REFUND_PENDING, {"refund_pending_q": 100}),
        (K.REFUNDED, {"refunded_q": 100}),
        (K.DISPUTE_OPENED, {"disputed_q": 100}),
        (K.DISPUTE_CLOSED, {"disputed_q": -100}),
        (K.OPENED, {}),
        (K.NOTE, {}),
    ],
)
def test_each_fact_moves_its_own_amounts_and_no_others(
    kind: EventKind, expected: dict[str, int]
) -> None:
    assert moved(kind) == expected


def test_a_refund_that_was_on_its_way_is_on_its_way_no_more() -> None:
    pending, succeeded = RefundStatus.PENDING.value, RefundStatus.SUCCEEDED.value
    assert moved(K.REFUNDED, was=pending) == {"refunded_q": 100, "refund_pending_q": -100}
    assert moved(K.REFUND_FAILED, was=pending) == {"refund_pending_q": -100}
    assert moved(K.REFUND_FAILED, was=succeeded) == {"refunded_q": -100}


def test_a_payment_before_its_first_fact_has_nothing_and_keeps_what_is_no_fact() -> None:
    full = payment(**AMOUNTS, status=S.CAPTURED, transaction_id="tx", version=4, fired=("x",))
    assert blank(full) == payment(transaction_id="tx", version=4, fired=("x",))


def test_a_fact_that_comes_twice_counts_once() -> None:
    facts = [event(K.AUTHORIZED, 1000, "a"), event(K.CAPTURED, 400, "b")]
    folded = fold(payment(captured_q=5), [*facts, *facts])
    assert (folded.authorized_q, folded.captured_q) == (1000, 400)


def test_what_changes_nothing_hands_back_the_very_payment() -> None:
    before = payment()
    assert advance(before, event(K.NOTE)) is before


# -- statuses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, S.PENDING),
        ({"actions_open": 1}, S.REQUIRES_ACTION),
        ({"failures": 1}, S.FAILED),
        ({"failures": 1, "actions_open": 1}, S.FAILED),
        ({"failures": 1, "expiries": 1}, S.EXPIRED),
        ({"expiries": 1, "voids": 1}, S.CANCELLED),
        ({"authorized_q": 1}, S.AUTHORIZED),
        ({"authorized_q": 1000, "failures": 1, "voids": 1}, S.AUTHORIZED),
        ({"authorized_q": 1000, "released_q": 1000, "voids": 1}, S.CANCELLED),
        ({"authorized_q": 1000, "released_q": 1000, "expiries": 1}, S.EXPIRED),
        ({"captured_q": 1}, S.PARTIALLY_CAPTURED),
        ({"captured_q": 999}, S.PARTIALLY_CAPTURED),
        ({"captured_q": 1000}, S.CAPTURED),
        ({"captured_q": 1001}, S.CAPTURED),
        ({"captured_q": 1000, "voids": 1}, S.CAPTURED),
        ({"captured_q": 1000, "refunded_q": 1}, S.PARTIALLY_REFUNDED),
        ({"captured_q": 1000, "refunded_q": 999}, S.PARTIALLY_REFUNDED),
        ({"captured_q": 1000, "refunded_q": 1000}, S.REFUNDED),
        ({"captured_q": 1000, "refunded_q": 1001}, S.REFUNDED),
        ({"captured_q": 1000, "refunded_q": 1000, "disputed_q": 1}, S.DISPUTED),
        ({"captured_q": 1000, "disputed_q": 1000}, S.DISPUTED),
    ],
)
def test_the_status_follows_from_the_amounts(facts: dict[str, int], expected: S) -> None:
    assert status_of(payment(**facts)) is expected


def test_a_part_of_a_hold_is_all_that_is_due_once_the_rest_is_let_go() -> None:
    part = {"authorized_q": 1000, "captured_q": 400}
    assert status_of(payment(**part)) is S.PARTIALLY_CAPTURED
    assert status_of(payment(**part, released_q=599)) is S.PARTIALLY_CAPTURED
    assert status_of(payment(**part, released_q=600)) is S.CAPTURED


def test_without_a_hold_nothing_makes_too_little_enough() -> None:
    assert status_of(payment(captured_q=400, released_q=600)) is S.PARTIALLY_CAPTURED


def test_the_status_of_a_payment_is_moved_by_its_facts() -> None:
    assert advance(payment(), event(K.AUTHORIZED, 1000)).status is S.AUTHORIZED


# -- moves -------------------------------------------------------------------------------------

LETTERS = {
    "p": S.PENDING,
    "q": S.REQUIRES_ACTION,
    "A": S.AUTHORIZED,
    "c": S.PARTIALLY_CAPTURED,
    "C": S.CAPTURED,
    "r": S.PARTIALLY_REFUNDED,
    "R": S.REFUNDED,
    "D": S.DISPUTED,
    "x": S.CANCELLED,
    "e": S.EXPIRED,
    "f": S.FAILED,
}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Before any money, everything may happen.
        ("p", "qAcCrRDxef"),
        ("q", "pAcCrRDxef"),
        # What is held is taken or let go: it neither waits nor fails again.
        ("A", "cCrRDxe"),
        # What is taken stays taken, until it is returned or disputed.
        ("c", "CrRD"),
        ("C", "rRD"),
        # A refund can fail later and a dispute be won: then the money is back.
        ("r", "cCrRD"),
        ("R", "cCrRD"),
        ("D", "cCrRD"),
        # What ended without money can still be held or paid, and its end be told more exactly.
        ("x", "AcCrRD"),
        ("e", "AxcCrRD"),
        ("f", "AxecCrRD"),
    ],
)
def test_a_status_moves_only_where_money_can_have_gone(before: str, after: str) -> None:
    assert ALLOWED_MOVES[LETTERS[before]] == {LETTERS[letter] for letter in after}


def test_every_status_has_its_moves() -> None:
    assert set(ALLOWED_MOVES) == set(LETTERS.values()) == set(S)


# -- triggers and summary ----------------------------------------------------------------------


def test_an_order_hears_of_each_status_under_its_own_name() -> None:
    told = {status: trigger_of(payment(status=status)) for status in S}
    assert {status: trigger.value for status, trigger in told.items() if trigger} == {
        S.AUTHORIZED: "on_payment_hold",
        S.CAPTURED: "on_payment_confirm",
        S.PARTIALLY_REFUNDED: "on_payment_partial_refund",
        S.REFUNDED: "on_payment_refund",
        S.FAILED: "on_payment_failed",
        S.EXPIRED: "on_payment_expired",
        S.CANCELLED: "on_payment_cancel",
        S.DISPUTED: "on_payment_dispute",
    }


def test_a_trigger_fires_once() -> None:
    again = payment(status=S.CAPTURED, fired=(Trigger.CONFIRM.value,))
    assert trigger_of(again) is None
    assert trigger_of(evolve(again, status=S.REFUNDED)) is Trigger.REFUND


def test_the_return_of_what_was_paid_too_much_is_no_refund_of_the_order() -> None:
    def told(**amounts: int) -> Trigger | None:
        return trigger_of(payment(status=S.PARTIALLY_REFUNDED, **amounts))

    assert told(captured_q=1500, refunded_q=500) is None
    assert told(captured_q=1500, refunded_q=501) is Trigger.PARTIAL_REFUND
    whole = payment(status=S.REFUNDED, captured_q=3000, refunded_q=3000)
    assert trigger_of(whole) is Trigger.REFUND


QR = {
    "next_action": NextAction("show_code", {"code": "000201"}),
    "expires_at": NOW,
    "transaction_id": "tx-1",
}
AMOUNTS_OF_AN_ORDER = {"authorized_q": 1, "captured_q": 2, "refunded_q": 3, "disputed_q": 4}


def test_an_order_shows_its_payment_as_the_specification_page_and_its_amounts() -> None:
    assert summary_of(payment(status=S.CAPTURED, **AMOUNTS_OF_AN_ORDER, **QR)) == {
        "status": "captured",
        "transaction_id": "tx-1",
        "amount_q": 1000,
        "currency": "BRL",
        "payment_id": "pay-1",
        "account": "shop",
        **AMOUNTS_OF_AN_ORDER,
    }


@pytest.mark.parametrize("status", [S.PENDING, S.REQUIRES_ACTION])
def test_while_the_shopper_can_pay_an_order_says_how_and_until_when(status: S) -> None:
    summary = summary_of(payment(status=status, **QR))
    assert summary["next_action"] == {"kind": "show_code", "code": "000201"}
    assert summary["expires_at"] == "2026-01-01T12:30:00+00:00"
    bare = summary_of(payment(status=status))
    assert "next_action" not in bare
    assert "expires_at" not in bare
