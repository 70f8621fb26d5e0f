"""What the gateway shows of refunds: whose each is, how it moves, and that none counts twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.decisions import Answered
from omniman_payment_core.records import Operation, OperationState, Refund
from omniman_payment_core.values import PaymentStatus as S
from omniman_payment_core.values import RefundSnapshot

from .cases import DONE, NOW, Decided, Desk, answer, operation, payment, refund

OURS = "omp_pay-1_refund_1"
SENT = operation("refund", "sent", amount_q=300, cause="directive-3")
PAID: dict[str, Any] = {"captured_q": 1000, "status": S.CAPTURED}


def shown(
    reference: str = "re-1", amount_q: int = 300, status: str = "succeeded", key: str | None = None
) -> RefundSnapshot:
    return RefundSnapshot(reference, amount_q, status, key)


def look(
    *snapshots: RefundSnapshot,
    known: Sequence[Refund] = (),
    operations: Sequence[Operation] = (),
    total_q: int | None = None,
    keyed: Sequence[str] = ("refund",),
    **facts: Any,
) -> Decided:
    """A look that lists these refunds, or, without any, shows their total."""
    listed = None if total_q is not None else tuple(snapshots)
    seen = answer("captured", captured_q=1000, refunds=listed, refunded_q=total_q)
    desk = Desk(
        payments=[payment(**{**PAID, **facts})],
        operations=operations,
        refunds=known,
        keyed=keyed,
    )
    return desk.hear(Answered(seen))


def ours(status: str = "pending", **changes: Any) -> Refund:
    return refund(status, **changes)


# -- made by somebody else -----------------------------------------------------------------------


def test_a_refund_made_at_the_gateway_itself_is_taken_over() -> None:
    seen = look(shown())
    assert seen.facts == [("refunded", 300)]
    (event,) = seen.events
    assert (event.gateway_reference, event.data) == ("re-1", {"external": True})
    taken = seen.refund("pay-1:refund:re-1")
    assert (taken.amount_q, taken.status, taken.payment_id) == (300, "succeeded", "pay-1")
    assert (taken.accepted, taken.external, taken.reference) == (True, True, "re-1")
    assert taken.created_at == NOW
    assert event.dedupe_key == "pay-1:refund:re-1:refunded"
    assert seen.payment.status is S.PARTIALLY_REFUNDED


@pytest.mark.parametrize("status", ["pending", "on_hold"])
def test_one_that_is_under_way_or_unclear_is_pending(status: str) -> None:
    seen = look(shown(status=status))
    assert seen.facts == [("refund_pending", 300)]
    assert seen.refund("pay-1:refund:re-1").status == "pending"
    assert seen.events[0].dedupe_key == "pay-1:refund:re-1:refund-pending"
    assert seen.payment.next_check_at is not None


def test_one_that_failed_or_is_of_nothing_never_was() -> None:
    assert look(shown(status="failed")).facts == []
    assert look(shown(amount_q=0)).facts == []
    assert look(shown(amount_q=1)).facts == [("refunded", 1)]


def test_equal_amounts_are_two_refunds_and_the_same_reference_is_one() -> None:
    assert look(shown("re-1"), shown("re-2")).facts == [("refunded", 300)] * 2
    before = ours("succeeded", accepted=True, reference="re-1", external=True)
    assert look(shown("re-1"), known=[before], refunded_q=300).facts == []


def test_a_refund_is_known_by_our_key_or_by_its_reference() -> None:
    by_key = ours("succeeded", accepted=True)
    assert look(shown("re-7", key=OURS), known=[by_key], refunded_q=300).facts == []
    assert look(shown("re-7", key="other"), known=[by_key], refunded_q=300).facts != []
    assert look(shown("re-7"), known=[by_key], refunded_q=300).facts != []
    # A refund without a reference is not every refund without one.
    assert look(shown(""), known=[by_key], refunded_q=300).facts != []


# -- ours, in doubt ------------------------------------------------------------------------------


def test_a_refund_in_doubt_that_is_listed_under_its_key_is_carried_out() -> None:
    seen = look(shown(key=OURS), known=[ours()], operations=[SENT])
    assert seen.facts == [("refunded", 300)]
    assert seen.operation(OURS).state == OperationState.OK
    assert seen.operation(OURS).gateway_reference == "re-1"
    accepted = seen.refund()
    assert (accepted.status, accepted.accepted, accepted.reference) == ("succeeded", True, "re-1")
    assert seen.events[0].dedupe_key == f"{OURS}:refunded"
    assert seen.events[0].gateway_reference == "re-1"


def test_one_that_is_listed_as_pending_is_under_way() -> None:
    seen = look(shown(key=OURS, status="pending"), known=[ours()], operations=[SENT])
    assert seen.facts == [("refund_pending", 300)]
    assert seen.operation(OURS).state == OperationState.PENDING
    assert seen.refund().status == "pending"
    assert seen.refund().accepted
    assert seen.events[0].dedupe_key == f"{OURS}:refund-pending"
    assert seen.events[0].gateway_reference == "re-1"


def test_one_that_is_listed_as_failed_is_refused_with_evidence() -> None:
    seen = look(shown(key=OURS, status="failed"), known=[ours()], operations=[SENT])
    assert seen.facts == []
    refused = seen.operation(OURS)
    assert (refused.state, refused.code) == (OperationState.REFUSED, "refund_refused")
    assert refused.evidence
    assert (seen.refund().status, seen.refund().accepted) == ("failed", True)
    assert seen.refund().reference == "re-1"
    told = replace(SENT, code="card_closed", evidence="the card is closed")
    kept = look(shown(key=OURS, status="failed"), known=[ours()], operations=[told])
    assert kept.operation(OURS).code == "card_closed"
    assert kept.operation(OURS).evidence == "the card is closed"


def test_one_that_failed_after_it_was_settled_leaves_its_operation_alone() -> None:
    settled = replace(SENT, state=OperationState.ABANDONED)
    seen = look(shown(key=OURS, status="failed"), known=[ours()], operations=[settled])
    assert seen.changes.operations == ()


def test_the_name_we_chose_stays_where_the_gateway_tells_none() -> None:
    named = ours(reference="chosen")
    for status in ("succeeded", "failed"):
        seen = look(shown("", key=OURS, status=status), known=[named], operations=[SENT])
        assert seen.refund().reference == "chosen"
        other = look(shown("re-9", key=OURS, status=status), known=[named], operations=[SENT])
        assert other.refund().reference == "re-9"


def test_a_reservation_without_its_operation_is_left_to_a_person() -> None:
    seen = look(shown(key=OURS), known=[ours()])
    assert (seen.facts, seen.changes.refunds) == ([], ())


def test_while_one_of_ours_is_in_doubt_nobody_elses_is_guessed() -> None:
    seen = look(shown("re-5"), known=[ours()], operations=[SENT])
    assert seen.facts == []
    both = look(shown("re-5"), shown("re-1", key=OURS), known=[ours()], operations=[SENT])
    assert sorted(both.facts) == [("refunded", 300), ("refunded", 300)]
    capture = operation("capture", "sent", cause="directive-3")
    other = look(shown("re-5"), operations=[capture])
    assert other.facts == [("refunded", 300)]


def test_a_backend_without_keys_is_matched_by_the_amount_of_the_one_in_doubt() -> None:
    def keyless(*snapshots: RefundSnapshot) -> Decided:
        return look(*snapshots, known=[ours()], operations=[SENT], keyed=())

    found = keyless(shown("re-5"))
    assert found.facts == [("refunded", 300)]
    assert found.refund().reference == "re-5"
    assert found.operation(OURS).state == OperationState.OK
    slow = keyless(shown("re-5", status="pending"))
    assert slow.facts == [("refund_pending", 300)]
    assert keyless(shown("re-5", 299)).facts == []
    assert keyless(shown("re-5"), shown("re-6")).facts == []


# -- totals --------------------------------------------------------------------------------------


def test_a_total_tells_what_was_returned_elsewhere() -> None:
    seen = look(total_q=300)
    assert seen.facts == [("refunded", 300)]
    assert seen.refund("pay-1:refund-total:300").status == "succeeded"
    more = look(total_q=500, refunded_q=200, refund_pending_q=100)
    assert more.facts == [("refunded", 200)]
    assert look(total_q=300, refunded_q=200, refund_pending_q=100).facts == []
    assert look(total_q=1).facts == [("refunded", 1)]


def test_a_total_proves_a_refund_in_doubt_only_for_a_backend_without_keys() -> None:
    def doubt(total_q: int, keyed: Sequence[str]) -> Decided:
        return look(known=[ours()], operations=[SENT], total_q=total_q, keyed=keyed)

    found = doubt(300, ())
    assert found.facts == [("refunded", 300)]
    assert (found.refund().status, found.refund().reference) == ("succeeded", "")
    assert doubt(300, ["refund"]).facts == []
    assert doubt(299, ()).facts == []
    assert doubt(301, ()).facts == []


def test_a_total_that_went_down_is_shown_to_a_person() -> None:
    lower = look(total_q=100, refunded_q=200)
    assert (lower.flags, lower.facts) == (["refund_total_lower"], [])
    assert "1.00" in lower.flag("refund_total_lower").message
    assert "2.00" in lower.flag("refund_total_lower").message
    in_doubt = look(total_q=100, refunded_q=200, known=[ours()], operations=[SENT])
    assert in_doubt.flags == []
    assert look(total_q=200, refunded_q=200).flags == []


def test_a_total_in_the_answer_to_another_call_may_be_older_than_ours() -> None:
    capture = operation("capture", "sent", amount_q=600)
    held = payment(authorized_q=1000, captured_q=400, refunded_q=200, status=S.PARTIALLY_REFUNDED)
    desk = Desk("payment.confirm", payments=[held], operations=[capture])
    seen = desk.hear(Answered(answer("captured", captured_q=1000, refunded_q=100)), capture)
    assert (seen.flags, seen.facts) == ([], [("captured", 600)])


# -- moving on -----------------------------------------------------------------------------------


def test_a_refund_that_was_under_way_arrives() -> None:
    before = ours(accepted=True, reference="re-1")
    seen = look(
        shown(), known=[before], operations=[replace(SENT, state="pending")], refund_pending_q=300
    )
    assert seen.facts == [("refunded", 300)]
    assert seen.events[0].data == {"was": "pending"}
    assert (seen.events[0].gateway_reference, seen.events[0].dedupe_key) == (
        "re-1",
        f"{OURS}:refunded",
    )
    assert seen.refund().status == "succeeded"
    assert seen.operation(OURS).state == OperationState.OK
    assert (seen.payment.refund_pending_q, seen.payment.refunded_q) == (0, 300)
    external = look(shown(), known=[before], refund_pending_q=300)
    assert external.facts == [("refunded", 300)]


@pytest.mark.parametrize("was", ["pending", "succeeded"])
def test_a_refund_that_fails_later_gives_the_money_back_to_us_and_is_shown(was: str) -> None:
    before = ours(was, accepted=True, reference="re-1")
    counted: dict[str, Any] = {"refund_pending_q": 300} if was == "pending" else {"refunded_q": 300}
    mine = [replace(SENT, state="ok")]
    seen = look(shown(status="failed"), known=[before], operations=mine, **counted)
    assert seen.facts == [("refund_failed", 300)]
    assert seen.events[0].data == {"was": was}
    assert (seen.events[0].gateway_reference, seen.events[0].dedupe_key) == (
        "re-1",
        f"{OURS}:refund-failed",
    )
    assert seen.flags == ["refund_failed"]
    flag = seen.flag("refund_failed")
    assert flag.dedupe_key == f"refund_failed:{OURS}"
    assert "3.00" in flag.message
    assert "re-1" in flag.message
    assert seen.refund().status == "failed"
    assert seen.operation(OURS).state == OperationState.REFUSED
    assert seen.operation(OURS).evidence
    assert (seen.payment.refund_pending_q, seen.payment.refunded_q) == (0, 0)
    gone = look(shown(status="failed"), known=[before], **counted)
    assert gone.facts == [("refund_failed", 300)]


def test_a_refund_never_goes_backwards() -> None:
    succeeded = ours("succeeded", accepted=True, reference="re-1")
    back = look(shown(status="pending"), known=[succeeded], refunded_q=300)
    assert (back.facts, back.flags, back.changes.refunds) == ([], [], ())
    again = look(shown(), known=[succeeded], refunded_q=300)
    assert (again.facts, again.changes.refunds) == ([], ())


def test_a_refund_that_failed_and_comes_to_life_is_shown_and_not_counted() -> None:
    failed = ours("failed", accepted=True, reference="re-1")
    seen = look(shown(), known=[failed])
    assert (seen.facts, seen.flags) == ([], ["refund_revived"])
    assert seen.flag("refund_revived").dedupe_key == f"refund_revived:{OURS}"
    assert look(shown(status="failed"), known=[failed]).flags == []
    assert look(shown(status="pending"), known=[failed]).flags == []


# -- what a look that shows nothing proves -----------------------------------------------------


def absent(desk_refunds: Sequence[Refund] = (), **seen: Any) -> bool:
    """Whether a look proves, in time, that a refund in doubt never happened."""
    long_ago = replace(
        SENT, cause="directive-7", first_sent_at=NOW.replace(year=2025),
        last_sent_at=NOW.replace(year=2025),
    )  # fmt: skip
    desk = Desk(
        "payment.refund",
        {"amount_q": 300},
        payments=[payment(**PAID)],
        operations=[long_ago],
        refunds=[ours(), *desk_refunds],
        keyed=["refund"],
    ).features(absence_after=NOW - NOW.replace(hour=11))
    heard = desk.hear(Answered(answer("captured", captured_q=1000, **seen)))
    states = [changed.state for changed in heard.changes.operations]
    return OperationState.ABANDONED in states


def test_a_list_or_a_total_without_it_proves_that_a_refund_never_happened() -> None:
    assert absent(refunds=())
    assert absent(refunded_q=0)
    assert not absent()
    assert not absent(refunds=(shown("re-5"),))
    assert not absent(refunded_q=1)


def test_settled_refunds_are_no_doubt_of_ours() -> None:
    done = look(shown("re-5"), known=[ours("failed")], operations=[replace(SENT, state="refused")])
    assert done.facts == [("refunded", 300)]
    assert done.ended == DONE
