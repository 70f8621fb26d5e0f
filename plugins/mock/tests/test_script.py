"""Each word of the script does what the table says, and a wrong script says what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_core.errors import (
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    RateLimitedError,
    TransactionNotFoundError,
)
from omniman_payment_core.values import DeclineCode, PaymentResult
from omniman_payment_mock import MockGateway, MockPaymentBackend
from omniman_payment_mock.script import parse


def opened(
    backend: MockPaymentBackend, kind: str = "charge", *, key: str = "key", **behaviour: Any
) -> PaymentResult:
    method = {"type": "card", "behaviour": behaviour}
    result: PaymentResult = getattr(backend, kind)(
        1000, "brl", "ORD-1", method, idempotency_key=key
    )
    return result


@pytest.mark.parametrize("code", list(DeclineCode))
def test_a_decline_is_a_result_with_its_code_and_moves_nothing(
    backend: MockPaymentBackend, gateway: MockGateway, code: DeclineCode
) -> None:
    result = opened(backend, decline=str(code))
    assert (result.success, result.status, result.error_code) == (False, "failed", code)
    assert gateway.moved_q("ORD-1") == 0


@pytest.mark.parametrize(("kind", "status"), [("charge", "captured"), ("authorize", "authorized")])
def test_3d_secure_waits_for_the_shopper(
    backend: MockPaymentBackend, gateway: MockGateway, kind: str, status: str
) -> None:
    result = opened(backend, kind, authenticate=True)
    assert result.status == "requires_action"
    assert result.next_action is not None
    assert result.next_action.kind == "confirm_with_client_secret"
    gateway.confirm_3ds(str(result.transaction_id))
    after = backend.get_status(str(result.transaction_id))
    assert (after.status, after.next_action) == (status, None)


def test_3d_secure_that_fails_fails_the_payment(
    backend: MockPaymentBackend, gateway: MockGateway
) -> None:
    result = opened(backend, authenticate=True)
    gateway.confirm_3ds(str(result.transaction_id), ok=False)
    assert backend.get_status(str(result.transaction_id)).status == "failed"


def test_a_qr_code_is_paid_elsewhere(backend: MockPaymentBackend, gateway: MockGateway) -> None:
    result = opened(backend, qr=True)
    assert result.next_action is not None
    assert (result.status, result.next_action.kind) == ("pending", "show_qr")
    assert result.expires_at is not None
    gateway.pay(str(result.transaction_id))
    assert backend.get_status(str(result.transaction_id)).captured_q == 1000


def test_a_qr_code_may_be_paid_in_part_over_or_late(
    backend: MockPaymentBackend, gateway: MockGateway, clock: Any
) -> None:
    part, over, late = (
        str(opened(backend, key=key, qr=True).transaction_id) for key in ("a", "b", "c")
    )
    gateway.pay(part, 600)
    assert backend.get_status(part).status == "partially_captured"
    gateway.pay(over, 1500)
    assert backend.get_status(over).captured_q == 1500
    clock.advance(hours=1)
    assert backend.get_status(late).status == "expired"
    with pytest.raises(ValueError, match="takes no payment"):
        gateway.pay(late)
    gateway.pay(late, late=True)
    assert backend.get_status(late).status == "captured"


def test_a_payment_may_be_found_paid_at_the_nth_look(backend: MockPaymentBackend) -> None:
    result = opened(backend, pending=True, pays_after_reads=3)
    looks = [backend.get_status(str(result.transaction_id)).status for _ in range(3)]
    assert looks == ["pending", "pending", "captured"]


def test_a_payment_may_be_paid_after_a_time(backend: MockPaymentBackend, clock: Any) -> None:
    result = opened(backend, pending=True, pays_after_seconds=90, pays_amount_q=900)
    clock.advance(seconds=89)
    assert backend.get_status(str(result.transaction_id)).status == "pending"
    clock.advance(seconds=1)
    assert backend.get_status(str(result.transaction_id)).captured_q == 900


@pytest.mark.parametrize(("when", "moved"), [("before", 0), ("after", 1000)])
@pytest.mark.parametrize(
    ("kind", "error"), [("timeout", OutcomeUnknownError), ("crash", RuntimeError)]
)
def test_an_answer_is_lost_before_or_after_the_effect_and_a_repeat_heals_it(
    backend: MockPaymentBackend,
    gateway: MockGateway,
    kind: str,
    error: type[Exception],
    when: str,
    moved: int,
) -> None:
    fault = {"kind": kind, "when": when}
    with pytest.raises(error):
        opened(backend, faults=fault)
    assert gateway.moved_q("ORD-1") == moved
    assert opened(backend, faults=fault).success
    assert gateway.moved_q("ORD-1") == 1000


def test_rate_limits_strike_as_often_as_told_and_say_when_to_come_back(
    backend: MockPaymentBackend, gateway: MockGateway
) -> None:
    fault = {"kind": "rate_limit", "retry_after": 7, "times": 2}
    for _ in range(2):
        with pytest.raises(RateLimitedError) as caught:
            opened(backend, faults=fault)
        assert caught.value.retry_after == 7
    assert gateway.moved_q("ORD-1") == 0
    assert opened(backend, faults=fault).success


def test_a_request_that_never_left_has_no_effect(
    backend: MockPaymentBackend, gateway: MockGateway
) -> None:
    with pytest.raises(NotAttemptedError):
        opened(backend, faults={"kind": "not_attempted"})
    assert gateway.transactions() == ()


def test_a_late_request_arrives_when_its_time_has_come(
    backend: MockPaymentBackend, gateway: MockGateway, clock: Any
) -> None:
    with pytest.raises(OutcomeUnknownError):
        opened(backend, faults={"kind": "late", "seconds": 60})
    address = backend.choose_transaction_id("key")
    with pytest.raises(TransactionNotFoundError):
        backend.get_status(address)
    clock.advance(seconds=60)
    assert backend.get_status(address).status == "captured"


def test_a_late_request_and_its_repeat_are_carried_out_once(
    backend: MockPaymentBackend, gateway: MockGateway
) -> None:
    fault = {"kind": "late", "seconds": 60}
    with pytest.raises(OutcomeUnknownError):
        opened(backend, faults=fault)
    assert opened(backend, faults=fault).success
    gateway.deliver_late()
    assert gateway.moved_q("ORD-1") == 1000


def test_a_late_request_arrives_once(backend: MockPaymentBackend, gateway: MockGateway) -> None:
    method = {"behaviour": {"faults": {"kind": "late"}}}
    with pytest.raises(OutcomeUnknownError):
        backend.charge(1000, "brl", "ORD-1", method)
    gateway.deliver_late()
    gateway.deliver_late()
    assert gateway.moved_q("ORD-1") == 1000


def test_a_slow_call_takes_its_time(gateway: MockGateway, clock: Any) -> None:
    slept: list[float] = []
    backend = MockPaymentBackend(
        {"latency_ms": 50}, gateway=gateway, clock=clock, sleep=slept.append
    )
    opened(backend, faults={"kind": "slow", "seconds": 2})
    assert slept == [0.05, 2]


def test_faults_of_a_payment_follow_it_to_its_later_calls(
    backend: MockPaymentBackend, gateway: MockGateway
) -> None:
    faults = [
        {"kind": "timeout", "on": "capture", "when": "after"},
        {"kind": "crash", "on": "refund"},
    ]
    held = str(opened(backend, "authorize", faults=faults).transaction_id)
    with pytest.raises(OutcomeUnknownError):
        backend.capture(held, 1000, idempotency_key="c")
    assert backend.capture(held, 1000, idempotency_key="c").status == "captured"
    with pytest.raises(RuntimeError):
        backend.refund(held, 1000, idempotency_key="r")
    assert gateway.moved_q("ORD-1") == 1000


def test_a_refund_may_stay_pending_until_it_is_settled(
    backend: MockPaymentBackend, gateway: MockGateway
) -> None:
    paid = str(opened(backend, refund="pending").transaction_id)
    refund = backend.refund(paid, 300)
    assert (refund.success, refund.status, refund.transaction_id) == (True, "pending", paid)
    assert gateway.moved_q("ORD-1") == 1000
    gateway.settle_refund(str(refund.reference))
    assert gateway.moved_q("ORD-1") == 700
    assert backend.get_status(paid).status == "partially_refunded"


def test_a_refund_may_succeed_and_fail_later(
    backend: MockPaymentBackend, gateway: MockGateway
) -> None:
    paid = str(opened(backend, refund="fails_later").transaction_id)
    assert backend.refund(paid).status == "refunded"
    assert gateway.moved_q("ORD-1") == 0
    seen = backend.get_status(paid)
    assert [r.status for r in seen.refunds or ()] == ["failed"]
    assert (seen.status, seen.refunded_q, gateway.moved_q("ORD-1")) == ("captured", 0, 1000)


def test_a_refund_may_be_refused(backend: MockPaymentBackend, gateway: MockGateway) -> None:
    paid = str(opened(backend, refund="refund_refused").transaction_id)
    result = backend.refund(paid, 300)
    assert (result.success, result.error_code) == (False, "refund_refused")
    assert gateway.moved_q("ORD-1") == 1000


def test_an_accounts_script_is_for_every_payment_and_a_payments_own_wins(
    gateway: MockGateway, clock: Any
) -> None:
    backend = MockPaymentBackend(
        {"script": {"refund": "pending", "expires_in": 60}}, gateway=gateway, clock=clock
    )
    plain = backend.charge(1000, "brl", "ORD-1", {"type": "card"})
    own = opened(backend, refund="card_declined")
    assert backend.refund(str(plain.transaction_id)).status == "pending"
    assert backend.refund(str(own.transaction_id)).error_code == "card_declined"


def test_every_problem_of_a_script_is_named_at_once() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(
            {
                "declien": "x",
                "decline": "no_such_code",
                "qr": "yes",
                "expires_in": 0,
                "refund": ["pending"],
                "faults": [{"kind": "explode", "times": -1, "colour": "red"}, "crash"],
            }
        )
    message = str(caught.value)
    for part in (
        "unknown entry 'declien'",
        "'decline' must be",
        "'qr' must be true or false",
        "'expires_in' must be",
        "'refund' must be",
        "fault 1: unknown entry 'colour'",
        "fault 1: 'kind' must be one of timeout",
        "fault 1: 'times' must be",
        "fault 2: a mapping is expected",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ({"qr": True, "decline": "declined"}, "only one of"),
        ({"pays_after_reads": 2}, "need 'qr' or 'pending'"),
        ({"faults": {"kind": "slow", "seconds": float("nan")}}, "'seconds' must be"),
        ([], "a mapping is expected"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(script: Any, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        parse(script)


def test_a_wrong_script_reaches_no_gateway(
    backend: MockPaymentBackend, gateway: MockGateway
) -> None:
    with pytest.raises(InvalidRequestError, match=r"payment_method\['behaviour'\]"):
        opened(backend, declined="card_declined")
    assert gateway.transactions() == ()
