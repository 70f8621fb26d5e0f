"""What only shows over time and in numbers: late indexes, long lists, holds, two accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omniman_payment_core.errors import ConfigurationError, InvalidRequestError
from omniman_payment_core.values import DeclineCode, PaymentResult, PaymentStatus
from omniman_payment_simulators.stripe import StripeSimulator
from omniman_payment_stripe import StripeBackend
from stripe_testing.clock import Clock

CARD = {"type": "card", "payment_method_id": "pm_card_visa"}
S = PaymentStatus
DAY = 86_400


@pytest.fixture
def simulator() -> Iterator[StripeSimulator]:
    with StripeSimulator() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backend(simulator: StripeSimulator, clock: Clock) -> Iterator[StripeBackend]:
    backend = account(simulator, clock)
    yield backend
    backend.close()


def account(simulator: StripeSimulator, clock: Clock | None = None, **more: Any) -> StripeBackend:
    config = {
        "api_key": simulator.api_key,
        "publishable_key": simulator.publishable_key,
        "base_url": simulator.url,
        "timeout_seconds": 5,
        **more,
    }
    return StripeBackend(config, clock=clock or Clock())


def paths(simulator: StripeSimulator) -> list[str]:
    return [f"{r['method']} {r['path']}" for r in simulator.control.requests()]


def held(backend: StripeBackend, order_ref: str = "O1") -> str:
    result = backend.authorize(1000, "BRL", order_ref, dict(CARD))
    assert result.status is S.AUTHORIZED
    assert result.transaction_id is not None
    return result.transaction_id


def test_what_was_just_made_is_found_although_the_search_does_not_know_it(
    simulator: StripeSimulator, backend: StripeBackend, clock: Clock
) -> None:
    number = held(backend)
    held(backend, "O2")
    assert [r.transaction_id for r in backend.find("O1")] == [number]
    # A search still knows what is too old for the list of the newest.
    simulator.control.advance(3600)
    clock.ahead += 3600
    assert [r.transaction_id for r in backend.find("O1")] == [number]
    assert backend.find("O3") == []


@pytest.mark.parametrize("order_ref", ["it's", 'say "hi"', "back\\slash", "a' OR status:'x", "ç ã"])
def test_an_order_with_an_odd_reference_is_found_and_no_other(
    simulator: StripeSimulator, backend: StripeBackend, clock: Clock, order_ref: str
) -> None:
    number = held(backend, order_ref)
    held(backend, "O2")
    simulator.control.advance(3600)
    clock.ahead += 3600
    assert [r.transaction_id for r in backend.find(order_ref)] == [number]


def test_the_list_since_a_moment_is_whole(
    simulator: StripeSimulator, backend: StripeBackend
) -> None:
    numbers = [held(backend, f"O{n}") for n in range(120)]
    since = datetime.now(UTC) - timedelta(minutes=5)
    listed = backend.list_transactions(since)
    assert sorted(str(r.transaction_id) for r in listed) == sorted(numbers)
    assert {(r.status, r.authorized_q) for r in listed} == {(S.AUTHORIZED, 1000)}
    assert all(r.metadata and r.metadata["order_ref"].startswith("O") for r in listed)
    assert paths(simulator).count("GET /v1/payment_intents") == 2


def test_more_refunds_than_one_answer_brings_are_all_seen(
    simulator: StripeSimulator, backend: StripeBackend
) -> None:
    number = str(backend.charge(5000, "BRL", "O1", dict(CARD)).transaction_id)
    for place in range(13):
        backend.refund(number, 100, currency="BRL", idempotency_key=f"key-{place}")
    seen = backend.get_status(number)
    assert seen.refunds is not None
    assert sorted(str(r.idempotency_key) for r in seen.refunds) == sorted(
        f"key-{place}" for place in range(13)
    )
    assert (seen.status, seen.refunded_q) == (S.PARTIALLY_REFUNDED, 1300)


def test_reading_a_payment_is_one_request_until_there_is_more_to_read(
    simulator: StripeSimulator, backend: StripeBackend
) -> None:
    number = str(backend.charge(1000, "BRL", "O1", dict(CARD)).transaction_id)
    backend.refund(number, 100, currency="BRL")
    before = len(paths(simulator))
    backend.get_status(number)
    assert paths(simulator)[before:] == [f"GET /v1/payment_intents/{number}"]
    simulator.control.dispute(number, 900)
    before = len(paths(simulator))
    assert backend.get_status(number).disputed_q == 900
    assert paths(simulator)[before:] == [f"GET /v1/payment_intents/{number}", "GET /v1/disputes"]


def test_a_hold_that_lapsed_is_expired_and_a_capture_of_it_takes_nothing(
    simulator: StripeSimulator, backend: StripeBackend
) -> None:
    number = held(backend)
    end = backend.get_status(number).hold_expires_at
    assert end is not None
    assert timedelta(days=6) < end - datetime.now(UTC) < timedelta(days=8)
    simulator.control.advance(8 * DAY)
    refused = backend.capture(number, 1000, currency="BRL")
    assert (refused.success, refused.error_code) == (False, DeclineCode.EXPIRED)
    seen = backend.get_status(number)
    assert (seen.status, seen.authorized_q, seen.captured_q) == (S.EXPIRED, 1000, 0)
    assert simulator.control.held("O1") == simulator.control.moved("O1") == 0


def test_a_slow_payment_method_is_pending_until_it_is_done(
    simulator: StripeSimulator, backend: StripeBackend
) -> None:
    opened = backend.authorize(1000, "BRL", "O1", {"type": "card"})
    number = str(opened.transaction_id)
    assert opened.status is S.REQUIRES_ACTION
    assert opened.expires_at is not None
    assert opened.next_action is not None
    simulator.control.start_processing(number)
    seen = backend.get_status(number)
    assert (seen.status, seen.next_action, seen.expires_at) == (S.PENDING, None, None)


def test_a_hold_that_cannot_be_captured_in_parts_says_so(
    simulator: StripeSimulator, backend: StripeBackend
) -> None:
    number = held(backend)
    refused = backend.capture(number, 400, currency="BRL", final=False)
    assert (refused.success, refused.error_code) == (False, DeclineCode.METHOD_UNSUPPORTED)
    assert simulator.control.held("O1") == 1000


def test_an_amount_below_stripes_least_is_refused_before_anything_is_made(
    simulator: StripeSimulator, backend: StripeBackend
) -> None:
    refused = backend.prepare(10, "BRL", "O1", dict(CARD), capture=False, idempotency_key="k")
    assert isinstance(refused, PaymentResult)
    assert (refused.success, refused.error_code) == (False, DeclineCode.AMOUNT_INVALID)


def test_a_card_that_stripe_does_not_know_is_our_mistake(backend: StripeBackend) -> None:
    with pytest.raises(InvalidRequestError, match="No such PaymentMethod"):
        backend.authorize(1000, "BRL", "O1", {"payment_method_id": "pm_1Nowhere"})


def test_a_key_that_is_nobodys_pauses_the_account(simulator: StripeSimulator) -> None:
    backend = account(simulator, api_key="sk_test_51AbCdEfGhIjKlMnOplanted")
    with pytest.raises(ConfigurationError) as caught:
        backend.authorize(1000, "BRL", "O1", dict(CARD))
    assert "does not accept the account's key" in str(caught.value)
    assert "planted" not in str(caught.value)


def test_a_currency_with_another_unit_at_stripe_costs_a_read_only_when_nobody_names_it(
    simulator: StripeSimulator, backend: StripeBackend
) -> None:
    number = str(backend.authorize(700, "ISK", "O1", dict(CARD)).transaction_id)
    before = len(paths(simulator))
    assert backend.capture(number, 500).captured_q == 500
    assert paths(simulator)[before:] == [
        f"GET /v1/payment_intents/{number}",
        f"POST /v1/payment_intents/{number}/capture",
    ]
    assert simulator.control.moved("O1") == 50_000


def test_two_accounts_in_one_process_never_meet(simulator: StripeSimulator) -> None:
    with StripeSimulator("sk_test_other1") as elsewhere:
        one, other = account(simulator), account(elsewhere)
        first, second = held(one), held(other)
        assert one.get_status(first).status is other.get_status(second).status is S.AUTHORIZED
        assert simulator.control.held("O1") == elsewhere.control.held("O1") == 1000
        one.close()
        other.close()
