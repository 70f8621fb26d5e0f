"""What the outcome of a call proves, and what it does not: one outcome, one state, one decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.decisions import (
    Answered,
    Found,
    Invalid,
    Misconfigured,
    NotAttempted,
    NotFound,
    Outcome,
    Prepared,
    Refused,
    Unknown,
)
from omniman_payment_core.records import CallRecord, OperationState, Payment
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    CANCELLED,
    DONE,
    FAILED,
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

HOLD, CHARGE, CAPTURE = "omp_pay-1_authorize_1", "omp_pay-1_charge_1", "omp_pay-1_capture_1"
REFUND, CANCEL, PREPARE = "omp_pay-1_refund_1", "omp_pay-1_cancel_1", "omp_pay-1_prepare_1"
OPENING = {"amount_q": 1000, "payment_method": {}}
HELD: dict[str, Any] = {"authorized_q": 1000, "status": S.AUTHORIZED}
PAID: dict[str, Any] = {"captured_q": 1000, "status": S.CAPTURED}
TOPICS = {
    "authorize": "payment.hold",
    "prepare": "payment.hold",
    "charge": "payment.charge",
    "capture": "payment.confirm",
    "refund": "payment.refund",
    "cancel": "payment.cancel",
}
STATES = {"authorize": {}, "prepare": {}, "charge": {}, "capture": HELD, "refund": PAID}


def called(kind: str, *, paid: Payment | None = None, **changes: Any) -> Desk:
    """A desk at which the answer to a call of this kind is awaited."""
    return Desk(
        topic=TOPICS[kind],
        payload=OPENING if kind in ("authorize", "charge", "prepare") else {},
        payments=[paid or payment(**STATES.get(kind, HELD))],
        operations=[operation(kind, **changes)],
        refunds=[refund(amount_q=1000)] if kind == "refund" else [],
    )


def heard(kind: str, outcome: Outcome, desk: Desk | None = None, **more: Any) -> Decided:
    desk = desk or called(kind)
    return desk.hear(outcome, desk.operations[-1], **more)


def look(outcome: Outcome, **changes: Any) -> Decided:
    """What a look at a waiting payment brings."""
    paid = changes.pop("paid", payment())
    return Desk(payments=[paid], **changes).hear(outcome)


SENT = [operation("charge", "pending", cause="directive-1")]


def find(*found: Any, **changes: Any) -> Decided:
    """What a search by the order brings, for a charge that was sent and has no address."""
    paid = changes.pop("paid", payment(transaction_id=None))
    desk = {"payments": [paid], "operations": SENT, **changes}
    return Desk(**desk).hear(Found(list(found)))


# -- looks -------------------------------------------------------------------------------------


def test_a_look_that_shows_the_money_makes_it_a_fact_that_was_looked_up() -> None:
    seen = look(Answered(answer("captured", captured_q=1000)))
    assert seen.facts == [("captured", 1000)]
    assert {event.source for event in seen.events} == {"sync"}
    assert {event.actor for event in seen.events} == {"worker"}
    assert (seen.ended, seen.result) == (DONE, {"status": "captured"})


def test_the_answer_to_a_call_is_a_fact_of_that_call() -> None:
    made = heard("authorize", Answered(answer("authorized", authorized_q=1000)))
    assert {event.source for event in made.events} == {"call"}
    assert made.facts == [("authorized", 1000)]
    assert made.operation(HOLD).state == OperationState.OK
    assert made.ended == DONE


@pytest.mark.parametrize(
    "outcome",
    [Unknown("no answer"), Invalid("no answer"), Refused("no", "no answer", answer("failed"))],
)
def test_a_look_that_brings_nothing_is_made_again_later(outcome: Outcome) -> None:
    missed = look(outcome)
    assert (missed.ended, missed.end.attempts) == (PENDING, 1)
    assert missed.end.last_error == "no answer"
    assert missed.facts == []
    assert not missed.end.waiting


def test_an_answer_of_another_kind_to_a_look_is_none() -> None:
    assert look(Prepared("tx-9")).ended == PENDING
    assert look(Prepared("tx-9")).end.attempts == 1


def test_a_look_that_could_not_be_made_comes_again_when_the_gateway_wants_it() -> None:
    blamed = look(NotAttempted("too many", timedelta(seconds=40)))
    assert (blamed.waits, blamed.end.attempts) == (40 * SECOND, 1)
    nobody = look(NotAttempted("resting", timedelta(seconds=40), counted=False))
    assert (nobody.waits, nobody.end.attempts) == (40 * SECOND, 0)


def test_an_account_that_cannot_work_waits_for_a_person_and_says_so() -> None:
    for wrong in (look(Misconfigured("no key")), heard("authorize", Misconfigured("no key"))):
        assert (wrong.waits, wrong.end.attempts, wrong.end.waiting) == (MINUTE, 0, False)
        flag = wrong.flag("account_unusable")
        assert flag.dedupe_key == "account_unusable:shop"
        assert flag.message == "no key"


def test_a_transaction_that_is_found_by_its_order_becomes_the_payments() -> None:
    found = find(answer("pending", "tx-9"))
    assert found.payment.transaction_id == "tx-9"
    assert (found.ended, found.flags) == (DONE, [])


@pytest.mark.parametrize("state", ["planned", "sent"])
def test_an_attempt_of_which_nothing_ever_left_has_no_transaction(state: str) -> None:
    never = operation("charge", state, first_sent_at=None, cause="directive-1")
    assert find(answer("pending", "tx-9"), operations=[never]).payment.transaction_id is None
    assert find(answer("pending", "tx-9"), operations=[]).payment.transaction_id is None


@pytest.mark.parametrize(
    "other",
    [
        answer("pending", None),
        answer("pending", ""),
        answer("pending", "tx-0"),
        answer("pending", "tx-9", amount_q=999),
        answer("pending", "tx-9", currency="USD"),
    ],
)
def test_a_transaction_that_cannot_be_this_payments_is_not_taken_for_it(other: Any) -> None:
    payments = [payment(0, status=S.FAILED, failures=1), payment(transaction_id=None)]
    found = find(other, payments=payments)
    assert found.changes.payment is None or found.payment.transaction_id is None
    assert found.flags == []
    fitting = answer("pending", "tx-1", amount_q=1000, currency="brl")
    both = find(other, fitting, payments=payments)
    assert both.payment.transaction_id == "tx-1"


def test_a_transaction_that_became_known_during_the_search_is_still_ours() -> None:
    found = find(answer("captured", "tx-1", captured_q=1000), paid=payment())
    assert found.facts == [("captured", 1000)]


def test_an_answer_that_names_no_transaction_is_about_the_one_that_was_asked_for() -> None:
    seen = look(Answered(answer("captured", None, captured_q=1000)))
    assert (seen.facts, seen.flags) == ([("captured", 1000)], [])


def test_of_several_transactions_none_is_chosen_and_a_person_is_asked() -> None:
    two = [answer("captured", "tx-8", captured_q=1000), answer("pending", "tx-9")]
    found = find(*two)
    assert found.flags == ["several_transactions"]
    assert found.facts == []
    assert found.changes.payment is None or found.payment.transaction_id is None


# -- how much a look proves ----------------------------------------------------------------------

PROOF = {"absence_after": 10 * MINUTE}


def doubtful(outcome: Outcome, *, paid: Payment | None = None, age: timedelta) -> Decided:
    """A look for a hold that was sent so long ago, at a gateway whose absence proves."""
    sent = NOW - age
    desk = replace(
        called("authorize", paid=paid, first_sent_at=sent, last_sent_at=sent).features(**PROOF),
        payload={},
    )
    return desk.hear(outcome)


SURE = 10 * MINUTE + 90 * SECOND


@pytest.mark.parametrize("outcome", [NotFound("none"), Found([]), Found([answer("pending", None)])])
def test_absence_proves_after_its_time_that_nothing_happened(outcome: Outcome) -> None:
    paid = payment(transaction_id=None)
    early = doubtful(outcome, paid=paid, age=SURE - SECOND)
    assert early.waits == 2 * SECOND
    assert early.asks == ""
    late = doubtful(outcome, paid=paid, age=SURE)
    abandoned = late.operation(HOLD)
    assert abandoned.state == OperationState.ABANDONED
    assert abandoned.evidence


def test_a_look_is_as_old_as_its_beginning() -> None:
    desk = called("authorize", paid=payment(transaction_id=None))
    began = replace(operation("authorize"), first_sent_at=NOW - SURE, last_sent_at=NOW - SURE)
    desk = replace(desk.features(**PROOF), operations=[began])
    call = CallRecord("O1", "pay-1", "shop", "find", "", 0, "BRL", 1, "found", 1_000_000, NOW)
    slow = replace(desk, call=call).hear(Found([]))
    assert slow.waits == SECOND, "it began a second too early to prove anything"
    quick = replace(desk, call=replace(call, duration_us=0)).hear(Found([]))
    assert quick.operation(HOLD).state == OperationState.ABANDONED
    from_tomorrow = replace(desk, call=replace(call, at=NOW + MINUTE, duration_us=0))
    waiting = [replace(began, last_sent_at=NOW - SURE + SECOND)]
    assert replace(from_tomorrow, operations=waiting).hear(Found([])).ended == PENDING


def test_a_transaction_that_shows_no_effect_proves_absence_only_where_it_would_show_it() -> None:
    """A capture in doubt: totals say it did not happen, a bare status does not."""
    sent = NOW - SURE
    desk = called("capture", first_sent_at=sent, last_sent_at=sent, amount_q=400).features(**PROOF)
    desk = replace(desk, payload={"amount_q": 400})
    silent = desk.hear(Answered(answer("requires_action")))
    assert (silent.facts, silent.ended) == ([], PARKED)
    told = desk.hear(Answered(answer("authorized", authorized_q=1000, captured_q=0)))
    assert told.operation(CAPTURE).state == OperationState.ABANDONED


# -- an answer about something else --------------------------------------------------------------


def test_an_answer_about_another_transaction_is_not_believed() -> None:
    wrong = answer("captured", "tx-other", captured_q=1000)
    seen = look(Answered(wrong))
    assert (seen.facts, seen.flags) == ([], ["transaction_mismatch"])
    made = heard("capture", Answered(wrong))
    assert (made.facts, made.flags) == ([], ["transaction_mismatch"])
    assert (made.ended, made.end.attempts) == (PENDING, 1)
    assert made.operation(CAPTURE).state == OperationState.SENT
    assert made.operation(CAPTURE).evidence


def test_a_settled_operation_is_not_touched_by_a_late_answer_about_another_transaction() -> None:
    desk = called("capture", state="ok")
    late = heard("capture", Answered(answer("captured", "tx-other")), desk)
    assert late.changes.operations == ()
    assert late.ended == PENDING


def test_another_currency_is_not_believed_and_parks_what_it_answers() -> None:
    wrong = answer("captured", captured_q=1000, currency="USD")
    seen = look(Answered(wrong))
    assert (seen.facts, seen.flags) == ([], ["currency_mismatch"])
    made = heard("capture", Answered(wrong))
    assert made.facts == []
    assert made.operation(CAPTURE).state == OperationState.PARKED
    assert made.operation(CAPTURE).evidence == "currency mismatch"
    assert made.ended == PARKED
    settled = heard("capture", Answered(wrong), called("capture", state="ok"))
    assert settled.changes.operations == ()


def test_a_currency_in_small_letters_is_the_same() -> None:
    assert look(Answered(answer("captured", captured_q=1000, currency="brl"))).flags == []


# -- answers to calls ----------------------------------------------------------------------------


def test_a_transaction_that_was_prepared_gives_its_address_before_money_moves() -> None:
    desk = called("prepare", paid=payment(transaction_id=None))
    desk = replace(desk, methods=[*desk.methods, "prepare"])
    made = heard("prepare", Prepared("tx-5"), desk)
    assert made.payment.transaction_id == "tx-5"
    prepared = made.operation(PREPARE)
    assert (prepared.state, prepared.gateway_reference) == (OperationState.OK, "tx-5")
    assert (made.asks, made.request.transaction_id) == ("authorize", "tx-5")


def test_a_prepared_transaction_does_not_replace_the_one_that_is_known() -> None:
    desk = replace(called("prepare"), methods=["prepare", "authorize", "get_status"])
    assert heard("prepare", Prepared("tx-5"), desk).request.transaction_id == "tx-1"


def test_a_yes_that_shows_no_effect_is_asked_about() -> None:
    made = heard("capture", Answered(answer("authorized", authorized_q=1000, captured_q=0)))
    assert (made.facts, made.ended, made.end.attempts) == ([], PENDING, 1)
    assert made.operation(CAPTURE).state == OperationState.SENT
    assert made.operation(CAPTURE).evidence == "answered without the effect that was asked for"


def test_a_yes_without_effect_leaves_what_is_parked_to_a_person() -> None:
    shown = answer("authorized", authorized_q=1000, captured_q=0)
    made = heard("capture", Answered(shown), called("capture", state="parked"))
    assert (made.ended, made.flags) == (PARKED, ["outcome_unknown"])


def test_nothing_that_was_never_sent_is_believed_to_be_refused() -> None:
    for outcome in (
        Refused("card_declined", "no", answer("failed")),
        Invalid("wrong"),
        Unknown("lost"),
    ):
        late = heard("capture", outcome, called("capture", state="ok"))
        assert late.changes.operations == ()
        assert late.changes.flags == ()
        assert late.ended == DONE


@pytest.mark.parametrize("kind", ["authorize", "charge"])
def test_a_no_to_an_opening_ends_the_payment(kind: str) -> None:
    made = heard(kind, Refused("card_declined", "try another", answer("failed", None)))
    assert made.facts == [("failed", 0)]
    assert made.events[0].data == {"code": "card_declined", "message": "try another"}
    refused = made.operation(f"omp_pay-1_{kind}_1")
    assert (refused.state, refused.code) == (OperationState.REFUSED, "card_declined")
    assert refused.evidence == "try another"
    assert made.code == "card_declined"
    assert made.payment.status is S.FAILED


def test_a_no_to_preparing_ends_the_payment_as_well() -> None:
    desk = called("prepare", paid=payment(transaction_id=None))
    desk = replace(desk, methods=[*desk.methods, "prepare"])
    made = heard("prepare", Refused("card_declined", "no", answer("failed", None)), desk)
    assert (made.facts, made.code) == ([("failed", 0)], "card_declined")
    wrong = heard("prepare", Invalid("no such field"), desk)
    assert (wrong.facts, wrong.code) == ([("failed", 0)], "invalid_request")


def test_a_no_tells_the_address_where_none_is_known() -> None:
    no = Refused("card_declined", "no", answer("failed", "tx-7"))
    unknown = heard("charge", no, called("charge", paid=payment(transaction_id=None)))
    assert unknown.payment.transaction_id == "tx-7"
    known = heard("charge", no)
    assert known.payment.transaction_id == "tx-1"
    empty = Refused("card_declined", "no", answer("failed", ""))
    nameless = heard("charge", empty, called("charge", paid=payment(transaction_id=None)))
    assert nameless.payment.transaction_id is None


def test_a_no_to_a_capture_is_final_and_has_the_gateway_looked_at() -> None:
    made = heard("capture", Refused("expired", "too late", answer("failed")))
    assert made.code == "expired"
    assert made.facts == []
    assert made.payment.next_check_at == NOW
    assert made.operation(CAPTURE).state == OperationState.REFUSED


def test_a_no_to_a_refund_gives_its_amount_free_again() -> None:
    for no in (Refused("refund_refused", "too old", answer("failed")), Invalid("wrong")):
        made = heard("refund", no)
        assert made.refund().status == "failed"
        assert made.ended == FAILED
        assert made.payment.next_check_at == NOW
        assert made.operation(REFUND).state == OperationState.REFUSED


@pytest.mark.parametrize("no", [Refused("too_old", "no", answer("failed")), Invalid("wrong")])
def test_the_amount_is_free_even_while_the_account_cannot_be_used(no: Outcome) -> None:
    made = heard("refund", no, replace(called("refund"), fingerprint="another account"))
    assert made.refund().status == "failed"
    assert made.flags[-1] == "account_unusable"


def test_a_no_to_a_capture_frees_no_refund() -> None:
    desk = replace(called("capture"), refunds=[refund(id=CAPTURE)])
    assert heard("capture", Refused("expired", "no", answer("failed")), desk).changes.refunds == ()
    assert heard("capture", Invalid("no"), desk).changes.refunds == ()


def test_a_no_without_a_reason_is_believed_only_after_a_look() -> None:
    no = Refused("", "", answer("failed"))
    made = heard("capture", no)
    assert made.asks == "get_status"
    doubted = made.operation(CAPTURE)
    assert (doubted.state, doubted.code) == (OperationState.SENT, "refused_unverified")
    assert doubted.evidence == "refused, no reason"
    said = heard("capture", Refused("", "please wait", answer("failed")))
    assert said.operation(CAPTURE).evidence == "please wait"


def test_a_no_without_a_reason_is_taken_where_nobody_can_look() -> None:
    for desk in (
        replace(called("capture"), methods=["capture", "authorize"]),
        called("charge", paid=payment(transaction_id=None)),
    ):
        kind = desk.operations[0].kind
        made = heard(kind, Refused("", "no", answer("failed", None)), desk)
        assert made.operation(desk.operations[0].key).state == OperationState.REFUSED
        assert made.operation(desk.operations[0].key).code == "declined"


def test_a_request_that_the_gateway_finds_wrong_is_refused_and_shown_to_a_person() -> None:
    made = heard("charge", Invalid("no such field"))
    assert made.facts == [("failed", 0)]
    assert made.events[0].data == {"code": "invalid_request", "message": "no such field"}
    assert made.flags == ["invalid_request"]
    assert made.code == "invalid_request"
    refused = made.operation(CHARGE)
    assert (refused.state, refused.evidence) == (OperationState.REFUSED, "no such field")
    captured = heard("capture", Invalid("no such field"))
    assert (captured.facts, captured.code) == ([], "invalid_request")
    assert captured.payment.next_check_at == NOW


def test_a_wrong_request_proves_nothing_of_an_earlier_attempt() -> None:
    again = heard("capture", Invalid("wrong"), was_in_doubt=True)
    assert again.operation(CAPTURE).state == OperationState.SENT
    assert (again.ended, again.end.attempts, again.flags) == (PENDING, 1, [])
    late = heard("capture", Invalid("wrong"), replace(called("capture"), fenced=False))
    assert late.operation(CAPTURE).state == OperationState.SENT


@pytest.mark.parametrize("outcome", [Unknown("the line was dead"), NotFound("the line was dead")])
def test_no_answer_leaves_a_doubt_that_is_settled_later(outcome: Outcome) -> None:
    made = heard("capture", outcome)
    assert made.operation(CAPTURE).state == OperationState.SENT
    assert made.operation(CAPTURE).evidence == "the line was dead"
    assert (made.ended, made.end.attempts, made.flags) == (PENDING, 1, [])
    assert made.end.last_error == "the line was dead"


def test_a_list_is_no_answer_to_a_call() -> None:
    made = heard("capture", Found([]))
    assert made.operation(CAPTURE).state == OperationState.SENT
    assert made.end.last_error == "the plugin answered with something else"


def test_a_backend_that_misbehaves_is_shown_to_a_person() -> None:
    assert heard("capture", Unknown("KeyError", plugin_fault=True)).flags == ["plugin_fault"]


# -- certainly not carried out -------------------------------------------------------------------


def test_a_call_that_never_left_is_taken_back_whole() -> None:
    desk = called("capture", window_until=NOW + MINUTE)
    made = heard("capture", NotAttempted("resting", MINUTE), desk)
    back = made.operation(CAPTURE)
    assert back.state == OperationState.PLANNED
    assert (back.first_sent_at, back.last_sent_at, back.window_until) == (None, None, None)
    assert (made.waits, made.end.attempts) == (MINUTE, 1)
    nobody = heard("capture", NotAttempted("resting", MINUTE, counted=False))
    assert nobody.end.attempts == 0
    unusable = heard("capture", Misconfigured("no key"))
    assert unusable.operation(CAPTURE).state == OperationState.PLANNED


def test_what_an_earlier_attempt_did_is_not_taken_back() -> None:
    assert heard("capture", NotAttempted("no"), was_in_doubt=True).changes.operations == ()
    newer = called("capture", attempts=2)
    assert heard("capture", NotAttempted("no"), newer, attempt=1).changes.operations == ()
    settled = heard("capture", NotAttempted("no"), called("capture", state="ok"))
    assert settled.changes.operations == ()


# -- refunds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["refunded", "partially_refunded", "succeeded"])
def test_a_refund_that_is_done_is_a_fact_with_its_own_reference(status: str) -> None:
    made = heard("refund", Answered(answer(status, reference="re-1")))
    assert made.facts == [("refunded", 1000)]
    assert made.events[0].gateway_reference == "re-1"
    assert made.refund().reference == "re-1"
    assert made.operation(REFUND).state == OperationState.OK
    assert made.payment.next_check_at is None


def test_a_refund_that_is_taken_is_on_its_way() -> None:
    made = heard("refund", Answered(answer("captured", reference="re-1")))
    assert made.facts == [("refund_pending", 1000)]
    assert made.operation(REFUND).state == OperationState.PENDING


def test_a_refund_is_known_by_its_own_id_where_it_is_answered_as_the_transaction() -> None:
    own = heard("refund", Answered(answer("refunded", "re-2")))
    assert (own.refund().reference, own.flags) == ("re-2", [])
    both = heard("refund", Answered(answer("refunded", "re-2", reference="re-1")))
    assert both.refund().reference == "re-1"
    none = heard("refund", Answered(answer("refunded", "tx-1")))
    for unnamed in (none, heard("refund", Answered(answer("refunded", None)))):
        assert unnamed.refund().reference == ""
        assert unnamed.events[0].gateway_reference == ""


def test_the_answer_to_a_part_speaks_of_that_part_alone() -> None:
    """The specification page's sample answers "refunded" about the refund, not the payment."""
    desk = called("refund", amount_q=300)
    part = replace(desk, payload={"amount_q": 300}, refunds=[refund(amount_q=300)])
    made = heard("refund", Answered(answer("refunded", "re-2")), part)
    assert made.facts == [("refunded", 300)]
    more = answer("refunded", "re-2", captured_q=1500, disputed_q=50)
    assert heard("refund", Answered(more), part).facts == [("refunded", 300)]


def test_a_refund_that_took_two_attempts_is_looked_for() -> None:
    twice = heard("refund", Answered(answer("refunded")), called("refund", attempts=2))
    assert twice.payment.next_check_at == NOW


def test_an_answer_about_nobody_changes_nothing() -> None:
    desk = called("capture")
    lost = heard("capture", Unknown("lost"), desk, payment_id="pay-9")
    assert lost.changes.operations == ()
    gone = replace(desk, operations=[])
    alone = gone.hear(Answered(answer("captured", captured_q=1000)), operation("capture"))
    assert alone.facts == []


def test_with_the_fence_lost_facts_count_and_decisions_do_not() -> None:
    desk = replace(called("authorize"), fenced=False)
    late = heard("authorize", Answered(answer("authorized", authorized_q=1000)), desk)
    assert late.facts == [("authorized", 1000)]
    assert late.changes.directive is None
    assert late.changes.request is None


def test_what_a_cancelled_order_gets_late_is_let_go() -> None:
    desk = replace(called("authorize"), order=CANCELLED)
    late = heard("authorize", Answered(answer("authorized", authorized_q=1000)), desk)
    assert late.enqueued == [("payment.cancel", {"payment_id": "pay-1"}, "void:pay-1:1000")]
