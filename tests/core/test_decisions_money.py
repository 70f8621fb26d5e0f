"""Which payment is meant, whether it can be now, and the fingerprint that a key is bound to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.decisions import NotFound
from omniman_payment_core.records import OperationState

from .cases import (
    HOUR,
    MINUTE,
    NOW,
    PARKED,
    PENDING,
    Desk,
    operation,
    payment,
    refund,
)
from .desks import (
    DESKS,
    HELD,
    KINDS,
    OTHERS,
    PAID,
    planned,
    waiting_for,
)

EACH = pytest.mark.parametrize("topic", DESKS)

# -- which payment, and whether now ---------------------------------------------------------------


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
    behind = replace(DESKS[topic](), operations=[theirs]).decide()
    assert (behind.waits, behind.end.waiting, behind.asks) == (5 * MINUTE, True, "")
    parked = replace(DESKS[topic](), operations=[replace(theirs, state="parked")]).decide()
    assert (parked.ended, parked.flags) == (PARKED, ["blocked_by_unknown"])
    assert parked.changes.wake


@EACH
def test_the_account_that_began_is_the_one_that_goes_on(topic: str) -> None:
    moved = replace(DESKS[topic](), fingerprint="another").decide()
    assert (moved.waits, moved.end.waiting, moved.flags) == (MINUTE, False, ["account_unusable"])


@EACH
def test_what_the_backend_cannot_do_is_not_asked_of_it(topic: str) -> None:
    unable = replace(DESKS[topic](), methods=["authorize", "get_status"]).decide()
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
    parked = replace(DESKS[topic](), operations=[mine]).decide()
    assert (parked.ended, parked.flags) == (PARKED, ["outcome_unknown"])


@EACH
def test_an_operation_that_was_abandoned_is_made_anew(topic: str) -> None:
    mine = planned(KINDS[topic], "abandoned")
    again = replace(DESKS[topic](), operations=[mine]).decide()
    assert again.request.operation is not None
    assert again.request.operation.key == f"omp_pay-1_{KINDS[topic]}_2"


@EACH
def test_what_is_in_doubt_is_looked_at_first_and_repeated_only_under_its_key(topic: str) -> None:
    kind = KINDS[topic]
    reserved = [refund(amount_q=1000)] if kind == "refund" else []
    doubt = replace(DESKS[topic](), operations=[planned(kind, "sent")], refunds=reserved)
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
    doubt = replace(DESKS[topic](), operations=[mine], refunds=reserved)
    proven = doubt.features(absence_after=10 * MINUTE).hear(NotFound("none"))
    assert proven.operation(mine.key).state == OperationState.ABANDONED
    assert (proven.ended, proven.end.attempts) == (PENDING, 1)
    assert proven.end.last_error == proven.operation(mine.key).evidence
    if kind == "refund":
        assert proven.refund().status == "failed"


# -- fingerprints ---------------------------------------------------------------------------------


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
    desk = replace(DESKS[topic](), payload=payload, finalizes=True, operations=OTHERS)
    (made,) = desk.decide().changes.new_operations
    assert made.params_hash == fingerprint
