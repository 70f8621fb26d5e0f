"""What ten thousand open charges cost their gateway, when nobody pays and nothing is notified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from omniman_payment_core.decisions import Rules
from omniman_payment_core.decisions.schedule import next_check
from omniman_payment_core.records import Payment, evolve
from omniman_payment_core.values import PaymentFlow, PaymentStatus

RULES = Rules()
OPENED = datetime(2026, 1, 2, tzinfo=UTC)
LIFE = timedelta(hours=1)


def looks(polled: bool) -> Iterator[float]:
    """The seconds after its opening at which a charge that nobody pays is looked at."""
    payment = Payment(
        id="p", order_ref="O", attempt=1, flow=PaymentFlow.CHARGE, account="a", fingerprint="f",
        livemode=False, plugin="x", plugin_version="1", currency="BRL", amount_q=100,
        created_at=OPENED, transaction_id="t", expires_at=OPENED + LIFE,
    )  # fmt: skip
    now, checks = OPENED, 0
    while (due := next_check(payment, now, RULES, checks, polled=polled)) is not None:
        assert due > now
        now, checks = due, checks + 1
        yield (now - OPENED).total_seconds()
        over = now >= OPENED + LIFE + RULES.expiry_slack
        if over and payment.status is PaymentStatus.PENDING:
            payment, checks = evolve(payment, status=PaymentStatus.EXPIRED, expiries=1), 0


def a_second(polled: bool, opened_per_second: float, number: int = 10_000) -> int:
    """The most looks in one second, for charges opened one after the other at a rate."""
    offsets = list(looks(polled))
    counted: Counter[int] = Counter()
    for n in range(number):
        counted.update(int(n / opened_per_second + offset) for offset in offsets)
    return max(counted.values())


def test_an_account_that_is_asked_for_news_looks_at_a_charge_a_few_times() -> None:
    seconds = list(looks(polled=True))
    assert seconds[0] == 30
    assert len(seconds) <= 8
    assert seconds[-1] == (LIFE + RULES.late_watch).total_seconds()


def test_an_account_that_cannot_be_asked_looks_seldom_and_late_money_is_still_found() -> None:
    seconds = list(looks(polled=False))
    assert seconds[:4] == [5, 15, 35, 75]
    assert len([s for s in seconds if s <= LIFE.total_seconds() + 30]) <= 11
    assert seconds[-1] >= (LIFE + RULES.late_watch - RULES.check_cap).total_seconds()


@pytest.mark.parametrize("polled", [True, False])
def test_the_time_of_expiry_is_never_missed(polled: bool) -> None:
    assert (LIFE + RULES.expiry_slack).total_seconds() in list(looks(polled))


def test_ten_thousand_charges_of_an_hour_are_looked_at_less_than_25_times_a_second() -> None:
    assert a_second(True, 10_000 / 3600) < 25


def test_a_rush_is_looked_at_no_faster_than_a_few_times_its_own_rate() -> None:
    assert a_second(True, 100) <= 300
