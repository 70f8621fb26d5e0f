"""Doubt and proof at their edges: how old a look is, whose absence it shows, what stays silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.decisions import Answered, NotFound, Refused, Unknown
from omniman_payment_core.records import CallRecord, FoundOut, Operation, OperationState, Payment
from omniman_payment_core.values import PaymentStatus as S
from omniman_payment_core.values import RefundSnapshot

from .cases import (
    ALL_METHODS,
    DONE,
    HOUR,
    MINUTE,
    NOW,
    PARKED,
    PENDING,
    SECOND,
    Decided,
    Desk,
    answer,
    operation,
    payment,
    refund,
)
from .desks import reply

HELD: dict[str, Any] = {"authorized_q": 1000, "status": S.AUTHORIZED}
PAID: dict[str, Any] = {"captured_q": 1000, "status": S.CAPTURED}
PART: dict[str, Any] = {
    "authorized_q": 1000,
    "captured_q": 400,
    "status": S.PARTIALLY_CAPTURED,
}
OPENING: dict[str, Any] = {"amount_q": 1000, "payment_method": {}}
LONG_AGO: dict[str, Any] = {"first_sent_at": NOW - HOUR, "last_sent_at": NOW - HOUR}
HOLD = "omp_pay-1_authorize_1"


def began(ago: timedelta) -> CallRecord:
    """The record of a look that began so long ago and has only now come to be settled."""
    at = NOW - ago
    return CallRecord("O1", "pay-1", "shop", "get_status", "", 0, "BRL", 1, "answered", 0, at)


def look(paid: Payment, status: str, **desk: Any) -> Decided:
    said = {k: desk.pop(k) for k in list(desk) if k.endswith("_q") or k == "transaction_id"}
    return Desk(**{"payments": [paid], **desk}).hear(Answered(answer(status, **said)))


# -- the end of a doubt ---------------------------------------------------------------------------


def test_the_end_of_a_doubt_lets_run_what_waited_for_it() -> None:
    def ends(state: str, status: str, **amounts: Any) -> Decided:
        desk = [operation("capture", state, amount_q=1000)]
        return look(payment(**HELD), status, operations=desk, **amounts)

    taken = ends("parked", "captured", captured_q=1000).changes
    assert (taken.wake, taken.revive) == (True, True)
    assert taken.found_out == FoundOut("worker", "omp_pay-1_capture_1 turned out to be ok")
    gone = ends("parked", "cancelled").changes
    # Nothing came of it for all the waiting: a person still has to see that.
    assert (gone.wake, gone.revive, gone.found_out) == (True, True, None)
    for state in ("sent", "planned"):
        ended = ends(state, "captured", captured_q=1000).changes
        assert (ended.revive, ended.found_out) == (False, None)
    still = ends("parked", "authorized", captured_q=0).changes
    assert (still.wake, still.revive, still.found_out) == (False, False, None)


def test_a_doubt_that_stays_one_lets_nothing_run() -> None:
    doubtful = operation("capture", "parked", amount_q=1000)
    mixed = reply(doubtful, payment(**HELD), "captured", currency="XTS")
    assert mixed.operation(doubtful.key).state == OperationState.PARKED
    assert (mixed.changes.revive, mixed.changes.found_out) == (False, None)


# -- absence -------------------------------------------------------------------------------------


def absent(kind: str, *others: Operation, paid: Payment | None = None) -> str:
    """What becomes of an operation that a look, long after it was sent, shows nothing of."""
    topics = {"authorize": "payment.hold", "charge": "payment.charge", "capture": "payment.confirm"}
    doubt = operation(kind, "sent", **LONG_AGO)
    desk = Desk(
        topics[kind],
        {} if kind == "capture" else OPENING,
        payments=[paid or payment(**(HELD if kind == "capture" else {}))],
        operations=[*others, doubt],
    ).features(absence_after=10 * MINUTE)
    heard = desk.hear(NotFound("none"))
    return str(heard.operation(doubt.key).state)


@pytest.mark.parametrize("kind", ["authorize", "charge"])
def test_at_an_address_that_was_prepared_absence_never_proves_an_opening_undone(kind: str) -> None:
    prepared = operation("prepare", "ok")
    cancelled = operation("cancel", "refused")
    assert absent(kind, prepared) == "parked"
    assert absent(kind, prepared, cancelled) == "parked"
    assert absent(kind) == "abandoned"
    assert absent(kind, operation("prepare", "refused")) == "abandoned"
    assert absent(kind, operation("cancel", "ok")) == "abandoned"


def test_at_an_address_that_was_prepared_absence_proves_a_capture_undone() -> None:
    assert absent("capture", operation("prepare", "ok")) == "abandoned"


def test_a_look_that_shows_something_strange_proves_no_absence() -> None:
    no = operation("authorize", "sent", code="refused_unverified", evidence="refused", **LONG_AGO)
    desk = Desk("payment.hold", OPENING, payments=[payment()], operations=[no])
    strange = desk.hear(Answered(answer("captured", "tx-other")))
    assert strange.facts == []
    assert "transaction_mismatch" in strange.flags
    assert strange.operation(HOLD).state == OperationState.PARKED


@pytest.mark.parametrize("status", ["pending", "requires_action"])
def test_a_void_that_shows_no_effect_is_absent(status: str) -> None:
    doubt = operation("cancel", "sent", **LONG_AGO)
    desk = Desk("payment.cancel", payments=[payment(**HELD)], operations=[doubt])
    seen = desk.features(absence_after=10 * MINUTE).hear(Answered(answer(status)))
    assert seen.operation(doubt.key).state == OperationState.ABANDONED


def test_a_refusal_is_told_with_its_own_code_after_the_look() -> None:
    doubt = operation("charge", "sent")
    desk = Desk("payment.charge", OPENING, payments=[payment()], operations=[doubt])
    seen = desk.hear(Answered(answer("failed", error_code="stolen", error_message="no")))
    assert seen.code == "stolen"
    assert seen.facts == [("failed", 0)]


# -- how old a look is ---------------------------------------------------------------------------


def test_a_date_has_passed_if_it_had_when_the_gateway_was_read() -> None:
    waiting = payment(expires_at=NOW - 30 * SECOND)
    assert look(waiting, "pending").facts == [("expired", 0)]
    assert look(waiting, "pending", call=began(SECOND)).facts == []
    held = payment(**PART, hold_expires_at=NOW - 30 * SECOND)
    assert look(held, "partially_captured", call=began(SECOND)).facts == []
    withdrawn = look(waiting, "cancelled", call=began(SECOND))
    assert withdrawn.facts == [("voided", 0)]


def test_the_answer_to_a_void_is_as_old_as_its_arrival() -> None:
    mine = operation("cancel", "sent")
    waiting = payment(expires_at=NOW - 30 * SECOND)
    desk = Desk("payment.cancel", payments=[waiting], operations=[mine])
    assert desk.hear(Answered(answer("cancelled")), mine).facts == [("expired", 0)]


def test_only_a_look_lets_a_hold_lapse_by_its_date() -> None:
    mine = operation("capture", "sent", amount_q=300)
    held = payment(**PART, hold_expires_at=NOW - HOUR)
    desk = Desk("payment.confirm", payments=[held], operations=[mine])
    made = desk.hear(Answered(answer("partially_captured", captured_q=700)), mine)
    assert made.facts == [("captured", 300)]


@pytest.mark.parametrize("status", ["authorized", "captured", "disputed"])
def test_an_unpaid_charge_does_not_expire_by_its_date_when_it_is_said_to_be_more(
    status: str,
) -> None:
    late = payment(expires_at=NOW - HOUR)
    assert ("expired", 0) not in look(late, status, captured_q=0, authorized_q=0).facts
    part = look(late, "pending", captured_q=400)
    assert part.facts == [("captured", 400)]


# -- the smallest amounts ------------------------------------------------------------------------


def test_one_cent_is_a_fact() -> None:
    assert look(payment(), "authorized", authorized_q=1).facts == [("authorized", 1)]
    assert look(payment(), "captured", captured_q=1).facts == [("captured", 1)]
    assert look(payment(**PAID), "disputed", disputed_q=1).facts == [("dispute_opened", 1)]
    assert look(payment(**PAID), "disputed", disputed_q=1).flags == ["disputed"]
    capture = operation("capture", "sent", amount_q=300)
    more = Desk("payment.confirm", payments=[payment(**PART)], operations=[capture]).hear(
        Answered(answer("partially_captured", captured_q=701)), capture
    )
    assert more.facts == [("captured", 300), ("captured", 1)]
    assert more.events[0].gateway_reference == more.events[1].gateway_reference == "tx-1"


def test_a_dispute_of_nothing_is_none() -> None:
    seen = look(payment(**PAID), "captured", disputed_q=0)
    assert (seen.facts, seen.flags) == ([], [])
    one = payment(captured_q=1000, disputed_q=1, status=S.DISPUTED)
    closed = look(one, "captured", disputed_q=0)
    assert (closed.facts, closed.flags) == ([("dispute_closed", 1)], [])
    assert look(one, "captured", disputed_q=0, fenced=False).facts == []


# -- what is not said ----------------------------------------------------------------------------


def test_what_is_said_is_believed_before_what_a_status_means() -> None:
    assert look(payment(), "authorized", authorized_q=700).facts == [("authorized", 700)]
    assert look(payment(**HELD), "authorized").facts == []
    listed = answer("refunded", captured_q=1000, refunds=(RefundSnapshot("re-1", 300, "failed"),))
    assert Desk(payments=[payment(**PAID)]).hear(Answered(listed)).facts == []


def test_a_capture_in_doubt_is_not_taken_for_another_operation() -> None:
    doubt = operation("refund", "sent", amount_q=300, cause="directive-3")
    desk: dict[str, Any] = {"operations": [doubt], "refunds": [refund()]}
    assert look(payment(**HELD), "captured", **desk).facts == [("captured", 1000)]
    captured = look(payment(**PART), "captured", captured_q=900, **desk)
    assert captured.facts[0] == ("captured", 500)
    assert captured.events[0].dedupe_key == "pay-1:captured:900"
    held = look(payment(), "authorized", authorized_q=1000, **desk)
    assert held.events[0].dedupe_key == "pay-1:authorized:1000"


def test_an_answer_to_one_operation_says_nothing_of_another_in_doubt() -> None:
    other = operation("capture", "sent", cause="directive-3")
    settled = operation("authorize", "ok")
    desk = Desk("payment.hold", OPENING, payments=[payment(**HELD)], operations=[settled, other])
    made = desk.hear(Answered(answer("captured", captured_q=1000)), settled)
    assert made.events[0].dedupe_key == "omp_pay-1_capture_1:captured"


def test_a_bare_partial_refund_is_ours_only_if_it_can_be_the_first_and_a_part() -> None:
    def seen(amount_q: int, **paid: Any) -> Any:
        doubt = operation("refund", "sent", amount_q=amount_q, cause="directive-3")
        reserved = [refund(amount_q=amount_q)]
        state = payment(**{**PAID, **paid})
        return look(state, "partially_refunded", operations=[doubt], refunds=reserved).facts

    assert seen(999) == [("refunded", 999)]
    assert seen(1000) == []
    assert seen(300, refunded_q=100) == []


def test_the_address_that_is_known_stays() -> None:
    """Another one in an answer about a refund is the refund's own."""
    mine = operation("refund", "sent")
    desk = Desk(
        "payment.refund",
        payments=[payment(**PAID)],
        operations=[mine],
        refunds=[refund(amount_q=1000)],
    )
    made = desk.hear(Answered(answer("refunded", "re-9")), mine)
    assert made.payment.transaction_id == "tx-1"


