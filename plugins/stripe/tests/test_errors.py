"""Every way in which a call can go wrong says what to do next, and shows nothing of the account."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from omniman_payment_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    PaymentError,
    RateLimitedError,
    TransactionNotFoundError,
)
from omniman_payment_core.values import DeclineCode, PaymentResult, PaymentStatus
from omniman_payment_stripe import StripeBackend
from stripe_testing.objects import captured, charge, held, intent, refund
from stripe_testing.scripted_server import Answer, ScriptedServer, scripted_server

KEY = "sk_test_51AbCdEfGhIjKlMnOplanted"
CARD = {"type": "card", "payment_method_id": "pm_card_visa"}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def backend(server: ScriptedServer) -> Iterator[StripeBackend]:
    backend = StripeBackend({"api_key": KEY, "base_url": server.url})
    yield backend
    backend.close()


def error(kind: str, **more: Any) -> dict[str, Any]:
    return {"error": {"type": kind, "message": "What Stripe says.", **more}}


def authorize(backend: StripeBackend) -> PaymentResult:
    return backend.authorize(
        1000, "BRL", "O1", dict(CARD), idempotency_key="k1", transaction_id="pi_1"
    )


INVALID = "invalid_request_error"


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (Answer(429, error("rate_limit_error")), RateLimitedError),
        (Answer(429, error(INVALID, code="lock_timeout")), RateLimitedError),
        (Answer(409, error("api_error", code="lock_timeout")), RateLimitedError),
        (Answer(409, error("idempotency_error", code="idempotency_key_in_use")), None),
        (Answer(401, error(INVALID)), ConfigurationError),
        (Answer(403, error(INVALID)), ConfigurationError),
        (Answer(400, error("idempotency_error")), InvalidRequestError),
        (Answer(400, error(INVALID, code="parameter_unknown", param="x")), InvalidRequestError),
        (
            Answer(400, error(INVALID, code="parameter_invalid_integer", param="amount")),
            InvalidRequestError,
        ),
        (
            Answer(404, error(INVALID, code="resource_missing", param="intent")),
            TransactionNotFoundError,
        ),
        (
            Answer(400, error(INVALID, code="resource_missing", param="payment_method")),
            InvalidRequestError,
        ),
        (
            Answer(404, error(INVALID, code="resource_missing", param="card[token]")),
            InvalidRequestError,
        ),
        (Answer(404, error(INVALID, code="resource_missing")), TransactionNotFoundError),
        (Answer(500, error("api_error")), None),
        (Answer(503, error("api_error")), None),
        (Answer(502, b"<html>Bad gateway</html>"), None),
        (Answer(200, b"<html>Maintenance</html>"), None),
        (Answer(200, b""), None),
        (Answer(200, [1]), None),
        (Answer(200, None), None),
        (Answer(200, {"id": "pi_1"}), None),
        (Answer(500, {"error": "text"}), None),
        (Answer(400, {"error": "text"}), None),
        (Answer(cut=True), None),
    ],
)
def test_a_failed_call_says_what_to_do_next(
    server: ScriptedServer,
    backend: StripeBackend,
    answer: Answer,
    raised: type[PaymentError] | None,
) -> None:
    server.answers = [answer]
    with pytest.raises(PaymentError) as caught:
        authorize(backend)
    assert type(caught.value) is (raised or OutcomeUnknownError)
    assert len(server.requests) == 1, "the SDK repeated the call by itself"
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown
    assert "planted" not in shown
    assert caught.value.__context__ is None, "the SDK's exception holds the whole answer"


def test_an_answer_that_does_not_come_is_not_a_failure(server: ScriptedServer) -> None:
    server.answers = [Answer(silent=True)]
    backend = StripeBackend({"api_key": KEY, "base_url": server.url, "timeout_seconds": 1})
    with pytest.raises(OutcomeUnknownError, match="no answer from Stripe: ReadTimeout"):
        authorize(backend)
    backend.close()


def test_a_request_that_never_left_was_not_attempted() -> None:
    with scripted_server() as gone:
        url = gone.url
    backend = StripeBackend({"api_key": KEY, "base_url": url})
    with pytest.raises(NotAttemptedError, match="no connection to Stripe"):
        authorize(backend)
    backend.close()


def test_a_host_without_an_address_was_not_attempted(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    backend = StripeBackend({"api_key": KEY, "base_url": "https://stripe.invalid"})
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotAttemptedError):
        authorize(backend)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("0", 0), ("", None), ("soon", None), ("9" * 40, 999_999_999)]
)
def test_how_long_to_wait_is_passed_on(
    server: ScriptedServer, backend: StripeBackend, header: str, seconds: int | None
) -> None:
    server.answers = [Answer(429, error("rate_limit_error"), {"Retry-After": header})]
    with pytest.raises(RateLimitedError) as caught:
        authorize(backend)
    assert caught.value.retry_after == seconds


def test_how_long_to_wait_may_be_a_date(server: ScriptedServer, backend: StripeBackend) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    server.answers = [Answer(429, error("rate_limit_error"), {"Retry-After": until})]
    with pytest.raises(RateLimitedError) as caught:
        authorize(backend)
    assert caught.value.retry_after in range(55, 62)


# -- refusals ----------------------------------------------------------------------------------


def test_a_declined_card_is_a_result(server: ScriptedServer, backend: StripeBackend) -> None:
    declined = error(
        "card_error",
        code="card_declined",
        decline_code="insufficient_funds",
        payment_intent=intent(),
    )
    server.answers = [Answer(402, declined, {"Request-Id": "req_1"})]
    result = authorize(backend)
    assert (result.success, result.status) == (False, PaymentStatus.FAILED)
    assert (result.transaction_id, result.error_code) == ("pi_1", "insufficient_funds")
    assert result.error_message == "What Stripe says. (request req_1)"
    assert result.metadata == {
        "stripe_code": "card_declined",
        "decline_code": "insufficient_funds",
        "intent_status": "requires_payment_method",
    }


STATE = "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("method", "details", "code"),
    [
        ("capture", {"code": "charge_expired_for_capture"}, DeclineCode.EXPIRED),
        ("capture", {"code": STATE, "payment_intent": captured()}, DeclineCode.ALREADY_CAPTURED),
        (
            "capture",
            {"code": STATE, "payment_intent": intent(status="canceled")},
            DeclineCode.ALREADY_CANCELLED,
        ),
        (
            "capture",
            {
                "code": STATE,
                "payment_intent": intent(status="canceled", cancellation_reason="automatic"),
            },
            DeclineCode.EXPIRED,
        ),
        ("capture", {"code": STATE}, DeclineCode.DECLINED),
        ("capture", {"param": "amount_to_capture"}, DeclineCode.AMOUNT_INVALID),
        ("capture", {"param": "final_capture"}, DeclineCode.METHOD_UNSUPPORTED),
        ("refund", {"code": "charge_already_refunded"}, DeclineCode.REFUND_EXCEEDS_CAPTURE),
        ("refund", {"param": "amount"}, DeclineCode.REFUND_EXCEEDS_CAPTURE),
        ("refund", {"code": STATE, "payment_intent": held()}, DeclineCode.NOT_CAPTURED),
        (
            "refund",
            {"message": "This PaymentIntent (pi_1) does not have a successful charge to refund."},
            DeclineCode.NOT_CAPTURED,
        ),
        ("refund", {"code": "charge_disputed"}, DeclineCode.REFUND_REFUSED),
        ("cancel", {"code": STATE, "payment_intent": captured()}, DeclineCode.ALREADY_CAPTURED),
    ],
)
def test_a_refusal_has_our_reason(
    server: ScriptedServer,
    backend: StripeBackend,
    method: str,
    details: dict[str, Any],
    code: DeclineCode,
) -> None:
    server.answers = [Answer(400, error(INVALID, **details))]
    call = {
        "capture": lambda: backend.capture("pi_1", 1000, currency="BRL"),
        "refund": lambda: backend.refund("pi_1", 300, currency="BRL"),
        "cancel": lambda: backend.cancel("pi_1"),
    }[method]
    result = call()
    assert (result.success, result.error_code) == (False, code)
    assert result.transaction_id == "pi_1"


def test_what_was_done_before_is_done(server: ScriptedServer, backend: StripeBackend) -> None:
    server.answers = [Answer(400, error(INVALID, code=STATE, payment_intent=held()))]
    opened = authorize(backend)
    assert (opened.success, opened.status) == (True, PaymentStatus.AUTHORIZED)
    for under_way in ("processing", "requires_action"):
        busy = intent(status=under_way)
        server.answers = [Answer(400, error(INVALID, code=STATE, payment_intent=busy))]
        assert authorize(backend).success
    gone = intent(status="canceled", cancellation_reason="requested_by_customer")
    server.answers = [Answer(400, error(INVALID, code=STATE, payment_intent=gone))]
    cancelled = backend.cancel("pi_1")
    assert (cancelled.success, cancelled.status) == (True, PaymentStatus.CANCELLED)


def test_a_payment_that_is_over_cannot_be_opened(
    server: ScriptedServer, backend: StripeBackend
) -> None:
    gone = intent(status="canceled", cancellation_reason="abandoned")
    server.answers = [Answer(400, error(INVALID, code=STATE, payment_intent=gone))]
    result = authorize(backend)
    assert (result.success, result.error_code) == (False, DeclineCode.ALREADY_CANCELLED)


def test_a_state_that_is_not_shown_has_to_be_read(
    server: ScriptedServer, backend: StripeBackend
) -> None:
    server.answers = [Answer(400, error(INVALID, code=STATE))]
    with pytest.raises(OutcomeUnknownError):
        authorize(backend)


def test_an_amount_that_stripe_cannot_write_is_refused_without_a_call(
    server: ScriptedServer, backend: StripeBackend
) -> None:
    for result in (
        backend.authorize(5121, "KWD", "O1", dict(CARD), transaction_id="pi_1"),
        backend.capture("pi_1", 5121, currency="KWD"),
        backend.refund("pi_1", 5121, currency="KWD"),
        backend.prepare(5121, "KWD", "O1", dict(CARD), capture=False, idempotency_key="k"),
    ):
        assert isinstance(result, PaymentResult)
        assert (result.success, result.error_code) == (False, DeclineCode.AMOUNT_INVALID)
    assert not server.requests


# -- borders -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (held() | {"id": "pi_2"}, "another transaction"),
        (held() | {"amount": 1001}, "another amount"),
        (held() | {"currency": "usd"}, "another currency"),
        (held() | {"livemode": True}, "another mode"),
        (held() | {"object": "setup_intent"}, "another object"),
        (held() | {"id": "pi_2", "currency": "usd"}, "another transaction and currency"),
    ],
)
def test_an_answer_about_something_else_is_no_answer(
    server: ScriptedServer, backend: StripeBackend, answer: dict[str, Any], said: str
) -> None:
    server.answers = [Answer(200, answer)]
    with pytest.raises(OutcomeUnknownError, match=f"Stripe answered about {said} than"):
        authorize(backend)


@pytest.mark.parametrize("wrong", [{"payment_intent": "pi_2"}, {"amount": 301}])
def test_a_refund_of_something_else_is_no_answer(
    server: ScriptedServer, backend: StripeBackend, wrong: dict[str, Any]
) -> None:
    server.answers = [Answer(200, refund(charge=charge(), **wrong))]
    with pytest.raises(OutcomeUnknownError, match="another refund"):
        backend.refund("pi_1", 300, currency="BRL")


@pytest.mark.parametrize("wrong", ["", "pi_", "ch_1", "pi_1/../refunds", "pi_1?x", "pi_1\n"])
def test_what_cannot_be_an_id_is_not_asked_for(
    server: ScriptedServer, backend: StripeBackend, wrong: str
) -> None:
    for call in (
        lambda: backend.get_status(wrong),
        lambda: backend.capture(wrong, 100),
        lambda: backend.refund(wrong, 100),
        lambda: backend.cancel(wrong),
        lambda: backend.authorize(1000, "BRL", "O1", {}, transaction_id=wrong),
    ):
        with pytest.raises(TransactionNotFoundError):
            call()
    assert not server.requests
