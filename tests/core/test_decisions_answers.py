"""What the answer to a call proves, and what it does not."""

from __future__ import annotations

from dataclasses import replace

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
from omniman_payment_core.records import OperationState
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    CANCELLED,
    DONE,
    FAILED,
    MINUTE,
    NOW,
    PARKED,
    PENDING,
    answer,
    operation,
    payment,
    refund,
)
from .desks import (
    CAPTURE,
    CHARGE,
    PREPARE,
    REFUND,
    called,
    heard,
)

# -- answers to calls -----------------------------------------------------------------------------


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


# -- certainly not carried out --------------------------------------------------------------------


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


# -- refunds --------------------------------------------------------------------------------------


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
