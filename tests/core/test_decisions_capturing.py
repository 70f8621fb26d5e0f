"""Taking what is held: all of it, a part, the last part, and never more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.records import OperationState
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    CANCELLED,
    DONE,
    MINUTE,
    Decided,
    payment,
)
from .desks import (
    HELD,
    PAID,
    PART,
    confirm,
    planned,
)

# -- capturing ------------------------------------------------------------------------------------


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
