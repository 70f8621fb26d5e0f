"""What the gateway's truth adds to the ledger: totals, bare statuses and captures."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_core.decisions import Answered
from omniman_payment_core.records import Operation, OperationState, Payment
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    DAY,
    HOUR,
    NOW,
    Desk,
    answer,
    operation,
    payment,
    refund,
)
from .desks import CAPTURE, HELD, PAID, PART, keys, look, reply

# -- totals ---------------------------------------------------------------------------------------


def test_totals_become_the_difference_to_what_is_known() -> None:
    held = look("authorized", authorized_q=1000)
    assert (held.facts, keys(held)) == ([("authorized", 1000)], ["pay-1:authorized:1000"])
    assert held.events[0].gateway_reference == "tx-1"
    more = look("authorized", payment(**HELD), authorized_q=1500)
    assert (more.facts, keys(more)) == ([("authorized", 500)], ["pay-1:authorized:1500"])
    rest = look("captured", payment(captured_q=400, status=S.PARTIALLY_CAPTURED), captured_q=1000)
    assert (rest.facts, keys(rest)) == ([("captured", 600)], ["pay-1:captured:1000"])
    assert rest.events[0].gateway_reference == "tx-1"
    named = look("captured", captured_q=1000, reference="ch-1")
    assert named.events[0].gateway_reference == "ch-1"
    nameless = look("captured", captured_q=1000, transaction_id=None)
    assert nameless.events[0].gateway_reference == ""


def test_an_old_look_takes_nothing_back() -> None:
    assert look("authorized", payment(**HELD), authorized_q=900).facts == []
    assert look("captured", payment(**PAID), captured_q=900).facts == []
    assert look("captured", payment(**PAID), captured_q=1000).facts == []
    assert look("pending", payment(**PAID)).facts == []


def test_an_amount_that_was_not_asked_for_is_shown_to_a_person() -> None:
    odd = look("pending", amount_q=999)
    assert odd.flags == ["amount_mismatch"]
    assert "9.99" in odd.flag("amount_mismatch").message
    assert "10.00" in odd.flag("amount_mismatch").message
    assert look("pending", amount_q=1000).flags == []
    assert look("pending").flags == []


# -- bare statuses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "facts"),
    [
        ("authorized", [("authorized", 1000)]),
        ("captured", [("captured", 1000)]),
        ("partially_refunded", [("captured", 1000)]),
        ("refunded", [("captured", 1000), ("refunded", 1000)]),
        ("disputed", [("captured", 1000)]),
        ("partially_captured", []),
        ("pending", []),
        ("on its way", []),
    ],
)
def test_a_bare_status_is_read_as_what_was_asked_for(status: str, facts: Any) -> None:
    assert look(status).facts == facts


def test_a_bare_status_adds_nothing_to_what_is_known() -> None:
    assert look("authorized", payment(**HELD)).facts == []
    assert look("captured", payment(**PAID)).facts == []
    assert look("captured", payment(captured_q=400, status=S.PARTIALLY_CAPTURED)).facts == []
    assert look("captured", payment(**HELD)).facts == [("captured", 1000)]
    assert look("authorized", payment(authorized_q=600, status=S.AUTHORIZED)).facts == []
    rest = payment(authorized_q=1000, released_q=400, status=S.AUTHORIZED)
    assert look("captured", rest).facts == [("captured", 600)]


def test_all_that_was_taken_is_what_a_bare_refund_returns() -> None:
    part = payment(captured_q=400, status=S.PARTIALLY_CAPTURED)
    assert look("refunded", part).facts == [("refunded", 400)]
    assert look("refunded", part, captured_q=1000).facts == [("captured", 600), ("refunded", 1000)]
    assert look("refunded", part, captured_q=400, refunded_q=100).facts == [("refunded", 100)]
    assert look("refunded", part, refunds=()).facts == []


def test_a_bare_part_is_the_refund_that_was_in_doubt() -> None:
    doubt = operation("refund", "sent", amount_q=300, cause="directive-3")
    desk = Desk(operations=[doubt], refunds=[refund()])
    assert look("partially_refunded", payment(**PAID), desk).facts == [("refunded", 300)]
    before = payment(captured_q=1000, refunded_q=100, status=S.PARTIALLY_REFUNDED)
    assert look("partially_refunded", before, desk).facts == []
    assert look("partially_refunded", payment(**PAID)).facts == []
    for amount_q in (300, 1000):
        capture = operation("capture", "sent", amount_q=amount_q, cause="directive-3")
        assert look("partially_refunded", payment(**PAID), Desk(operations=[capture])).facts == []


# -- captures -------------------------------------------------------------------------------------


def doubtful(amount_q: int = 1000, state: str = "sent") -> Operation:
    return operation("capture", state, amount_q=amount_q)


def test_a_capture_is_the_fact_of_its_operation() -> None:
    made = reply(doubtful(), payment(**HELD), "captured", captured_q=1000)
    assert (made.facts, keys(made)) == ([("captured", 1000)], [f"{CAPTURE}:captured"])
    assert made.operation(CAPTURE).state == OperationState.OK
    seen = look("captured", payment(**HELD), Desk(operations=[doubtful()]), captured_q=1000)
    assert keys(seen) == [f"{CAPTURE}:captured"]
    assert seen.operation(CAPTURE).state == OperationState.OK


def test_what_was_taken_beyond_our_capture_is_a_fact_of_its_own() -> None:
    made = reply(doubtful(300), payment(**PART), "partially_captured", captured_q=900)
    assert made.facts == [("captured", 300), ("captured", 200)]
    assert keys(made) == [f"{CAPTURE}:captured", "pay-1:captured:900"]
    assert made.flags == []


def test_a_capture_that_took_less_is_shown_to_a_person() -> None:
    made = reply(doubtful(600), payment(**PART), "partially_captured", captured_q=900)
    assert made.facts == [("captured", 500)]
    assert "amount_mismatch" in made.flags
    message = made.flag("amount_mismatch").message
    assert "6.00" in message
    assert "5.00" in message


@pytest.mark.parametrize(
    ("amount_q", "status", "taken"),
    [
        (1000, "captured", 1000),
        (400, "captured", 400),
        (400, "partially_captured", 400),
        (400, "refunded", None),
        (1000, "authorized", None),
    ],
)
def test_a_bare_answer_to_a_capture_is_about_that_capture(
    amount_q: int, status: str, taken: int | None
) -> None:
    made = reply(doubtful(amount_q), payment(**HELD), status)
    facts = [fact for fact in made.facts if fact[0] != "refunded"]
    assert facts == ([] if taken is None else [("captured", taken)])


def test_a_bare_look_proves_a_capture_only_where_nothing_else_explains_it() -> None:
    def seen(paid: Payment, status: str, amount_q: int, state: str = "sent") -> Any:
        return look(status, paid, Desk(operations=[doubtful(amount_q, state)])).facts

    first, later = payment(**HELD), payment(**PART)
    assert seen(first, "captured", 400) == [("captured", 400)]
    assert seen(first, "partially_captured", 400) == [("captured", 400)]
    # After a part, the rest of the hold may as well have lapsed.
    assert seen(later, "captured", 600) == []
    assert seen(later, "partially_captured", 300) == []
    assert seen(later, "captured", 600, "planned") == []
    assert reply(doubtful(300), later, "partially_captured").facts == [("captured", 300)]


def test_a_capture_of_a_hold_that_is_gone_is_refused() -> None:
    desk = Desk(operations=[doubtful()])
    for status in ("cancelled", "expired"):
        seen = look(status, payment(**HELD), desk)
        refused = seen.operation(CAPTURE)
        assert (refused.state, refused.code) == (OperationState.REFUSED, status)
        assert status in refused.evidence
    for status in ("authorized", "failed", "disputed"):
        still = look(status, payment(**HELD), desk, captured_q=0)
        assert still.changes.operations == ()
    left = look("cancelled", payment(**PART, released_q=600), Desk(operations=[doubtful(1)]))
    assert left.operation(CAPTURE).state == OperationState.REFUSED


@pytest.mark.parametrize(
    ("status", "amount_q", "said", "tells"),
    [
        ("authorized", 400, {}, True),
        ("captured", 400, {"captured_q": 0}, True),
        ("pending", 600, {}, False),
        ("disputed", 600, {}, False),
        ("partially_captured", 600, {}, True),
        ("partially_captured", 599, {}, False),
    ],
)
def test_a_look_without_the_capture_proves_its_absence_only_where_it_would_show_it(
    status: str, amount_q: int, said: Any, tells: bool
) -> None:
    long_ago = operation(
        "capture", "sent", amount_q=amount_q, first_sent_at=NOW - DAY, last_sent_at=NOW - DAY
    )
    desk = Desk(
        "payment.confirm", payments=[payment(**PART)], operations=[long_ago], methods=["capture"]
    ).features(absence_after=HOUR)
    seen = desk.hear(Answered(answer(status, **said)))
    abandoned = [op for op in seen.changes.operations if op.state == OperationState.ABANDONED]
    assert bool(abandoned) is tells
