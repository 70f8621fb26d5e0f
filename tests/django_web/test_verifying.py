"""Whatever a backend does with a delivery, it ends as its events or as one refusal."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import pytest

from omniman_payment_core.errors import WebhookPayloadError, WebhookVerificationError
from omniman_payment_core.secrets import Scrubber
from omniman_payment_core.values import WebhookEvent
from omniman_payment_django.webhooks import verifying
from omniman_payment_django.webhooks.rejections import RejectionLog

SECRET = "whsec_a-very-secret-thing"
GOOD = WebhookEvent("evt_1", "payment.updated", "txn_1")


@pytest.fixture(autouse=True)
def own_log(monkeypatch: pytest.MonkeyPatch) -> RejectionLog:
    log = RejectionLog()
    monkeypatch.setattr(verifying, "rejections", log)
    return log


def verify(answer: Any) -> tuple[list[WebhookEvent] | None, str]:
    def parse(headers: Any, body: bytes) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return verifying.verify("shop", parse, {}, b"{}", Scrubber([SECRET]).text)


def test_events_of_an_authentic_delivery_are_handed_on() -> None:
    assert verify([GOOD]) == ([GOOD], "")
    assert verify(()) == ([], "")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (WebhookVerificationError(SECRET), "not authentic"),
        (WebhookPayloadError(SECRET), "not understood"),
    ],
)
def test_a_refusal_is_counted_and_says_nothing_of_its_content(
    error: Exception, reason: str, own_log: RejectionLog, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert verify(error) == (None, reason)
    assert own_log.total == 1
    assert SECRET not in caplog.text


class Mute(Exception):
    """Cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError(SECRET),
        SystemExit(1),
        RecursionError(),
        Mute(),
        None,
        "evt_1",
        [None],
        {"event": GOOD},
        [GOOD] * (verifying.MAX_EVENTS + 1),
        [WebhookEvent("", "k", None)],
        [WebhookEvent("e" * 256, "k", None)],
        [WebhookEvent("e\0", "k", None)],
        [WebhookEvent(7, "k", None)],  # type: ignore[arg-type]
        [WebhookEvent("e", "k" * 65, None)],
        [WebhookEvent("e", "k", "t" * 256)],
        [WebhookEvent("e", "k", "")],
        [WebhookEvent("e", "k", "t", datetime(2026, 1, 1))],  # noqa: DTZ001 -- the fault
        [WebhookEvent("e", "k", "t", None, 1)],  # type: ignore[arg-type]
    ],
)
def test_a_misbehaving_backend_loses_the_delivery_and_is_logged_without_secrets(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert verify(answer) == (None, "the backend misbehaved")
        verify(answer)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "shop" in errors[0].getMessage()
    assert SECRET not in caplog.text


def test_an_interrupted_server_is_not_kept_running() -> None:
    with pytest.raises(KeyboardInterrupt):
        verify(KeyboardInterrupt())
