"""Taking, returning and letting go: what is asked of the gateway, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.decisions import Answered, NotFound, Refused
from omniman_payment_core.records import OpenDirective, Operation, OperationState, Payment
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    CANCELLED,
    DONE,
    FAILED,
    HOUR,
    MINUTE,
    NOW,
    PARKED,
    PENDING,
    RETURNS_LATE_MONEY,
    SECOND,
    Decided,
    Desk,
    answer,
    operation,
    payment,
    refund,
)

HELD: dict[str, Any] = {"authorized_q": 1000, "status": S.AUTHORIZED}
PAID: dict[str, Any] = {"captured_q": 1000, "status": S.CAPTURED}
PART: dict[str, Any] = {
    "authorized_q": 1000,
    "captured_q": 400,
    "status": S.PARTIALLY_CAPTURED,
}
OTHERS = [operation("authorize", "ok", cause="directive-1")]


def confirm(paid: Payment | None = None, /, payload: Any = None, **desk: Any) -> Desk:
    payments = [paid or payment(**HELD)]
    return Desk("payment.confirm", payload or {}, **{"payments": payments, **desk})


def give_back(paid: Payment | None = None, /, payload: Any = None, **desk: Any) -> Desk:
    payments = [paid or payment(**PAID)]
    return Desk("payment.refund", payload or {}, **{"payments": payments, **desk})


def cancel(paid: Payment | None = None, /, payload: Any = None, **desk: Any) -> Desk:
    payments = [paid or payment(**HELD)]
    return Desk("payment.cancel", payload or {}, **{"payments": payments, **desk})


def waiting_for(topic: str, status: str = "pending") -> list[OpenDirective]:
    return [OpenDirective(3, topic, status, "directive-3")]


TOPICS = {"payment.confirm": confirm, "payment.refund": give_back, "payment.cancel": cancel}
KINDS = {"payment.confirm": "capture", "payment.refund": "refund", "payment.cancel": "cancel"}
EACH = pytest.mark.parametrize("topic", TOPICS)


def planned(kind: str, state: str = "planned", **changes: Any) -> Operation:
    """An operation of the directive itself, with the parameters that the directive has."""
    desk = replace(TOPICS[next(t for t, k in KINDS.items() if k == kind)](), operations=OTHERS)
    made = desk.decide()
    (fresh,) = made.changes.new_operations
    return operation(kind, state, params_hash=fresh.params_hash, **changes)


# -- which payment, and whether now --------------------------------------------------------------


@EACH
@pytest.mark.parametrize("opening", ["payment.hold", "payment.charge"])
def test_what_is_not_opened_yet_is_waited_for(topic: str, opening: str) -> None:
    early = Desk(topic, others=waiting_for(opening)).decide()
    assert (early.waits, early.end.waiting, early.end.attempts) == (5 * MINUTE, True, 0)
    never = Desk(topic, others=waiting_for(opening, "parked")).decide()
    assert never.ended != PENDING
    other = Desk(topic, others=waiting_for("payment.sync")).decide()
    assert other.ended != PENDING


def test_without_a_payment_there_is_nothing_to_do() -> None:
    assert Desk("payment.confirm").decide().code == "nothing_to_capture"
    assert Desk("payment.refund").decide().code == "nothing_to_refund"
    assert Desk("payment.cancel").decide().result == {"status": "nothing_to_cancel"}


@EACH
def test_a_payment_can_be_named_and_otherwise_is_the_newest(topic: str) -> None:
    state = PAID if topic == "payment.refund" else HELD
    two = [payment(**state), payment(2, **state)]
    assert Desk(topic, payments=two).decide().request.payment_id == "pay-2"
    named = Desk(topic, {"payment_id": "pay-1"}, payments=two).decide()
    assert named.request.payment_id == "pay-1"
    for wrong in ("pay-9", 5, ["pay-1"]):
        assert Desk(topic, {"payment_id": wrong}, payments=two).decide().code == "unknown_payment"


@EACH
def test_what_was_begun_for_a_payment_goes_on_with_that_payment(topic: str) -> None:
    kind, state = KINDS[topic], PAID if topic == "payment.refund" else HELD
    two = [payment(**state), payment(2, **state)]
    going_on = Desk(topic, payments=two, operations=[planned(kind)]).decide()
    assert going_on.request.payment_id == "pay-1"
    assert going_on.request.operation is not None
    assert going_on.request.operation.key == f"omp_pay-1_{kind}_1"


@EACH
def test_behind_an_operation_in_doubt_nobody_goes_first(topic: str) -> None:
    theirs = operation("capture", "sent", cause="directive-3")
    behind = replace(TOPICS[topic](), operations=[theirs]).decide()
    assert (behind.waits, behind.end.waiting, behind.asks) == (5 * MINUTE, True, "")
    parked = replace(TOPICS[topic](), operations=[replace(theirs, state="parked")]).decide()
    assert (parked.ended, parked.flags) == (PARKED, ["blocked_by_unknown"])
    assert parked.changes.wake


@EACH
def test_the_account_that_began_is_the_one_that_goes_on(topic: str) -> None:
    moved = replace(TOPICS[topic](), fingerprint="another").decide()
    assert (moved.waits, moved.end.waiting, moved.flags) == (MINUTE, False, ["account_unusable"])


@EACH
def test_what_the_backend_cannot_do_is_not_asked_of_it(topic: str) -> None:
    unable = replace(TOPICS[topic](), methods=["authorize", "get_status"]).decide()
    assert unable.asks == ""
    if topic == "payment.cancel":
        assert unable.flags == ["cannot_void"]
        assert unable.result["status"] == "authorized"
        assert "no cancel()" in unable.result["note"]
        assert "no cancel()" in unable.flag("cannot_void").message
    else:
        assert unable.code == "not_supported"


@EACH
def test_an_operation_that_was_parked_waits_for_a_person(topic: str) -> None:
    mine = planned(KINDS[topic], "parked")
    parked = replace(TOPICS[topic](), operations=[mine]).decide()
    assert (parked.ended, parked.flags) == (PARKED, ["outcome_unknown"])


@EACH
def test_an_operation_that_was_abandoned_is_made_anew(topic: str) -> None:
    mine = planned(KINDS[topic], "abandoned")
    again = replace(TOPICS[topic](), operations=[mine]).decide()
    assert again.request.operation is not None
    assert again.request.operation.key == f"omp_pay-1_{KINDS[topic]}_2"


@EACH
def test_what_is_in_doubt_is_looked_at_first_and_repeated_only_under_its_key(topic: str) -> None:
    kind = KINDS[topic]
    reserved = [refund(amount_q=1000)] if kind == "refund" else []
    doubt = replace(TOPICS[topic](), operations=[planned(kind, "sent")], refunds=reserved)
    assert doubt.decide().asks == "get_status"
    keyed = replace(doubt, keyed=[kind]).hear(NotFound("none"))
    assert (keyed.asks, keyed.request.was_in_doubt, keyed.request.attempt) == (kind, True, 2)
    keyless = doubt.hear(NotFound("none"))
    assert (keyless.ended, keyless.flags) == (PARKED, ["outcome_unknown"])


@EACH
def test_what_a_look_proves_undone_is_tried_again(topic: str) -> None:
    kind = KINDS[topic]
    sent = NOW - HOUR
    mine = planned(kind, "sent", first_sent_at=sent, last_sent_at=sent)
    reserved = [refund(amount_q=1000)] if kind == "refund" else []
    doubt = replace(TOPICS[topic](), operations=[mine], refunds=reserved)
    proven = doubt.features(absence_after=10 * MINUTE).hear(NotFound("none"))
    assert proven.operation(mine.key).state == OperationState.ABANDONED
    assert (proven.ended, proven.end.attempts) == (PENDING, 1)
    assert proven.end.last_error == proven.operation(mine.key).evidence
    if kind == "refund":
        assert proven.refund().status == "failed"


# -- capturing -----------------------------------------------------------------------------------


def test_all_that_is_held_is_captured_or_the_part_that_is_asked_for() -> None:
    assert confirm().decide().request.amount_q == 1000
    part = confirm(None, {"amount_q": 400}).decide()
    assert (part.request.amount_q, part.request.final) == (400, None)
    rest = confirm(payment(**PART)).decide()
    assert rest.request.amount_q == 600


def test_more_than_is_held_is_never_captured() -> None:
    assert confirm(None, {"amount_q": 1000}).decide().asks == "capture"
    assert confirm(None, {"amount_q": 1001}).decide().code == "capture_exceeds_hold"
    assert confirm(payment(**PART), {"amount_q": 601}).decide().code == "capture_exceeds_hold"


def test_a_part_needs_a_gateway_that_takes_parts_and_another_one_that_takes_several() -> None:
    part = confirm(None, {"amount_q": 400})
    assert part.features("partial_capture").decide().code == "not_supported"
    assert confirm().features("partial_capture").decide().asks == "capture"
    again = confirm(payment(**PART))
    assert again.features("multiple_captures").decide().code == "not_supported"
    second = confirm(payment(**PART), {"amount_q": 100})
    assert second.features("partial_capture").decide().code == "not_supported"
    last = confirm(payment(**PART), {"amount_q": 100, "final": True}, finalizes=True)
    assert last.features("multiple_captures").decide().code == "not_supported"
    assert confirm().features("multiple_captures").decide().asks == "capture"


def test_whether_the_rest_is_let_go_is_said_where_the_gateway_leaves_the_choice() -> None:
    def said(final: Any, amount_q: int = 400, *missing: str, finalizes: bool = True) -> Decided:
        desk = confirm(None, {"amount_q": amount_q, "final": final}, finalizes=finalizes)
        return desk.features(*missing).decide()

    assert [said(final).request.final for final in (True, False, None)] == [True, False, None]
    assert said(True, finalizes=False).code == "not_supported"
    assert said(False, finalizes=False).request.final is None
    assert said(False, 400, "multiple_captures").code == "not_supported"
    assert said(None, 400, "multiple_captures").asks == "capture"
    assert said(True, 400, "multiple_captures").request.final is True
    assert said(True, 400, "multiple_captures", finalizes=False).request.final is None
    assert said(True, 1000, finalizes=False).asks == "capture"
    assert said("yes").code == "invalid_payload"


def test_the_key_is_bound_to_what_was_asked_under_it() -> None:
    mine = planned("capture", "planned")
    same = confirm(operations=[mine]).decide()
    assert (same.asks, same.request.operation is not None) == ("capture", True)
    for payload in ({"final": True}, {"final": False}):
        assert confirm(None, payload, operations=[mine]).decide().code == "parameters_changed"
    elsewhere = payment(**HELD, transaction_id="tx-other")
    assert confirm(elsewhere, operations=[mine]).decide().code == "parameters_changed"
    less = replace(mine, amount_q=999)
    assert confirm(operations=[less]).decide().code == "parameters_changed"


@pytest.mark.parametrize("status", [S.PENDING, S.REQUIRES_ACTION])
def test_a_payer_who_has_not_finished_is_waited_for(status: S) -> None:
    early = confirm(payment(status=status)).decide()
    assert (early.waits, early.end.waiting) == (5 * MINUTE, True)


def test_the_smallest_amount_is_money_too() -> None:
    held = payment(amount_q=1, authorized_q=1, status=S.AUTHORIZED)
    assert confirm(held).decide().request.amount_q == 1
    paid = payment(amount_q=1, captured_q=1, status=S.CAPTURED)
    assert confirm(paid).decide().ended == DONE
    more = confirm(paid, {"amount_q": 1}).decide()
    assert "nothing is left" in more.end.last_error


def test_what_is_captured_already_is_done_and_nothing_more_can_be() -> None:
    done = confirm(payment(**PAID)).decide()
    assert done.result == {"transaction_id": "tx-1", "status": "captured"}
    assert confirm(payment(**PAID), {"amount_q": 1}).decide().code == "nothing_to_capture"
    gone = confirm(payment(status=S.EXPIRED, expiries=1)).decide()
    assert gone.code == "nothing_to_capture"
    assert "expired" in gone.end.last_error


def test_the_hold_of_a_cancelled_order_is_not_captured() -> None:
    assert confirm(order=CANCELLED).decide().code == "order_cancelled"
    asked = payment(**HELD, cancel_requested=True)
    assert confirm(asked).decide().code == "order_cancelled"
    for desk in (confirm(order=CANCELLED), confirm(asked)):
        unsent = replace(desk, operations=[planned("capture")]).decide()
        assert unsent.code == "order_cancelled"
        given_up = unsent.operation("omp_pay-1_capture_1")
        assert given_up.state == OperationState.ABANDONED
        assert given_up.evidence
        assert unsent.changes.wake


def test_a_capture_that_has_its_answer_gives_it_again() -> None:
    settled = confirm(payment(**PAID), operations=[planned("capture", "ok")]).decide()
    assert settled.result == {"transaction_id": "tx-1", "status": "captured", "captured_q": 1000}
    no = planned("capture", "refused", code="expired", evidence="too late")
    refused = confirm(operations=[no]).decide()
    assert (refused.code, refused.end.last_error) == ("expired", "too late")
    bare = confirm(operations=[planned("capture", "refused")]).decide()
    assert (bare.code, bare.end.last_error) == ("declined", "the gateway refused")


# -- refunding -----------------------------------------------------------------------------------


def test_a_refund_is_reserved_before_it_is_asked_for() -> None:
    desk = give_back(None, {"amount_q": 300, "reason": "too small"})
    asked = desk.decide()
    assert (asked.asks, asked.request.amount_q) == ("refund", 300)
    assert asked.request.reason == "too small"
    reserved = asked.refund()
    assert (reserved.amount_q, reserved.status, reserved.accepted) == (300, "pending", False)
    assert (reserved.payment_id, reserved.created_at) == ("pay-1", NOW)
    assert (reserved.reason, reserved.reference, reserved.external) == ("too small", "", False)
    assert give_back().decide().refund().reason == ""
    named = give_back(names_refund=lambda key: f"re-{key}").decide()
    assert named.refund().reference == "re-omp_pay-1_refund_1"


def test_what_is_reserved_returned_or_disputed_is_not_returned_again() -> None:
    def left(**desk: Any) -> Any:
        asked = give_back(**desk).decide()
        return asked.request.amount_q if asked.asks else asked.ended

    assert left() == 1000
    other = [refund("pending", 5, 300)]
    assert left(refunds=other) == 700
    assert left(refunds=[refund("failed", 5, 300)]) == 1000
    assert left(refunds=[refund("pending", 5, 300, payment_id="pay-2")]) == 1000
    part = payment(captured_q=1000, refunded_q=300, status=S.PARTIALLY_REFUNDED)
    assert left(payments=[part], refunds=[refund("succeeded", 5, 300)]) == 700
    assert left(refunds=[refund("pending", 5, 1000)]) == DONE


@pytest.mark.parametrize(
    ("facts", "amount_q", "asks"),
    [
        ({}, 1000, True),
        ({}, 1001, False),
        ({"refunded_q": 300}, 700, True),
        ({"refunded_q": 300}, 701, False),
        ({"disputed_q": 300}, 700, True),
        ({"disputed_q": 300}, 701, False),
        ({"disputed_q": 1000}, None, False),
        ({"refunded_q": 999}, None, True),
    ],
)
def test_no_more_is_returned_than_is_left(facts: Any, amount_q: int | None, asks: bool) -> None:
    payload = {} if amount_q is None else {"amount_q": amount_q}
    asked = give_back(payment(**PAID, **facts), payload).decide()
    assert (asked.asks == "refund") is asks
    if not asks:
        assert asked.code == "refund_exceeds_capture"
        disputed = "disputed" in asked.end.last_error
        assert disputed is ("disputed_q" in facts)


def test_what_is_returned_already_is_done() -> None:
    gone = give_back(payment(captured_q=1000, refunded_q=1000, status=S.REFUNDED)).decide()
    assert gone.result == {"transaction_id": "tx-1", "status": "refunded"}
    more = payment(captured_q=1000, refunded_q=1000, status=S.REFUNDED)
    assert give_back(more, {"amount_q": 1}).decide().code == "refund_exceeds_capture"
    beyond = give_back(payment(captured_q=1000, refunded_q=1200, status=S.REFUNDED)).decide()
    assert beyond.ended == DONE


@pytest.mark.parametrize("topic", ["payment.hold", "payment.charge", "payment.confirm"])
def test_a_refund_waits_for_the_capture_that_it_follows(topic: str) -> None:
    early = give_back(payment(**HELD), others=waiting_for(topic)).decide()
    assert (early.waits, early.end.waiting) == (5 * MINUTE, True)
    never = give_back(payment(**HELD), others=waiting_for("payment.cancel")).decide()
    assert never.code == "nothing_to_refund"
    paid = give_back(others=waiting_for(topic)).decide()
    assert paid.asks == "refund"


def test_a_part_needs_a_gateway_that_returns_parts_and_another_one_that_returns_several() -> None:
    part = give_back(None, {"amount_q": 300})
    assert part.features("partial_refund").decide().code == "not_supported"
    assert give_back().features("partial_refund").decide().asks == "refund"
    assert part.features("multiple_refunds").decide().asks == "refund"
    second = replace(part, refunds=[refund("succeeded", 5)]).features("multiple_refunds")
    assert second.decide().code == "not_supported"
    parts = replace(part, refunds=[refund("succeeded", 5)]).features("partial_refund")
    assert parts.decide().code == "not_supported"
    failed = replace(part, refunds=[refund("failed", 5)]).features("multiple_refunds")
    assert failed.decide().asks == "refund"


def test_a_refund_that_has_its_answer_gives_it_again() -> None:
    ok = planned("refund", "ok", gateway_reference="re-1")
    part = payment(captured_q=1000, refunded_q=1000, status=S.REFUNDED)
    done = [refund("succeeded", reference="re-2", accepted=True)]
    other = refund("succeeded", 5, reference="re-5", accepted=True)
    with_it = give_back(part, operations=[ok], refunds=[other, *done]).decide()
    assert with_it.result == {
        "transaction_id": "tx-1",
        "reference": "re-2",
        "status": "succeeded",
        "refunded_q": 1000,
    }
    without = give_back(part, operations=[ok]).decide()
    assert (without.result["reference"], without.result["status"]) == ("re-1", "refunded")
    no = planned("refund", "refused", code="too_old", evidence="after 90 days")
    refused = give_back(operations=[no], refunds=[refund(amount_q=1000)]).decide()
    assert (refused.code, refused.end.last_error) == ("too_old", "after 90 days")
    assert refused.refund().status == "failed"
    bare = give_back(operations=[planned("refund", "refused")]).decide()
    assert (bare.code, bare.end.last_error) == ("refund_refused", "the gateway refused")


def test_a_refund_that_never_happened_frees_itself_alone() -> None:
    no = planned("refund", "refused")
    two = [refund(amount_q=600), refund("pending", 2, 400)]
    freed = give_back(operations=[no], refunds=two).decide()
    assert [r.id for r in freed.changes.refunds] == ["omp_pay-1_refund_1"]
    over = give_back(operations=[no], refunds=[refund("succeeded", amount_q=600)]).decide()
    assert over.changes.refunds == ()


def test_a_refunds_reason_is_bound_to_its_key() -> None:
    mine = planned("refund")
    changed = give_back(None, {"reason": "another"}, operations=[mine]).decide()
    assert changed.code == "parameters_changed"
    assert give_back(operations=[mine]).decide().request.reason is None
    assert give_back(None, {"reason": 5}).decide().code == "invalid_payload"


# -- cancelling ----------------------------------------------------------------------------------


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
    assert gone.events[0].dedupe_key == "pay-1:withdrawn"
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


def test_a_void_waits_for_its_proof_no_longer_than_it_takes() -> None:
    mine = planned("cancel", "sent")
    desk = cancel(operations=[mine]).features(absence_after=10 * MINUTE)
    early = desk.hear(NotFound("none"))
    assert early.waits == 9 * MINUTE + 91 * SECOND
    assert not early.end.waiting


# -- fingerprints --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "payload", "fingerprint"),
    [
        ("payment.confirm", {}, "bdeb86c368debd9fd2ee8567e1a28d86"),
        ("payment.confirm", {"amount_q": 400, "final": True}, "dda968cb357264a1f0beee81185bc0e1"),
        ("payment.refund", {"reason": "broken"}, "cef8432ed6cd8beca49dd5db7944e3ac"),
        ("payment.cancel", {}, "aab6ed1d0def249dc483d46e98451870"),
    ],
)
def test_what_was_sent_before_a_deployment_has_the_same_fingerprint_after_it(
    topic: str, payload: Any, fingerprint: str
) -> None:
    """Or an operation in doubt could not be repeated under its key any more."""
    desk = replace(TOPICS[topic](), payload=payload, finalizes=True, operations=OTHERS)
    (made,) = desk.decide().changes.new_operations
    assert made.params_hash == fingerprint
