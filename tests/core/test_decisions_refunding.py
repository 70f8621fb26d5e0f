"""Returning what was taken: reserved before it is asked for, never more than is left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    DONE,
    MINUTE,
    NOW,
    payment,
    refund,
)
from .desks import (
    HELD,
    PAID,
    give_back,
    planned,
    waiting_for,
)

# -- refunding ------------------------------------------------------------------------------------


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