def test_facts_of_a_nameless_answer_have_no_reference() -> None:
    for paid, status in (
        (payment(), "authorized"),
        (payment(), "cancelled"),
        (payment(**HELD), "expired"),
    ):
        (event,) = look(paid, status, transaction_id=None).events
        assert event.gateway_reference == ""
    mine = operation("cancel", "sent")
    desk = Desk("payment.cancel", payments=[payment(**PART)], operations=[mine])
    nameless = answer("disputed", None, captured_q=400)
    (event,) = desk.hear(Answered(nameless), mine).events
    assert event.gateway_reference == ""
    charge = operation("charge", "sent")
    opened = Desk("payment.charge", OPENING, payments=[payment()], operations=[charge])
    taken = opened.hear(Answered(answer("pending", None)), charge)
    assert taken.operation(charge.key).gateway_reference == ""


def test_a_capture_that_was_carried_out_takes_the_money_that_is_left_too() -> None:
    """What a void left to take is not zero because the void answered."""
    void = operation("cancel", "sent", cause="directive-3")
    paid = look(payment(**PAID), "captured", captured_q=1000, operations=[void])
    assert paid.operation(void.key).state == OperationState.REFUSED
    one = look(payment(captured_q=1, amount_q=1, status=S.CAPTURED), "captured", operations=[void])
    assert one.operation(void.key).state == OperationState.REFUSED
    never = look(payment(status=S.FAILED, failures=1), "failed", operations=[void])
    assert never.operation(void.key).state == OperationState.OK


