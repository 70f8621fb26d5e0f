"""Letting go: voids and withdrawals, and money that came before them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from omniman_payment_core.decisions import Answered, NotFound, Refused
from omniman_payment_core.records import OperationState
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    DONE,
    FAILED,
    MINUTE,
    NOW,
    PENDING,
    RETURNS_LATE_MONEY,
    SECOND,
    answer,
    operation,
    payment,
)
from .desks import (
    HELD,
    PAID,
    PART,
    cancel,
    planned,
)

# -- cancelling -----------------------------------------------------------------------------------


def test_a_hold_is_voided_and_the_wish_is_kept() -> None:
    asked = cancel().decide()
    assert (asked.asks, asked.request.amount_q) == ("cancel", 1000)
    assert asked.payment.cancel_requested
    part = cancel(payment(**PART)).decide()
    assert part.request.amount_q == 600


def test_an_open_charge_is_withdrawn() -> None:
    sent = [operation("charge", "pending", cause="directive-1")]
    for status in (S.PENDING, S.REQUIRES_ACTION):
        asked = cancel(payment(status=status), operations=sent).decide()
        assert (asked.asks, asked.request.amount_q) == ("cancel", 1000)


@pytest.mark.parametrize("kind", ["prepare", "authorize", "charge", "capture"])
def test_what_never_left_is_given_up_at_once(kind: str) -> None:
    unsent = operation(kind, "planned", cause="directive-1")
    gone = cancel(payment(), operations=[unsent]).decide()
    given_up = gone.operation(unsent.key)
    assert (given_up.state, bool(given_up.evidence)) == (OperationState.ABANDONED, True)
    assert gone.facts == [("voided", 0)]
    assert (gone.events[0].dedupe_key, gone.events[0].source) == ("pay-1:withdrawn", "call")
    assert gone.result == {"transaction_id": "tx-1", "status": "cancelled"}


def test_a_planned_refund_is_not_given_up_by_a_cancellation() -> None:
    unsent = operation("refund", "planned", cause="directive-1")
    behind = cancel(payment(**PAID), operations=[unsent]).decide()
    assert behind.ended == PENDING
    assert behind.changes.operations == ()


@pytest.mark.parametrize("state", ["abandoned", "planned"])
def test_what_the_gateway_never_got_needs_no_void(state: str) -> None:
    never = operation("charge", state, cause="directive-1", attempts=1)
    assert cancel(payment(), operations=[never]).decide().facts == [("voided", 0)]
    for kind in ("prepare", "authorize", "charge"):
        known = operation(kind, "ok", cause="directive-1")
        assert cancel(payment(), operations=[known]).decide().asks == "cancel"
        untried = operation(kind, "refused", cause="directive-1", attempts=0)
        assert cancel(payment(), operations=[untried]).decide().facts == [("voided", 0)]
    both = [never, operation("charge", "ok", 2, cause="directive-1")]
    assert cancel(payment(), operations=both).decide().asks == "cancel"
    looked = operation("refund", "ok", cause="directive-1")
    assert cancel(payment(), operations=[looked]).decide().facts == [("voided", 0)]


def test_without_an_address_a_person_has_to_void() -> None:
    lost = cancel(payment(**HELD, transaction_id=None)).decide()
    assert (lost.flags, lost.ended, lost.asks) == (["cannot_void"], DONE, "")
    assert lost.result == {"status": "authorized", "note": None}
    assert "no address" in lost.flag("cannot_void").message


def test_an_unpaid_charge_is_withdrawn_without_cancelling_its_order() -> None:
    sent = [operation("charge", "pending", cause="directive-1")]
    over = cancel(payment(), {"unpaid": True}, operations=sent).decide()
    assert over.asks == "cancel"
    assert over.changes.payment is None or not over.payment.cancel_requested
    action = payment(status=S.REQUIRES_ACTION, actions_open=1)
    assert cancel(action, {"unpaid": True}, operations=sent).decide().asks == "cancel"
    paid = cancel(payment(**PAID), {"unpaid": True}).decide()
    assert paid.result == {"transaction_id": "tx-1", "status": "captured"}
    assert paid.flags == []
    held = cancel(payment(**HELD), {"unpaid": True}).decide()
    assert (held.asks, held.result["status"]) == ("", "authorized")
    wish = cancel(payment(**HELD), {"unpaid": False}).decide()
    assert wish.asks == "cancel"


def test_a_withdrawal_that_never_left_is_given_up_once_there_is_nothing_to_withdraw() -> None:
    unsent = planned("cancel")
    for ended in (payment(**PAID), payment(status=S.EXPIRED, expiries=1)):
        over = cancel(ended, {"unpaid": True}, operations=[unsent]).decide()
        assert over.operation(unsent.key).state == OperationState.ABANDONED
        assert over.result == {"transaction_id": "tx-1", "status": ended.status.value}
    sent = replace(unsent, state=OperationState.SENT, first_sent_at=NOW)
    over = cancel(payment(**PAID), {"unpaid": True}, operations=[sent]).decide()
    assert over.changes.operations == ()


def test_money_that_came_before_the_cancellation_is_kept_and_shown_or_returned() -> None:
    kept = cancel(payment(**PAID)).decide()
    assert (kept.flags, kept.enqueued) == (["cancelled_but_paid"], [])
    assert "10.00" in kept.flag("cancelled_but_paid").message
    assert kept.result == {"transaction_id": "tx-1", "status": "captured"}
    part = payment(captured_q=1000, refunded_q=300, status=S.PARTIALLY_REFUNDED)
    returned = cancel(part, order=RETURNS_LATE_MONEY).decide()
    (only,) = returned.enqueued
    assert only == (
        "payment.refund",
        {"payment_id": "pay-1", "reason": "the order was cancelled"},
        "return-rest:pay-1:1000",
    )
    assert returned.flags == []
    cent = payment(captured_q=1, status=S.PARTIALLY_CAPTURED)
    assert cancel(cent).decide().flags == ["cancelled_but_paid"]
    nothing = payment(captured_q=1000, refunded_q=1000, status=S.REFUNDED)
    gone = cancel(nothing, order=RETURNS_LATE_MONEY).decide()
    assert (gone.flags, gone.enqueued, gone.ended) == ([], [], DONE)


def test_a_refused_void_is_looked_at_and_then_shown_to_a_person() -> None:
    no = planned("cancel", "refused", code="already_captured", evidence="too late")
    for paid in (payment(**HELD), payment()):
        sent = operation("authorize", "ok", cause="directive-1")
        desk = cancel(paid, operations=[sent, no])
        assert desk.decide().asks == "get_status"
        status = str(paid.status)
        still = desk.hear(Answered(answer(status, authorized_q=paid.authorized_q or None)))
        assert (still.code, still.flags) == ("already_captured", ["cannot_void"])
        assert still.end.last_error == "too late"
        bare = replace(desk, operations=[sent, replace(no, code="")])
        assert bare.hear(NotFound("none")).code == "cancel_refused"
    desk = cancel(operations=[no])
    paid_meanwhile = desk.hear(Answered(answer("captured", captured_q=1000)))
    assert (paid_meanwhile.ended, paid_meanwhile.flags) == (
        DONE,
        ["cancelled_but_paid", "late_money"],
    )
    settled = cancel(payment(**PAID), operations=[no]).decide()
    assert (settled.ended, settled.flags) == (DONE, ["cancelled_but_paid"])
    blind = replace(desk, methods=["cancel"]).decide()
    assert (blind.ended, blind.flags) == (FAILED, ["cannot_void"])


def test_a_void_that_succeeded_ends_the_cancellation() -> None:
    mine = planned("cancel", "sent")
    made = cancel(operations=[mine]).hear(Answered(answer("cancelled")), mine)
    assert made.facts == [("voided", 1000)]
    assert made.operation(mine.key).state == OperationState.OK
    assert made.result == {"transaction_id": "tx-1", "status": "cancelled"}
    seen = cancel(operations=[mine]).hear(Answered(answer("cancelled")))
    assert (seen.facts, seen.ended) == ([("voided", 1000)], DONE)
    no = cancel(operations=[mine]).hear(Refused("x", "no", answer("failed")), mine)
    assert no.asks == "get_status"


def test_a_void_that_was_refused_without_a_reason_is_shown_once_a_look_shows_no_effect() -> None:
    no = planned("cancel", "sent", code="refused_unverified", evidence="refused, no reason")
    seen = cancel(operations=[no]).hear(NotFound("none"))
    assert seen.operation(no.key).state == OperationState.REFUSED
    assert (seen.code, seen.flags) == ("declined", ["cannot_void"])


def test_a_void_waits_for_its_proof_no_longer_than_it_takes() -> None:
    mine = planned("cancel", "sent")
    desk = cancel(operations=[mine]).features(absence_after=10 * MINUTE)
    early = desk.hear(NotFound("none"))
    assert early.waits == 9 * MINUTE + 91 * SECOND
    assert not early.end.waiting
