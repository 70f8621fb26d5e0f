"""Money that nobody waits for any more: kept and shown, returned, or let go, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.decisions import (
    Answered,
)
from omniman_payment_core.records import (
    ChannelView,
    OpenDirective,
    Payment,
)
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    CANCELLED,
    ORDER,
    RETURNS_LATE_MONEY,
    Decided,
    Desk,
    answer,
    payment,
)

HELD: dict[str, Any] = {"authorized_q": 1000, "status": S.AUTHORIZED}
PAID: dict[str, Any] = {"captured_q": 1000, "status": S.CAPTURED}


def arrived(paid: Payment, status: str = "captured", **more: Any) -> Decided:
    said = {key: more.pop(key) for key in ("captured_q", "authorized_q") if key in more}
    others = more.pop("payments", [])
    return Desk(payments=[*others, paid], **more).hear(Answered(answer(status, **said)))


def test_money_for_a_cancelled_order_is_kept_and_shown_or_returned() -> None:
    for order in (CANCELLED, ORDER):
        wish = payment(cancel_requested=order is ORDER)
        kept = arrived(wish, captured_q=700, order=order)
        assert (kept.flags, kept.enqueued) == (["late_money"], [])
        assert "7.00" in kept.flag("late_money").message
    returned = arrived(payment(), captured_q=700, order=replace(RETURNS_LATE_MONEY, cancelled=True))
    assert returned.flags == []
    why = "order O1 was cancelled before it was paid"
    assert returned.enqueued == [
        (
            "payment.refund",
            {"payment_id": "pay-1", "amount_q": 700, "reason": why},
            "return:pay-1:700",
        )
    ]


def test_a_channel_that_cannot_be_read_keeps_the_money_and_shows_it() -> None:
    wrong = replace(CANCELLED, channel=ChannelView("web", {"late_money": "keep?"}))
    kept = arrived(payment(), captured_q=1, order=wrong)
    assert (kept.flags, kept.enqueued) == (["late_money"], [])


def test_only_what_is_beyond_the_orders_total_is_too_much() -> None:
    def enqueued(first: Any, captured_q: int) -> Any:
        others = [payment(0, **first)] if first else []
        paid = arrived(payment(), captured_q=captured_q, payments=others, order=RETURNS_LATE_MONEY)
        return [payload["amount_q"] for _, payload, _ in paid.enqueued]

    assert enqueued(None, 1000) == []
    assert enqueued(None, 1001) == [1]
    assert enqueued(PAID, 1000) == [1000]
    assert enqueued({"captured_q": 400, "status": S.PARTIALLY_CAPTURED}, 1000) == [400]
    assert enqueued({"captured_q": 1000, "refunded_q": 1000, "status": S.REFUNDED}, 1000) == []
    assert enqueued({"captured_q": 1500, "status": S.CAPTURED}, 100) == [100]
    kept = arrived(payment(), captured_q=1001)
    assert kept.flags == ["late_money"]
    assert "0.01" in kept.flag("late_money").message


@pytest.mark.parametrize(
    "end", [{"status": S.EXPIRED, "expiries": 1}, {"status": S.CANCELLED, "voids": 1}]
)
def test_money_after_the_end_is_told_where_the_order_still_wants_it(end: Any) -> None:
    paid = arrived(payment(**end), captured_q=1000, order=RETURNS_LATE_MONEY)
    assert (paid.flags, paid.enqueued) == (["late_money"], [])
    assert end["status"].value in paid.flag("late_money").message
    short = arrived(payment(**end), captured_q=700)
    assert short.flags == ["late_money"]


def test_too_little_money_is_shown_to_a_person() -> None:
    short = arrived(payment(), "partially_captured", captured_q=700)
    assert short.flags == ["underpaid"]
    message = short.flag("underpaid").message
    assert "7.00" in message
    assert "10.00" in message
    part = arrived(payment(**HELD), "partially_captured", captured_q=700)
    assert part.flags == []
    assert arrived(payment(), captured_q=1000).flags == []
    again = payment(captured_q=700, status=S.PARTIALLY_CAPTURED)
    assert arrived(again, "partially_captured", captured_q=700).flags == []


def test_a_hold_that_came_after_the_cancellation_is_let_go_once() -> None:
    void = [("payment.cancel", {"payment_id": "pay-1"}, "void:pay-1:1000")]

    def enqueued(paid: Payment, **desk: Any) -> Any:
        return arrived(paid, "authorized", authorized_q=1000, **desk).enqueued

    assert enqueued(payment(), order=CANCELLED) == void
    assert enqueued(payment(cancel_requested=True)) == void
    assert enqueued(payment()) == []
    assert enqueued(payment(**HELD), order=CANCELLED) == []
    other = [OpenDirective(3, "payment.cancel", "pending", "directive-3")]
    assert enqueued(payment(), order=CANCELLED, others=other) == []
    parked = [replace(other[0], status="parked")]
    assert enqueued(payment(), order=CANCELLED, others=parked) == void
    itself = Desk("payment.cancel", payments=[payment()], order=CANCELLED)
    held = itself.hear(Answered(answer("authorized", authorized_q=1000)))
    assert held.enqueued == []


# -- triggers that nobody wants ------------------------------------------------------------------


def test_late_money_moves_no_cancelled_order_on() -> None:
    paid = arrived(payment(), captured_q=1000, order=CANCELLED)
    assert (paid.changes.triggers, paid.payment.fired) == ((), ("on_payment_confirm",))
    held = arrived(payment(), "authorized", authorized_q=1000, order=CANCELLED)
    assert held.changes.triggers == ()
    assert arrived(payment(), captured_q=1000, order=None).changes.triggers == (
        "on_payment_confirm",
    )
    ended = arrived(payment(), "expired", order=CANCELLED)
    assert ended.changes.triggers == ("on_payment_expired",)


@pytest.mark.parametrize(
    ("before", "returned_q", "triggers"),
    [
        ({"captured_q": 1000}, 1000, ("on_payment_refund",)),
        ({"captured_q": 1000}, 1, ("on_payment_partial_refund",)),
        ({"captured_q": 2000}, 1000, ()),
        ({"captured_q": 2000}, 1001, ("on_payment_partial_refund",)),
        ({"captured_q": 2000, "refunded_q": 500}, 1001, ("on_payment_partial_refund",)),
        ({"captured_q": 2000, "refunded_q": 500}, 1000, ()),
    ],
)
def test_only_what_the_order_lacks_is_told_as_a_refund(
    before: Any, returned_q: int, triggers: Any
) -> None:
    status = S.PARTIALLY_REFUNDED if "refunded_q" in before else S.CAPTURED
    paid = payment(**before, status=status)
    seen = Desk(payments=[paid]).hear(
        Answered(answer("captured", captured_q=before["captured_q"], refunded_q=returned_q))
    )
    assert seen.changes.triggers == triggers


def test_the_return_of_a_second_payment_leaves_its_order_paid() -> None:
    both = [payment(0, **PAID), payment(**PAID)]
    gone = answer("refunded", captured_q=1000, refunded_q=1000)
    part = answer("captured", captured_q=1000, refunded_q=300)
    for back in (gone, part):
        assert Desk(payments=both).hear(Answered(back)).changes.triggers == ()
    lacking = [payment(0, captured_q=999, status=S.PARTIALLY_CAPTURED), payment(**PAID)]
    assert Desk(payments=lacking).hear(Answered(gone)).changes.triggers == ("on_payment_refund",)