def test_an_action_ends_an_opening_that_was_left_pending_only_with_its_payment() -> None:
    opened = [operation("charge", "pending", cause="directive-1")]
    asked = look(payment(), "requires_action", operations=opened)
    assert asked.changes.operations == ()
    assert asked.payment.status is S.REQUIRES_ACTION


# -- refunds -------------------------------------------------------------------------------------


def test_a_doubtful_refund_is_found_among_several() -> None:
    doubt = operation("refund", "sent", 2, amount_q=300, cause="directive-3")
    others = [refund("succeeded", 1, accepted=True, reference="re-1"), refund("pending", 2)]
    listed = (
        RefundSnapshot("re-1", 300, "succeeded"),
        RefundSnapshot("re-2", 300, "succeeded", "omp_pay-1_refund_2"),
    )
    seen = Desk(
        payments=[payment(captured_q=1000, refunded_q=300, status=S.PARTIALLY_REFUNDED)],
        operations=[doubt],
        refunds=others,
        keyed=["refund"],
    ).hear(Answered(answer("captured", captured_q=1000, refunds=listed)))
    assert [event.dedupe_key for event in seen.events] == ["omp_pay-1_refund_2:refunded"]
    assert [r.id for r in seen.changes.refunds] == ["omp_pay-1_refund_2"]


