"""What a look at the gateway proves, and what it does not."""

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
    DONE,
    MINUTE,
    NOW,
    PARKED,
    PENDING,
    SECOND,
    Decided,
    answer,
    operation,
    payment,
)
from .desks import (
    CAPTURE,
    HOLD,
    called,
    find,
    hear,
    heard,
)

# -- looks ----------------------------------------------------------------------------------------


def test_a_look_that_shows_the_money_makes_it_a_fact_that_was_looked_up() -> None:
    seen = hear(Answered(answer("captured", captured_q=1000)))
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
    missed = hear(outcome)
    assert (missed.ended, missed.end.attempts) == (PENDING, 1)
    assert missed.end.last_error == "no answer"
    assert missed.facts == []
    assert not missed.end.waiting


def test_an_answer_of_another_kind_to_a_look_is_none() -> None:
    assert hear(Prepared("tx-9")).ended == PENDING
    assert hear(Prepared("tx-9")).end.attempts == 1


def test_a_look_that_could_not_be_made_comes_again_when_the_gateway_wants_it() -> None:
    blamed = hear(NotAttempted("too many", timedelta(seconds=40)))
    assert (blamed.waits, blamed.end.attempts) == (40 * SECOND, 1)
    nobody = hear(NotAttempted("resting", timedelta(seconds=40), counted=False))
    assert (nobody.waits, nobody.end.attempts) == (40 * SECOND, 0)


def test_an_account_that_cannot_work_waits_for_a_person_and_says_so() -> None:
    for wrong in (hear(Misconfigured("no key")), heard("authorize", Misconfigured("no key"))):
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


def test_an_attempt_that_came_to_nothing_stands_back_for_another_still_in_doubt() -> None:
    both = [payment(2, transaction_id=None), payment(1, transaction_id=None)]
    nothing = operation("charge", "abandoned", payment_id="pay-1", key="nothing")
    doubt = operation("charge", "sent", payment_id="pay-2", key="doubt")

    def taken(*operations: Any) -> object:
        looked = find(answer("pending", "tx-9"), payments=both, operations=list(operations))
        return looked.payment.transaction_id

    assert taken(nothing, doubt) is None
    assert taken(nothing, replace(doubt, first_sent_at=None)) == "tx-9"
    assert taken(nothing, replace(doubt, state=OperationState.OK)) == "tx-9"
    assert taken(replace(nothing, state=OperationState.SENT), doubt) == "tx-9"
    assert taken(nothing, replace(doubt, payment_id="pay-1")) == "tx-9"
    again = operation("charge", "sent", 2, payment_id="pay-1")
    assert taken(nothing, again, doubt) == "tx-9"


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
    seen = hear(Answered(answer("captured", None, captured_q=1000)))
    assert (seen.facts, seen.flags) == ([("captured", 1000)], [])


def test_of_several_transactions_none_is_chosen_and_a_person_is_asked() -> None:
    two = [answer("captured", "tx-8", captured_q=1000), answer("pending", "tx-9")]
    found = find(*two)
    assert found.flags == ["several_transactions"]
    assert found.facts == []
    assert found.changes.payment is None or found.payment.transaction_id is None


# -- how much a look proves -----------------------------------------------------------------------

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


# -- an answer about something else ---------------------------------------------------------------


def test_an_answer_about_another_transaction_is_not_believed() -> None:
    wrong = answer("captured", "tx-other", captured_q=1000)
    seen = hear(Answered(wrong))
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
    seen = hear(Answered(wrong))
    assert (seen.facts, seen.flags) == ([], ["currency_mismatch"])
    made = heard("capture", Answered(wrong))
    assert made.facts == []
    assert made.operation(CAPTURE).state == OperationState.PARKED
    assert made.operation(CAPTURE).evidence == "currency mismatch"
    assert made.ended == PARKED
    settled = heard("capture", Answered(wrong), called("capture", state="ok"))
    assert settled.changes.operations == ()


def test_a_currency_in_small_letters_is_the_same() -> None:
    assert hear(Answered(answer("captured", captured_q=1000, currency="brl"))).flags == []
