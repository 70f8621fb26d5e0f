"""When a payment is looked at next, and what a look says of time: exact to the second."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from omniman_payment_core.decisions import Answered, NotFound, Rules
from omniman_payment_core.decisions.schedule import hold_warning_at, next_check
from omniman_payment_core.values import PaymentStatus as S

from .cases import DAY, DONE, HOUR, MINUTE, NOW, SECOND, Desk, answer, operation, payment

RULES = Rules()
HELD: dict[str, Any] = {"authorized_q": 1000, "status": S.AUTHORIZED}


def due(
    checks: int = 0, *, polled: bool = False, refund_pending: bool = False, **facts: Any
) -> Any:
    """How long until the next look."""
    at = next_check(
        payment(**facts), NOW, RULES, checks, polled=polled, refund_pending=refund_pending
    )
    return None if at is None else at - NOW


def test_a_payment_of_which_nothing_changes_is_not_written() -> None:
    paid = payment(status=S.CAPTURED, captured_q=1000)
    too_much = Desk("payment.refund", {"amount_q": 5000}, payments=[paid]).decide()
    assert too_much.changes.payment is None


# -- waiting for the shopper -----------------------------------------------------------------


def test_each_look_that_brought_nothing_doubles_the_wait_up_to_an_hour() -> None:
    waits = [due(checks) for checks in (0, 1, 2, 9, 10, 20, 1000)]
    assert waits == [5 * SECOND, 10 * SECOND, 20 * SECOND, 2560 * SECOND, HOUR, HOUR, HOUR]


def test_an_account_is_looked_at_by_itself_unless_something_else_is_known() -> None:
    assert next_check(payment(), NOW, RULES, 0) == NOW + 5 * SECOND
    paid = payment(status=S.CAPTURED, captured_q=1000)
    assert next_check(paid, NOW, RULES, 0) is None


def test_an_account_that_is_asked_for_news_is_looked_at_more_rarely() -> None:
    assert due(polled=True) == 30 * SECOND
    assert due(1, polled=True) == MINUTE


def test_however_often_nothing_came_the_wait_stays_a_wait() -> None:
    patient = Rules(first_check=timedelta(microseconds=1), check_cap=timedelta(days=10_000))
    waits = {next_check(payment(), NOW, patient, checks) for checks in (20, 21, 5000)}
    assert waits == {NOW + timedelta(microseconds=1 << 20)}


@pytest.mark.parametrize("status", [S.PENDING, S.REQUIRES_ACTION])
def test_a_waiting_payment_is_looked_at_just_after_its_time_is_over(status: S) -> None:
    at = NOW + 20 * MINUTE
    assert due(20, status=status, expires_at=at) == 20 * MINUTE + 30 * SECOND
    assert due(0, status=status, expires_at=at) == 5 * SECOND
    assert due(20, status=status, expires_at=NOW) == HOUR
    assert due(20, status=status, expires_at=NOW + SECOND) == 31 * SECOND


# -- holding -----------------------------------------------------------------------------------


def test_a_hold_is_looked_at_daily_and_when_a_person_should_hear_of_its_end() -> None:
    assert due(**HELD) == DAY
    assert due(status=S.AUTHORIZED, authorized_q=1) == DAY
    born = NOW - 4 * HOUR
    assert due(**HELD, created_at=born, hold_expires_at=born + 10 * HOUR) == 4 * HOUR
    assert due(**HELD, created_at=born, hold_expires_at=born + 5 * HOUR) == HOUR + 30 * SECOND
    assert due(**HELD, created_at=born, hold_expires_at=born + 90 * DAY) == DAY
    assert due(**HELD, created_at=born, hold_expires_at=NOW) == DAY


def test_a_hold_is_warned_of_after_four_fifths_of_its_life() -> None:
    assert hold_warning_at(payment()) is None
    warned = hold_warning_at(payment(created_at=NOW, hold_expires_at=NOW + 10 * HOUR))
    assert warned == NOW + 8 * HOUR


# -- afterwards --------------------------------------------------------------------------------


def test_a_refund_on_its_way_is_looked_for_from_a_minute_to_an_hour() -> None:
    paid: dict[str, Any] = {"status": S.CAPTURED, "captured_q": 1000}
    assert due(0, refund_pending=True, **paid) == MINUTE
    assert due(4, refund_pending=True, **paid) == 80 * SECOND
    assert due(20, refund_pending=True, **paid) == HOUR
    assert due(0, refund_pending=True, status=S.DISPUTED) == MINUTE


@pytest.mark.parametrize("status", [S.DISPUTED, S.PARTIALLY_CAPTURED])
def test_what_can_still_change_is_looked_at_daily(status: S) -> None:
    assert due(20, status=status, captured_q=400) == DAY


@pytest.mark.parametrize(
    "status", [S.CAPTURED, S.PARTIALLY_REFUNDED, S.REFUNDED, S.CANCELLED, S.FAILED, S.EXPIRED]
)
def test_nothing_is_expected_of_a_payment_that_has_come_to_its_end(status: S) -> None:
    assert due(status=status) is None


def test_what_is_paid_in_time_is_not_watched_for_late_money() -> None:
    assert due(status=S.CAPTURED, captured_q=1000, expires_at=NOW - HOUR) is None


@pytest.mark.parametrize("status", [S.EXPIRED, S.CANCELLED, S.FAILED])
def test_a_charge_that_ended_is_watched_for_two_days_for_who_was_slow(status: S) -> None:
    ended: dict[str, Any] = {"status": status, "voids": 1}
    assert due(expires_at=NOW - HOUR, **ended) == HOUR
    assert due(expires_at=NOW - 47 * HOUR, **ended) == HOUR
    assert due(expires_at=NOW - 47 * HOUR - SECOND, **ended) is None
    assert due(expires_at=NOW - HOUR, polled=True, **ended) == 47 * HOUR
    assert due(expires_at=NOW - 48 * HOUR, polled=True, **ended) is None
    assert due(expires_at=NOW - HOUR, authorized_q=1000, released_q=1000, **ended) is None


# -- the look itself -----------------------------------------------------------------------------


def synced(paid: Any, outcome: Any = None, **more: Any) -> Any:
    seen = outcome or Answered(answer(str(paid.status), authorized_q=paid.authorized_q or None))
    return Desk(payments=[paid], **more).hear(seen)


def test_a_look_that_brought_nothing_is_counted_and_one_with_news_begins_anew() -> None:
    nothing = synced(payment(checks=3))
    assert (nothing.payment.checks, nothing.payment.next_check_at) == (4, NOW + 80 * SECOND)
    news = synced(payment(checks=3), Answered(answer("requires_action")))
    assert (news.payment.checks, news.payment.next_check_at) == (0, NOW + 5 * SECOND)


def test_a_sync_looks_once_and_says_what_it_found() -> None:
    asked = Desk(payments=[payment()]).decide()
    assert asked.asks == "get_status"
    blind = Desk(payments=[payment(checks=1)], methods=["charge"]).decide()
    assert (blind.ended, blind.result) == (DONE, {"status": "pending"})
    assert blind.payment.checks == 2
    nobody = Desk(payments=[payment(transaction_id=None)]).decide()
    assert nobody.asks == "find"
    nothing = Desk().decide()
    assert (nothing.result, nothing.asks) == ({"status": "nothing_to_sync"}, "")


def test_a_sync_counts_what_waits_for_a_person() -> None:
    parked = [operation("capture", "parked"), operation("refund", "ok")]
    seen = synced(payment(**HELD), operations=[*parked, operation("cancel", "ok")])
    assert seen.result == {"status": "authorized", "parked_operations": 1}


def test_a_person_hears_of_a_hold_that_is_about_to_lapse() -> None:
    born, end = NOW - 8 * HOUR, NOW + 2 * HOUR
    warned = synced(payment(**HELD, created_at=born, hold_expires_at=end))
    assert warned.flags == ["hold_expires_soon"]
    assert "10.00" in warned.flag("hold_expires_soon").message
    cent = payment(authorized_q=1, status=S.AUTHORIZED, created_at=born, hold_expires_at=end)
    assert synced(cent).flags == ["hold_expires_soon"]
    early = synced(payment(**HELD, created_at=born + SECOND, hold_expires_at=end + 10 * SECOND))
    assert early.flags == []
    gone = payment(
        authorized_q=1000, captured_q=1000, status=S.CAPTURED, created_at=born, hold_expires_at=end
    )
    assert synced(gone, Answered(answer("captured", captured_q=1000))).flags == []


UNPAID = [("payment.cancel", {"payment_id": "pay-1", "unpaid": True}, "unpaid:pay-1")]


@pytest.mark.parametrize("status", [S.PENDING, S.REQUIRES_ACTION])
def test_a_gateway_that_would_wait_for_ever_is_told_when_the_time_is_over(status: S) -> None:
    def over(end: datetime | None, *missing: str, **more: Any) -> Any:
        actions = 1 if status is S.REQUIRES_ACTION else 0
        waiting = payment(status=status, actions_open=actions, expires_at=end)
        desk = Desk(payments=[waiting], **more).features(*missing)
        return desk.hear(Answered(answer(str(status))))

    assert over(NOW - 30 * SECOND, "unpaid_expiry").enqueued == UNPAID
    assert over(NOW - 29 * SECOND, "unpaid_expiry").enqueued == []
    assert over(None, "unpaid_expiry").enqueued == []
    assert over(NOW - DAY).enqueued == []
    doubt = [operation("cancel", "parked")]
    assert over(NOW - DAY, "unpaid_expiry", operations=doubt).enqueued == []
    helpless = ["charge", "get_status"]
    assert over(NOW - DAY, "unpaid_expiry", methods=helpless).enqueued == []


def test_what_nobody_can_look_at_nor_withdraw_is_left_to_its_date() -> None:
    unseen = Desk(payments=[payment(expires_at=NOW - DAY)], methods=["charge"])
    assert unseen.decide().enqueued == []


def test_what_has_ended_is_not_withdrawn() -> None:
    ended = payment(status=S.CAPTURED, captured_q=1000, expires_at=NOW - DAY)
    desk = Desk(payments=[ended]).features("unpaid_expiry")
    assert desk.hear(NotFound("none")).enqueued == []
