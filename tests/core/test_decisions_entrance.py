"""Which directives are decided, when they come again, and what a decision writes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.decisions import Answered, Rules, Unknown
from omniman_payment_core.values import PaymentStatus as S
from omniman_payment_core.values import RefundSnapshot

from .cases import (
    CANCELLED,
    DAY,
    FAILED,
    HOUR,
    MINUTE,
    NOW,
    PARKED,
    PENDING,
    SECOND,
    Desk,
    answer,
    operation,
    payment,
    refund,
)
from .desks import PAY, begun, opening

# -- the entrance ---------------------------------------------------------------------------------


def test_a_payload_of_a_newer_version_waits_for_a_newer_worker() -> None:
    newer = opening(schema_version=2).decide()
    assert (newer.waits, newer.end.waiting, newer.asks) == (5 * MINUTE, False, "")
    assert opening(schema_version=1).decide().asks == "authorize"


def test_a_directive_about_nothing_known_fails_with_a_clear_error() -> None:
    assert opening(order=None).decide().code == "order_missing"
    assert opening("payment.dance").decide().code == "wrong_topic"
    assert "payment.hold" in opening("payment.dance").decide().end.last_error
    payloads: list[Any] = [[], "text", 5]
    for payload in payloads:
        assert opening(payload=payload).decide().code == "invalid_payload"


def test_an_error_stands_in_the_result_under_the_specification_pages_keys() -> None:
    failed = opening(order=CANCELLED).decide()
    assert failed.end.status == FAILED
    assert failed.end.result == {
        "error_code": "order_cancelled",
        "error_message": failed.end.last_error,
    }


def test_an_account_that_is_not_configured_waits_for_a_person() -> None:
    moved = opening(payments=[PAY], fingerprint="another").decide()
    assert (moved.waits, moved.end.waiting, moved.end.attempts) == (MINUTE, False, 0)
    # No payment is chosen yet, so it is said of the channel.
    assert moved.flag("account_unusable").dedupe_key == "account_unusable:web"
    live = opening(payments=[payment(amount_q=900, livemode=True)]).decide()
    assert live.flags == ["account_unusable"]
    slow = opening(payments=[PAY], fingerprint="x", rules=Rules(config_retry=HOUR)).decide()
    assert slow.waits == HOUR


def test_what_has_failed_too_often_is_parked_with_all_that_is_its_own() -> None:
    mine = operation("authorize", "sent")
    unsent = operation("capture", "planned", payment_id="pay-2", key="second")
    theirs = operation("capture", "sent", cause="directive-3", key="theirs")
    settled = operation("charge", "ok")
    desk = opening(
        payments=[payment(), payment(2)], operations=[mine, unsent, theirs, settled], attempts=60
    )
    parked = desk.decide()
    assert (parked.ended, parked.flags, parked.asks) == (PARKED, ["attempts_exhausted"], "")
    message = parked.flag("attempts_exhausted").message
    assert "60 times" in message
    assert "the line was dead" in message
    states = {op.key: str(op.state) for op in parked.changes.operations}
    assert states == {mine.key: "parked", "second": "parked"}
    assert parked.changes.wake
    assert replace(desk, attempts=59).decide().ended != PARKED
    assert replace(desk, attempts=61).decide().ended == PARKED


# -- waiting and trying again ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [(0, 0.0, 0.5), (0, 0.5, 0.75), (1, 0.0, 1.0), (5, 0.0, 16.0), (11, 0.0, 900), (59, 0.0, 900)],
)
def test_each_failure_doubles_the_pause_up_to_half_an_hour(
    attempts: int, jitter: float, seconds: float
) -> None:
    mine = begun("authorize", "sent")
    desk = opening(payments=[PAY], operations=[mine], attempts=attempts, jitter=jitter)
    lost = desk.hear(Unknown("lost"), mine)
    assert lost.waits == seconds * SECOND
    assert lost.end.attempts == attempts + 1
    assert not lost.end.waiting


def test_however_often_it_failed_the_pause_is_a_pause() -> None:
    endless = Rules(backoff_cap=10_000 * DAY)
    assert endless.backoff(20, 0.0) == endless.backoff(5000, 0.0) == (1 << 19) * SECOND


def test_a_policys_wish_comes_before_our_own_pause() -> None:
    mine = begun("authorize", "sent")
    desk = opening(payments=[PAY], operations=[mine], retry_in=7 * SECOND)
    assert desk.hear(Unknown("lost"), mine).waits == 7 * SECOND


# -- what is written ------------------------------------------------------------------------------


def test_a_changed_payment_gets_a_new_version_and_the_orders_summary() -> None:
    mine = begun("authorize", "sent")
    made = opening(payments=[PAY], operations=[mine]).hear(
        Answered(answer("authorized", authorized_q=900)), mine
    )
    assert made.payment.version == 4
    assert made.changes.summary is not None
    assert made.changes.summary["status"] == "authorized"
    assert made.changes.triggers == ("on_payment_hold",)
    assert made.payment.fired == ("on_payment_hold",)
    assert made.changes.move is not None
    assert (made.changes.move.previous, made.changes.move.payment) == (S.PENDING, made.payment)
    assert made.changes.wake
    assert not made.changes.revive
    assert not made.changes.payment_is_new


def test_an_older_attempt_does_not_speak_for_its_order() -> None:
    old = payment(status=S.FAILED, failures=1)
    desk = Desk(payload={"payment_id": "pay-1"}, payments=[old, payment(2)])
    seen = desk.hear(Answered(answer("captured", captured_q=1000)), payment_id="pay-1")
    assert seen.payment.id == "pay-1"
    assert seen.changes.summary is None


def test_nothing_is_written_of_a_payment_that_did_not_change() -> None:
    waiting = payment(next_check_at=NOW + HOUR, checks=2)
    confirm = Desk("payment.confirm", payments=[waiting]).decide()
    assert (confirm.ended, confirm.changes.payment, confirm.changes.summary) == (
        PENDING,
        None,
        None,
    )
    assert (confirm.changes.move, confirm.changes.triggers) == (None, ())
    assert not confirm.changes.wake


def test_a_payment_without_a_next_look_gets_one() -> None:
    assert Desk("payment.confirm", payments=[payment()]).decide().payment.next_check_at == (
        NOW + 5 * SECOND
    )


def test_while_a_call_follows_the_directive_sees_to_its_payment() -> None:
    asked = Desk("payment.confirm", payments=[payment(authorized_q=1000, status=S.AUTHORIZED)])
    assert asked.decide().changes.payment is None


def test_a_look_that_failed_comes_again_by_itself_and_not_by_the_payments_date() -> None:
    missed = Desk(payments=[payment()]).hear(Unknown("lost"))
    assert missed.changes.payment is None


@pytest.mark.parametrize(
    ("status", "accepted", "whose", "due"),
    [
        ("pending", True, "pay-1", MINUTE),
        ("pending", False, "pay-1", None),
        ("pending", True, "pay-2", None),
        ("succeeded", True, "pay-1", None),
    ],
)
def test_only_a_refund_under_way_keeps_a_paid_payment_in_view(
    status: str, accepted: bool, whose: str, due: Any
) -> None:
    on_its_way = refund(
        status, accepted=accepted, payment_id=whose, external=True, reference="re-1"
    )
    paid = payment(captured_q=1000, status=S.CAPTURED, next_check_at=NOW)
    seen = Desk(payments=[paid], refunds=[on_its_way], methods=["charge"]).decide()
    assert seen.payment.next_check_at == (None if due is None else NOW + due)


def test_refunds_and_operations_are_written_in_the_order_they_came_in() -> None:
    paid = payment(captured_q=1000, refunded_q=0, status=S.CAPTURED)
    known = [
        refund("pending", n, 100, accepted=True, external=True, reference=f"re-{n}")
        for n in (3, 1, 2)
    ]
    listed = tuple(RefundSnapshot(f"re-{n}", 100, "succeeded") for n in (9, 2, 8, 1, 3))
    seen = Desk(payments=[replace(paid, refund_pending_q=300)], refunds=known).hear(
        Answered(answer("captured", captured_q=1000, refunds=listed))
    )
    assert [r.reference for r in seen.changes.refunds] == ["re-3", "re-1", "re-2"]
    assert [r.reference for r in seen.changes.new_refunds] == ["re-9", "re-8"]