def test_a_refund_that_is_answered_twice_counts_once() -> None:
    mine = operation("refund", "ok")
    done = [refund("succeeded", amount_q=1000, accepted=True, reference="re-1")]
    paid = payment(captured_q=1000, refunded_q=1000, status=S.REFUNDED)
    desk = Desk("payment.refund", payments=[paid], operations=[mine], refunds=done)
    assert desk.hear(Answered(answer("refunded", reference="re-1")), mine).facts == []


def test_refunds_under_way_are_part_of_a_total() -> None:
    long_ago = operation("refund", "sent", 2, amount_q=300, **LONG_AGO)
    pending = refund("pending", 1, 200, accepted=True, reference="re-1")
    desk = Desk(
        "payment.refund",
        {"amount_q": 300},
        payments=[payment(**PAID, refund_pending_q=200)],
        operations=[long_ago],
        refunds=[pending, refund("pending", 2, 300)],
        keyed=["refund"],
    ).features(absence_after=10 * MINUTE)
    seen = desk.hear(Answered(answer("captured", captured_q=1000, refunded_q=200)))
    assert seen.operation(long_ago.key).state == OperationState.ABANDONED


def test_a_total_that_has_not_moved_says_nothing_of_a_refund_in_doubt() -> None:
    nothing = operation("refund", "sent", amount_q=0, cause="directive-3")
    seen = look(
        payment(**PAID),
        "captured",
        refunded_q=0,
        operations=[nothing],
        refunds=[refund(amount_q=0)],
    )
    assert (seen.facts, seen.changes.refunds) == ([], ())


# -- who waits and who is told -------------------------------------------------------------------


def test_those_who_wait_run_when_something_is_settled_and_not_when_it_is_sent() -> None:
    held = payment(**HELD)
    asked = Desk("payment.confirm", payments=[held]).decide()
    assert not asked.changes.wake, "it is under way: whoever waits for it goes on waiting"
    mine = operation("capture", "sent")
    desk = Desk("payment.confirm", payments=[held], operations=[mine])
    back = desk.hear(Unknown("lost"), mine)
    assert not back.changes.wake
    again = replace(desk, keyed=["capture"]).hear(NotFound("none"))
    assert not again.changes.wake
    refused = operation("cancel", "refused", cause="directive-3")
    late = Desk(payments=[payment(**PAID)], operations=[replace(refused, kind="charge")])
    assert not late.hear(Answered(answer("captured", captured_q=1000))).changes.wake
    moved = Desk(payments=[payment()]).hear(Answered(answer("captured", captured_q=1000)))
    assert moved.changes.wake


def test_a_flag_says_what_it_is_about() -> None:
    mine = operation("capture", "parked")
    flag = (
        Desk("payment.confirm", payments=[payment(**HELD)], operations=[mine])
        .decide()
        .flag("outcome_unknown")
    )
    assert flag.dedupe_key == "outcome_unknown:pay-1"
    assert (flag.payment_id, flag.directive_id, flag.account) == ("pay-1", 7, "shop")
    assert flag.order_ref == "O1"
    alone = Desk("payment.hold", OPENING, attempts=60).decide().flag("attempts_exhausted")
    assert alone.dedupe_key == "attempts_exhausted:directive-7"
    assert (alone.payment_id, alone.directive_id, alone.account) == (None, 7, "")


def test_why_a_directive_waits_is_written_on_it() -> None:
    waiting = Desk("payment.confirm", payments=[payment()]).decide()
    assert waiting.ended == PENDING
    assert "payer" in waiting.end.last_error


def test_every_call_is_kept_for_the_audit() -> None:
    call = began(SECOND)
    assert Desk(payments=[payment()], call=call).hear(NotFound("none")).changes.call is call


