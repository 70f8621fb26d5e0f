"""How openings, holds, charges and voids end, and what the shopper is shown meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.decisions import Answered
from omniman_payment_core.records import Operation, OperationState, Payment
from omniman_payment_core.values import NextAction
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    DAY,
    DONE,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Decided,
    Desk,
    answer,
    operation,
    payment,
)
from .desks import CANCEL, CHARGE, HELD, OPENED, PAID, PART, keys, look, reply

WAITING = pytest.mark.parametrize(
    "waiting", [{}, {"status": S.REQUIRES_ACTION, "actions_open": 1}], ids=["pending", "action"]
)

# -- openings -------------------------------------------------------------------------------------


def test_an_opening_is_the_fact_of_its_operation() -> None:
    for kind in ("authorize", "charge"):
        mine = operation(kind, "sent")
        made = reply(mine, payment(), "authorized", authorized_q=1000)
        assert keys(made) == [f"{mine.key}:authorized"]
        assert made.operation(mine.key).state == OperationState.OK
        assert made.operation(mine.key).gateway_reference == "tx-1"
    more = reply(operation("authorize", "sent"), payment(**HELD), "authorized", authorized_q=1500)
    assert keys(more) == ["pay-1:authorized:1500"]


def test_an_opening_that_waits_for_the_shopper_is_taken() -> None:
    for status in ("pending", "requires_action"):
        made = reply(operation("charge", "sent"), payment(), status)
        taken = made.operation(CHARGE)
        assert (taken.state, taken.gateway_reference) == (OperationState.PENDING, "tx-1")


def test_an_opening_that_failed_says_why() -> None:
    no = {"error_code": "card_declined", "error_message": "no money"}
    made = reply(operation("charge", "sent"), payment(), "failed", **no)
    assert made.facts == [("failed", 0)]
    assert made.events[0].data == {"code": "card_declined", "message": "no money"}
    assert (keys(made), made.events[0].gateway_reference) == (["pay-1:failed:1"], "tx-1")
    refused = made.operation(CHARGE)
    assert (refused.state, refused.code) == (OperationState.REFUSED, "card_declined")
    assert (refused.evidence, refused.gateway_reference) == ("no money", "tx-1")
    bare = reply(operation("charge", "sent"), payment(failures=1), "failed")
    assert bare.events[0].data == {"code": "declined", "message": ""}
    assert keys(bare) == ["pay-1:failed:2"]
    assert bare.operation(CHARGE).code == "declined"
    assert bare.operation(CHARGE).evidence == "the gateway declined"


@pytest.mark.parametrize(
    ("status", "facts", "state"),
    [
        ("captured", [("captured", 1000)], "ok"),
        ("authorized", [("authorized", 1000)], "ok"),
        ("cancelled", [("voided", 0)], "ok"),
        ("expired", [("expired", 0)], "ok"),
        ("failed", [("failed", 0)], "refused"),
    ],
)
@pytest.mark.parametrize("kind", ["authorize", "charge"])
def test_an_opening_that_was_left_pending_comes_to_its_end(
    status: str, facts: Any, state: str, kind: str
) -> None:
    mine = operation(kind, "pending", cause="directive-1")
    seen = look(status, None, Desk(operations=[mine]))
    assert seen.facts == facts
    assert seen.operation(mine.key).state == state
    assert seen.operation(mine.key).gateway_reference == "tx-1"
    nameless = look(status, None, Desk(operations=[mine]), transaction_id=None)
    assert nameless.operation(mine.key).gateway_reference == ""


def test_an_opening_that_still_waits_is_left_pending() -> None:
    assert look("pending", None, Desk(operations=OPENED)).changes.operations == ()
    settled = [operation("charge", "ok", cause="directive-1")]
    assert look("captured", None, Desk(operations=settled)).changes.operations == ()
    other = [operation("cancel", "pending", cause="directive-1")]
    assert look("captured", None, Desk(operations=other)).changes.operations == ()


def test_a_look_at_what_was_only_prepared_proves_no_opening() -> None:
    doubt = operation("charge", "sent", cause="directive-3")
    prepared = operation("prepare", "ok", cause="directive-3")
    action = NextAction("show_qr", {})

    def state(*operations: Operation, status: str = "pending", **said: Any) -> str:
        seen = look(status, None, Desk(operations=operations), **said)
        changed = [op.state for op in seen.changes.operations if op.kind == "charge"]
        return str(changed[0]) if changed else "sent"

    assert state(doubt) == "pending"
    assert state(prepared, doubt) == "sent"
    assert state(prepared, doubt, expires_at=NOW + HOUR) == "sent"
    assert state(prepared, doubt, next_action=action) == "pending"
    assert state(prepared, doubt, status="requires_action") == "pending"
    assert state(replace(prepared, state=OperationState.REFUSED), doubt) == "pending"
    assert state(replace(prepared, kind="capture"), doubt) == "pending"


def test_once_the_transaction_is_known_nothing_waits_for_its_preparation() -> None:
    for before, after in (("planned", "abandoned"), ("sent", "ok"), ("parked", "ok")):
        waiting = operation("prepare", before, cause="directive-3")
        seen = look("pending", payment(), Desk(operations=[waiting]))
        changed = seen.operation(waiting.key)
        assert changed.state == after
        assert changed.gateway_reference == ("" if after == "abandoned" else "tx-1")
        assert bool(changed.evidence) is (after == "abandoned")
    nameless = payment(transaction_id=None)
    waiting = operation("prepare", "sent", cause="directive-3")
    seen = look("pending", nameless, Desk(operations=[waiting]), transaction_id=None)
    assert seen.changes.operations == ()
    gone = look("expired", nameless, Desk(operations=[waiting]), transaction_id=None)
    assert gone.changes.operations == ()
    settled = operation("prepare", "refused", cause="directive-3")
    assert look("pending", payment(), Desk(operations=[settled])).changes.operations == ()


def test_the_address_and_the_dates_are_kept_as_the_gateway_tells_them() -> None:
    sent = Desk(operations=OPENED)
    found = look("pending", payment(transaction_id=None), sent, transaction_id="tx-9")
    assert found.payment.transaction_id == "tx-9"
    empty = look("pending", payment(transaction_id=None), sent, transaction_id="")
    assert empty.payment.transaction_id is None
    dated = look("pending", expires_at=NOW + HOUR, hold_expires_at=NOW + DAY)
    assert (dated.payment.expires_at, dated.payment.hold_expires_at) == (NOW + HOUR, NOW + DAY)
    silent = look("pending", payment(expires_at=NOW + HOUR, hold_expires_at=NOW + DAY))
    assert (silent.payment.expires_at, silent.payment.hold_expires_at) == (NOW + HOUR, NOW + DAY)


# -- endings --------------------------------------------------------------------------------------


@WAITING
def test_a_charge_ends_without_money(waiting: Any) -> None:
    for status, fact in (("cancelled", "voided"), ("expired", "expired"), ("failed", "failed")):
        seen = look(status, payment(**waiting))
        assert seen.facts == [(fact, 0)]
        assert seen.events[0].gateway_reference == "tx-1"


def test_a_charge_that_is_withdrawn_after_its_time_has_expired() -> None:
    def facts(seconds: int, **paid: Any) -> Any:
        expires_at = NOW - seconds * SECOND
        return look("cancelled", payment(expires_at=expires_at, **paid)).facts

    assert facts(30) == [("expired", 0)]
    assert facts(29) == [("voided", 0)]
    assert facts(30, **HELD) == [("voided", 1000)]


def test_a_hold_is_let_go_or_lapses_with_what_was_left_of_it() -> None:
    assert look("cancelled", payment(**HELD)).facts == [("voided", 1000)]
    assert look("expired", payment(**HELD)).facts == [("expired", 1000)]
    part = look("cancelled", payment(**PART))
    assert (part.facts, keys(part)) == ([("voided", 600)], ["pay-1:voided:1000:0"])
    later = payment(authorized_q=1000, released_q=100, status=S.AUTHORIZED)
    assert keys(look("expired", later)) == ["pay-1:expired:1000:100"]


def test_what_is_over_does_not_end_again() -> None:
    for status in ("cancelled", "expired", "failed"):
        assert look(status, payment(**PAID)).facts == []
        assert look(status, payment(status=S.CANCELLED, voids=1)).facts == []
    assert look("failed", payment(**HELD)).facts == []
    for paid in (HELD, PAID):
        assert look("pending", payment(**paid, expires_at=NOW - HOUR)).facts == []
    assert reply(operation("cancel", "sent"), payment(**PAID), "captured").facts == []


def test_a_smaller_capture_that_the_gateway_calls_final_lets_the_rest_go() -> None:
    seen = look("captured", payment(**PART), captured_q=400)
    assert (seen.facts, keys(seen)) == ([("voided", 600)], ["pay-1:voided:1000:0"])
    assert seen.events[0].gateway_reference == "tx-1"
    assert look("captured", payment(**PART)).facts == []
    assert look("partially_captured", payment(**PART), captured_q=400).facts == []
    assert look("captured", payment(**PAID), captured_q=1000).facts == []


def test_the_rest_of_a_hold_lapses_behind_any_status() -> None:
    def seen(seconds: int, status: str = "partially_captured", **paid: Any) -> Decided:
        facts = {**PART, "hold_expires_at": NOW - seconds * SECOND, **paid}
        return Desk(payments=[payment(**facts)]).hear(Answered(answer(status)))

    over = seen(30)
    assert (over.facts, keys(over)) == ([("expired", 600)], ["pay-1:expired:1000:0"])
    assert over.events[0].data == {"computed": True}
    assert seen(29).facts == []
    assert seen(30, hold_expires_at=None).facts == []
    held = payment(**PART, hold_expires_at=NOW - HOUR)
    answered = reply(operation("refund", "ok"), held, "partially_captured")
    assert ("expired", 600) not in answered.facts


def test_what_a_gateway_holds_no_more_was_let_go_behind_any_status() -> None:
    def seen(status: str, paid: Any, held_q: int, **said: Any) -> Decided:
        return look(status, payment(**paid), held_q=held_q, **{"authorized_q": 1000, **said})

    returned: dict[str, Any] = {**PART, "refunded_q": 400, "status": S.REFUNDED}
    for status in ("refunded", "partially_captured", "disputed"):
        assert seen(status, returned, 0).facts == [("voided", 600)]
        assert seen(status, returned, 600).facts == []
        assert seen(status, returned, 700).facts == []
    some = seen("authorized", HELD, 999)
    assert (some.facts, keys(some)) == ([("voided", 1)], ["pay-1:voided:1000:0"])
    assert some.events[0].gateway_reference == "tx-1"
    late = {**PART, "hold_expires_at": NOW - HOUR}
    assert seen("partially_captured", late, 100).facts == [("expired", 500)]
    # What the gateway says it still holds has not lapsed, whatever its date.
    assert seen("partially_captured", late, 600).facts == []
    # An answer from before all of it was held does not tell what is left of it.
    for authorized_q in (None, 0, 999):
        assert seen("pending", HELD, 0, authorized_q=authorized_q).facts == []
    assert seen("authorized", HELD, 1001, authorized_q=1001).facts == [("authorized", 1)]
    over = seen("pending", {"expires_at": NOW - HOUR}, 0, authorized_q=0)
    assert over.facts == [("expired", 0)]


def test_what_a_capture_in_doubt_may_have_taken_does_not_lapse() -> None:
    held = payment(**HELD, hold_expires_at=NOW - HOUR)

    def seen(state: str, **amounts: Any) -> list[tuple[str, int]]:
        desk = Desk(operations=[operation("capture", state, amount_q=400)])
        return look("authorized", held, desk, **amounts).facts

    for state in ("sent", "parked"):
        assert seen(state) == seen(state, captured_q=0) == []
    assert seen("planned") == seen("ok") == [("expired", 1000)]
    # Once it has shown there is no doubt left.
    assert seen("sent", captured_q=400) == [("captured", 400), ("expired", 600)]
    void = Desk(operations=[operation("cancel", "sent")])
    assert look("authorized", held, void).facts == [("expired", 1000)]


@WAITING
def test_a_charge_whose_time_is_over_expires_where_the_gateway_ends_it_by_itself(
    waiting: Any,
) -> None:
    def facts(end: Any, status: str = "pending", desk: Desk | None = None, **said: Any) -> Any:
        return look(status, payment(**waiting, expires_at=end), desk, **said).facts

    over = NOW - 30 * SECOND
    unlimited = Desk().features("unpaid_expiry")
    expired = [fact for fact in facts(over) if fact[0] == "expired"]
    assert expired == [("expired", 0)]
    assert ("expired", 0) in facts(over, "requires_action")
    assert ("expired", 0) not in facts(NOW - 29 * SECOND)
    assert ("expired", 0) not in facts(None)
    assert ("expired", 0) not in facts(over, desk=unlimited)
    assert ("expired", 0) not in facts(over, "authorized")
    assert ("expired", 0) not in facts(over, captured_q=400)
    seen = look("pending", payment(expires_at=over))
    assert (keys(seen), seen.events[0].data) == (["pay-1:expired:0:0"], {"computed": True})
    answered = reply(operation("charge", "sent"), payment(**waiting, expires_at=over), "pending")
    assert ("expired", 0) not in answered.facts


# -- voids ----------------------------------------------------------------------------------------


def void(paid: Payment, status: str, **said: Any) -> Decided:
    return reply(operation("cancel", "sent"), paid, status, **said)


def test_a_void_of_the_rest_is_taken_behind_a_status_that_speaks_of_the_money() -> None:
    for status in ("captured", "partially_refunded", "refunded", "disputed"):
        made = void(payment(**PART), status, captured_q=400, refunded_q=0)
        assert ("voided", 600) in made.facts
        assert made.operation(CANCEL).state == OperationState.OK
        assert made.operation(CANCEL).evidence == ""
    disputed = void(payment(**PART), "disputed", captured_q=400)
    assert keys(disputed) == ["pay-1:voided:1000:0"]
    assert disputed.events[0].gateway_reference == "tx-1"
    no = void(payment(**PART), "disputed", captured_q=400, success=False)
    assert no.facts == []
    open_still = void(payment(**PART), "partially_captured", captured_q=400)
    assert open_still.facts == []
    seen = look("disputed", payment(**PART), Desk(operations=[operation("cancel", "sent")]))
    assert seen.facts == []


def test_a_void_that_came_after_the_money_is_refused() -> None:
    mine = operation("cancel", "sent", cause="directive-3")
    paid = look("captured", None, Desk(operations=[mine]), captured_q=1000)
    assert paid.operation(CANCEL).state == OperationState.REFUSED
    assert paid.operation(CANCEL).evidence
    gone = look("cancelled", payment(**HELD), Desk(operations=[mine]))
    assert gone.operation(CANCEL).state == OperationState.OK
    rest = look("expired", payment(**PART), Desk(operations=[mine]))
    assert rest.operation(CANCEL).state == OperationState.OK
    voided = payment(**PART, released_q=600, voids=1)
    assert look("captured", voided, Desk(operations=[mine])).operation(CANCEL).state == "ok"
    told = void(payment(**PAID), "captured", captured_q=1000)
    assert told.operation(CANCEL).state == OperationState.OK


@WAITING
def test_a_void_is_in_doubt_while_the_charge_is_open(waiting: Any) -> None:
    mine = operation("cancel", "sent", cause="directive-3")
    assert (
        look(
            str(payment(**waiting).status), payment(**waiting), Desk(operations=[mine])
        ).changes.operations
        == ()
    )
    assert look("authorized", payment(**HELD), Desk(operations=[mine])).changes.operations == ()


# -- the shopper's part ---------------------------------------------------------------------------

QR = NextAction("show_qr", {"code": "1"})


def test_what_the_shopper_has_to_do_is_shown_and_taken_away() -> None:
    asked = look("requires_action", next_action=QR)
    assert (asked.facts, keys(asked)) == ([("action_required", 0)], ["pay-1:action:3"])
    assert asked.payment.next_action == QR
    open_ = payment(status=S.REQUIRES_ACTION, actions_open=1, next_action=QR)
    assert look("requires_action", open_).facts == []
    done = look("pending", open_)
    assert (done.facts, keys(done)) == ([("action_taken", 0)], ["pay-1:action-taken:3"])
    assert done.payment.next_action is None
    another = NextAction("redirect", {})
    next_ = look("pending", open_, next_action=another)
    assert (next_.facts, next_.payment.next_action) == ([("action_taken", 0)], another)
    assert look("requires_action", open_, next_action=another).payment.next_action == another
    silent = look("pending", payment(next_action=QR))
    assert (silent.facts, silent.payment.next_action) == ([], QR)
    unclear = look("authorized?", open_)
    assert unclear.facts == [("action_taken", 0)]


def test_after_the_money_nothing_is_shown_any_more() -> None:
    paid = look("captured", payment(next_action=QR), captured_q=1000, next_action=QR)
    assert paid.payment.next_action is None
    late = look("requires_action", payment(**PAID), next_action=QR)
    assert late.facts == []
    assert late.changes.payment is None or late.payment.next_action is None


# -- disputes -------------------------------------------------------------------------------------


def test_a_dispute_is_opened_and_won_by_its_total() -> None:
    opened = look("disputed", payment(**PAID), disputed_q=300)
    assert (opened.facts, keys(opened)) == (
        [("dispute_opened", 300)],
        ["pay-1:dispute_opened:3"],
    )
    assert opened.flags == ["disputed"]
    assert "3.00" in opened.flag("disputed").message
    facts: Any = {"captured_q": 1000, "disputed_q": 300, "status": S.DISPUTED}
    assert look("disputed", payment(**facts), disputed_q=300).facts == []
    won = look("captured", payment(**facts), disputed_q=100)
    assert (won.facts, won.flags) == ([("dispute_closed", 200)], [])
    assert look("captured", payment(**facts)).facts == []


def test_a_look_from_before_the_fence_was_lost_closes_no_dispute() -> None:
    stale = Desk(fenced=False)
    facts: Any = {"captured_q": 1000, "disputed_q": 300, "status": S.DISPUTED}
    assert look("captured", payment(**facts), stale, disputed_q=0).facts == []
    assert look("disputed", payment(**facts), stale, disputed_q=400).facts == [
        ("dispute_opened", 100)
    ]


def test_a_look_ends_its_sync() -> None:
    assert look("captured", captured_q=1000).ended == DONE
    assert look("pending", payment(expires_at=NOW + MINUTE)).ended == DONE
