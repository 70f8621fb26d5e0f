"""A flood of forged notifications costs a counter, not a log."""

from __future__ import annotations

import logging

import pytest

from omniman_payment_django.webhooks.rejections import MAX_CAUSES, RejectionLog


class Watch:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def rejections(watch: Watch) -> RejectionLog:
    return RejectionLog(monotonic=watch)


def test_a_flood_writes_one_line_and_the_next_line_counts_the_rest(
    rejections: RejectionLog, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "omniman_payment.webhooks"):
        for _ in range(5000):
            rejections.count("shop", "not authentic")
        assert len(caplog.records) == 1
        watch.now += 61
        rejections.count("shop", "not authentic")
    assert len(caplog.records) == 2
    assert "4999 more" in caplog.records[1].getMessage()
    assert rejections.total == 5001


def test_another_cause_or_account_has_a_line_of_its_own(
    rejections: RejectionLog, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "omniman_payment.webhooks"):
        assert rejections.count("shop", "not authentic")
        assert rejections.count("shop", "too large")
        assert rejections.count("other", "not authentic")
        assert not rejections.count("other", "not authentic")
    assert len(caplog.records) == 3


def test_memory_stays_bounded_whatever_is_sent(rejections: RejectionLog) -> None:
    for number in range(MAX_CAUSES * 3):
        rejections.count("shop", f"cause {number}", level=logging.DEBUG)
    assert len(rejections._causes) == MAX_CAUSES


def test_what_a_stranger_chose_makes_no_line_of_its_own(
    rejections: RejectionLog, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "omniman_payment.webhooks"):
        assert rejections.count("shop", "misbehaved", detail="one text")
        assert not rejections.count("shop", "misbehaved", detail="another text")
    assert "one text" in caplog.text