def test_a_payment_of_its_own_is_compared_with_what_it_was_before() -> None:
    two = [payment(status=S.FAILED, failures=1, version=9), payment(2, version=3)]
    seen = Desk(payments=two).hear(Answered(answer("captured", "tx-2", captured_q=1000)))
    assert (seen.payment.id, seen.payment.version) == ("pay-2", 4)
    assert seen.changes.move is not None
    assert seen.changes.move.previous is S.PENDING


def test_operations_of_another_attempt_are_not_this_ones() -> None:
    others = [
        operation("capture", "ok", payment_id="pay-1", cause="directive-1"),
        operation("capture", "sent", 2, payment_id="pay-1", cause="directive-2"),
    ]
    two = [payment(status=S.FAILED, failures=1), payment(2, **HELD)]
    made = Desk("payment.confirm", payments=two, operations=others).decide()
    assert made.request.operation is not None
    assert made.request.operation.key == "omp_pay-2_capture_1"


def test_a_new_directive_begins_with_the_newest_payment() -> None:
    """What another directive did to an older attempt does not bind this one."""
    older = operation("capture", "ok", payment_id="pay-1", cause="directive-1")
    two = [payment(**HELD), payment(2, **HELD)]
    made = Desk("payment.confirm", payments=two, operations=[older]).decide()
    assert made.request.payment_id == "pay-2"


def test_a_look_without_news_leaves_the_actions_of_a_payer_in_sight() -> None:
    shown = payment(status=S.AUTHORIZED, authorized_q=1000, next_check_at=NOW + HOUR)
    assert look(shown, "authorized").changes.payment is not None
    parked = operation("capture", "parked", cause="directive-7")
    again = Desk("payment.confirm", payments=[shown], operations=[parked]).decide()
    assert (again.ended, again.changes.payment) == (PARKED, None)


@pytest.mark.parametrize(("polls", "due"), [(True, 30 * SECOND), (False, 5 * SECOND)])
def test_an_account_that_is_asked_for_news_as_a_whole_is_looked_at_more_rarely(
    polls: bool, due: timedelta
) -> None:
    methods = (*ALL_METHODS, "poll_events") if polls else ALL_METHODS
    seen = look(payment(), "requires_action", methods=methods)
    assert seen.payment.next_check_at == NOW + due


def test_a_look_that_is_wanted_at_once_begins_the_count_anew() -> None:
    mine = operation("refund", "sent", attempts=2)
    desk = Desk(
        "payment.refund",
        payments=[payment(**PAID, checks=5)],
        operations=[mine],
        refunds=[refund(amount_q=1000)],
    )
    made = desk.hear(Answered(answer("refunded", reference="re-1")), mine)
    assert (made.payment.next_check_at, made.payment.checks) == (NOW, 0)


def test_a_decision_of_an_old_fence_calls_nobody() -> None:
    charge = operation("charge", "sent")
    desk = Desk("payment.charge", OPENING, payments=[payment()], operations=[charge], fenced=False)
    late = desk.hear(NotFound("none"))
    assert (late.changes.request, late.changes.directive) == (None, None)
    assert late.changes.operations == ()
    assert late.ended != DONE


def test_an_order_that_is_cancelled_hears_of_its_dispute() -> None:
    paid = payment(**PAID, fired=("on_payment_confirm",))
    seen = look(paid, "disputed", disputed_q=300)
    assert seen.changes.triggers == ("on_payment_dispute",)


def test_a_capture_is_blocked_by_another_and_not_by_its_own_past() -> None:
    gone = operation("capture", "abandoned")
    again = Desk("payment.confirm", payments=[payment(**HELD)], operations=[gone]).decide()
    assert again.asks == "capture"


# -- the end of an opening -----------------------------------------------------------------------


@pytest.mark.parametrize("state", [{"captured_q": 400}, {"authorized_q": 1000}, {"voids": 1}])
def test_a_no_that_comes_late_fails_no_payment_that_has_come_further(state: Any) -> None:
    statuses = {
        "captured_q": S.PARTIALLY_CAPTURED,
        "authorized_q": S.AUTHORIZED,
        "voids": S.CANCELLED,
    }
    mine = operation("charge", "sent")
    further = payment(**state, status=statuses[next(iter(state))])
    desk = Desk("payment.charge", OPENING, payments=[further], operations=[mine])
    made = desk.hear(Refused("declined", "no", answer("failed")), mine)
    assert made.facts == []
    assert made.operation(mine.key).state == OperationState.REFUSED


def test_an_operation_behind_the_opening_does_not_decide_how_it_is_opened() -> None:
    void = operation("cancel", "sent", cause="directive-3")
    made = Desk("payment.hold", OPENING, payments=[payment()], operations=[void]).decide()
    assert made.asks == "authorize"
