"""Lost answers, dead workers, broken accounts: nothing is lost and nothing done twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.errors import ConfigurationError, OutcomeUnknownError
from omniman_payment_core.records import (
    ChannelView,
    DirectiveStatus,
    OperationState,
    evolve,
)
from omniman_payment_core.values import PaymentResult, PaymentStatus
from omniman_payment_mock import MockPaymentBackend
from tests.simulation.gateways import Prepares

from .harness import Shop, registration

S = PaymentStatus
DONE, FAILED, PARKED, WAITS = (
    DirectiveStatus.COMPLETED,
    DirectiveStatus.FAILED,
    DirectiveStatus.PARKED,
    DirectiveStatus.PENDING,
)


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.order()
    return shop


class Unaddressed(MockPaymentBackend):
    """Understands keys, names its transactions itself and cannot be searched."""

    choose_transaction_id = None  # type: ignore[assignment]
    find = None  # type: ignore[assignment]


# -- trouble on the way ------------------------------------------------------------------------


def test_what_never_left_is_tried_again_later_with_the_same_key(shop: Shop) -> None:
    shop.fault("not_attempted")
    hold = shop.do(shop.hold())
    assert (hold.status, hold.attempts, hold.last_error) == (WAITS, 1, "the request never left")
    assert hold.available_at > shop.clock.now()
    shop.settle_down()
    assert shop.directive(hold.id).status == DONE
    assert len(shop.keys("authorize")) == 2
    assert len(set(shop.keys("authorize"))) == 1
    assert shop.methods() == ["authorize", "authorize"]


@pytest.mark.parametrize(("told", "waits"), [(90, 90), (7200, 3600)])
def test_a_rate_limit_is_honoured_up_to_an_hour_and_counts_no_attempt(
    shop: Shop, told: int, waits: int
) -> None:
    shop.fault("rate_limit", retry_after=told)
    hold = shop.do(shop.hold())
    assert (hold.status, hold.attempts) == (WAITS, 0)
    assert hold.available_at - shop.clock.now() == timedelta(seconds=waits)
    shop.settle_down()
    assert shop.directive(hold.id).status == DONE
    assert len(set(shop.keys("authorize"))) == 1


@pytest.mark.parametrize(
    ("when", "methods"),
    [
        ("before", ["authorize", "get_status", "authorize"]),
        ("after", ["authorize", "get_status"]),
    ],
)
def test_an_unknown_outcome_is_looked_up_before_anything_is_repeated(
    shop: Shop, when: str, methods: list[str]
) -> None:
    shop.fault("timeout", when=when)
    hold = shop.hold()
    shop.settle_down()
    assert shop.directive(hold).status == DONE
    assert shop.methods() == methods
    assert len(set(shop.keys("authorize"))) == 1
    assert len(shop.gateway.transactions()) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["timeout", "crash"])
def test_every_operation_takes_effect_once_however_its_answer_is_lost(
    shop: Shop, kind: str, when: str
) -> None:
    for enqueue, method in ((shop.hold, "authorize"), (shop.confirm, "capture")):
        shop.fault(kind, method, when=when)
        number = enqueue()
        shop.settle_down()
        assert shop.directive(number).status == DONE
    shop.fault(kind, "refund", when=when)
    refund = shop.refund(400)
    shop.settle_down()
    assert shop.directive(refund).status == DONE
    assert shop.moved_q() == 600
    for method in ("authorize", "capture", "refund"):
        assert len(set(shop.keys(method))) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_void_whose_answer_is_lost_is_a_void(shop: Shop, when: str) -> None:
    shop.hold()
    shop.run()
    shop.fault("timeout", "cancel", when=when)
    cancel = shop.cancel()
    shop.settle_down()
    assert shop.directive(cancel).status == DONE
    assert shop.gateway.held_q("O1") == 0
    assert shop.payment().status is S.CANCELLED


def test_a_fault_of_the_plugin_is_flagged(shop: Shop) -> None:
    shop.fault("crash")
    shop.hold()
    shop.settle_down()
    (flag,) = shop.flags()
    assert flag.kind == "plugin_fault"
    assert "RuntimeError: the mock backend crashed, as scripted" in flag.message


class Blind:
    """Takes money and answers nothing; no key, no address, no search."""

    def __init__(self, **far_side: Any) -> None:
        self.calls = 0

    def authorize(self, *args: Any, **kwargs: Any) -> PaymentResult:
        self.calls += 1
        raise OutcomeUnknownError("the line went dead")


def test_an_operation_of_which_nobody_knows_is_parked_and_flagged() -> None:
    class Plain(Blind):
        def authorize(  # type: ignore[override]
            self,
            amount_q: int,
            currency: str,
            order_ref: str,
            payment_method: dict[str, Any],
            metadata: dict[str, Any] | None = None,
        ) -> PaymentResult:
            return super().authorize()

    shop = Shop(backend=Plain)
    shop.order()
    hold, confirm = shop.hold(), shop.confirm()
    shop.settle_down()
    backend: Any = shop.accounts.configured["mock"].backend
    assert backend.calls == 1
    assert shop.directive(hold).status == PARKED
    assert shop.directive(confirm).status == PARKED
    (operation,) = shop.operations()
    assert operation.state == OperationState.PARKED
    assert shop.flag_kinds() == ["outcome_unknown", "blocked_by_unknown"]
    assert shop.flags()[0].message == (
        "nobody knows whether the authorize of 10.00 BRL was carried out (operation "
        f"{operation.key}); look at the gateway, then say what became of it: payments verdict"
    )
    assert shop.payment().status is S.PENDING


def test_a_key_is_never_sent_again_once_the_gateway_may_have_forgotten_it() -> None:
    shop = Shop(backend=Unaddressed, facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    hold = shop.hold()
    shop.fault("timeout", when="before")
    (work,) = shop.engine.claim(1).works
    shop.engine.perform(work)  # the worker dies here, and its answer with it
    shop.clock.advance(timedelta(hours=25))
    shop.settle_down()
    assert shop.directive(hold).status == PARKED
    assert shop.gateway.transactions() == ()
    assert shop.flag_kinds() == ["outcome_unknown"]


def test_inside_its_window_the_same_key_is_sent_again() -> None:
    shop = Shop(backend=Unaddressed, facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    hold = shop.hold()
    shop.fault("timeout", when="after")
    shop.settle_down()
    assert shop.directive(hold).status == DONE
    assert shop.methods() == ["authorize", "authorize"]
    assert len(set(shop.keys("authorize"))) == 1
    assert len(shop.gateway.transactions()) == 1


def test_what_may_have_happened_once_stays_in_doubt_when_its_repetition_never_leaves() -> None:
    shop = Shop(backend=Unaddressed, facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    hold = shop.hold()
    shop.fault("timeout", when="after")
    shop.run()
    shop.fault("not_attempted")
    shop.advance(seconds=2)
    assert [call.outcome for call in shop.store.calls] == ["unknown", "not_attempted"]
    assert [op.state for op in shop.operations()] == [OperationState.SENT]

    cancel = shop.cancel()
    shop.settle_down()
    assert shop.directive(hold).status == DONE
    assert shop.directive(cancel).status == DONE
    assert shop.gateway.held_q("O1") == 0, "a cancellation did not take it for never sent"


def test_after_too_many_attempts_a_directive_is_parked_visibly(shop: Shop) -> None:
    hold = shop.hold(
        behaviour={"faults": {"kind": "not_attempted", "on": "authorize", "times": 1000}}
    )
    shop.settle_down()
    assert shop.directive(hold).status == PARKED
    assert shop.directive(hold).attempts == shop.rules.max_attempts
    (flag,) = shop.flags()
    assert flag.kind == "attempts_exhausted"
    assert shop.gateway.transactions() == ()


# -- the worker dies ---------------------------------------------------------------------------


def test_an_answer_lost_with_its_worker_is_looked_up_by_the_next(shop: Shop) -> None:
    hold = shop.hold()
    (work,) = shop.engine.claim(1).works
    shop.engine.perform(work)
    other = shop.new_engine("other")
    assert other.claim(1).taken == 0
    shop.clock.advance(shop.limits.lease)
    shop.settle_down()
    assert shop.directive(hold).status == DONE
    assert shop.methods() == ["get_status"]
    assert len(shop.gateway.transactions()) == 1


def test_the_fact_of_a_worker_that_lost_its_lease_is_recorded_and_decides_nothing(
    shop: Shop,
) -> None:
    hold = shop.hold()
    (work,) = shop.engine.claim(1).works
    answer = shop.engine.perform(work)
    shop.clock.advance(shop.limits.lease + timedelta(seconds=1))
    shop.new_engine("other").claim(1)
    before = shop.directive(hold)
    assert shop.engine.settle([answer]) == []
    assert shop.payment().status is S.AUTHORIZED
    assert shop.directive(hold) == before


def test_a_worker_that_lost_its_lease_plans_nothing_new() -> None:
    shop = Shop(backend=Prepares, facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    hold = shop.hold()
    (work,) = shop.engine.claim(1).works
    answer = shop.engine.perform(work)
    assert answer.call.method == "prepare"
    shop.clock.advance(shop.limits.lease + timedelta(seconds=1))
    other = shop.new_engine("other")
    (again,) = other.claim(1).works
    assert shop.engine.settle([answer]) == []
    assert shop.payment().transaction_id is not None, "the fact counts"
    assert shop.operations("authorize") == []
    works = other.settle([other.perform(again)])
    assert [work.request.method for work in works] == ["authorize"]
    other.settle([other.perform(work) for work in works])
    assert shop.directive(hold).status == DONE
    assert len(shop.gateway.transactions()) == 1


def test_a_call_is_not_sent_under_a_lease_that_is_nearly_over(shop: Shop) -> None:
    shop.hold()
    (work,) = shop.engine.claim(1).works
    shop.clock.advance(timedelta(seconds=61))
    answer = shop.engine.perform(work)
    assert answer.call.outcome == "not_attempted"
    assert shop.gateway.transactions() == ()


# -- accounts ----------------------------------------------------------------------------------


def test_an_account_that_cannot_work_keeps_its_directives_and_is_flagged_once(
    shop: Shop,
) -> None:
    shop.accounts.broken["mock"] = ConfigurationError("the certificate has expired")
    hold = shop.hold()
    for _ in range(3):
        shop.advance(minutes=2)
    waiting = shop.directive(hold)
    assert (waiting.status, waiting.attempts) == (WAITS, 0)
    assert waiting.last_error == "the certificate has expired"
    assert shop.flag_kinds() == ["account_unusable"]
    assert shop.payments() == []

    del shop.accounts.broken["mock"]
    shop.advance(minutes=2)
    assert shop.directive(hold).status == DONE


def test_a_payment_never_goes_to_another_account_under_the_same_name(shop: Shop) -> None:
    shop.hold()
    shop.run()
    old = shop.accounts.configured["mock"]
    stranger = shop.add_account("mock", fingerprint="somebody-else")
    confirm = shop.confirm()
    for _ in range(3):
        shop.advance(minutes=2)
    assert shop.directive(confirm).status == WAITS
    assert shop.directive(confirm).attempts == 0
    assert "is not the one this payment was begun with" in shop.directive(confirm).last_error
    assert shop.flag_kinds() == ["account_unusable"]
    assert stranger.transactions() == ()
    assert shop.moved_q() == 0

    shop.accounts.configured["mock"] = old
    shop.advance(minutes=2)
    assert shop.directive(confirm).status == DONE
    assert shop.moved_q() == 1000


def test_test_money_and_real_money_never_meet(shop: Shop) -> None:
    shop.hold()
    shop.run()
    account = shop.accounts.configured["mock"]
    shop.accounts.configured["mock"] = replace(account, livemode=True)
    confirm = shop.do(shop.confirm())
    assert confirm.status == WAITS
    assert "live mode True" in confirm.last_error
    assert shop.moved_q() == 0


def test_a_running_payment_keeps_its_account_when_the_channel_changes(shop: Shop) -> None:
    other = shop.add_account("other")
    shop.hold()
    shop.run()
    order = shop.store.orders["O1"]
    order.view = replace(order.view, channel=ChannelView("shop", {"payment_backend": "other"}))
    shop.confirm(600)
    shop.refund(100)
    shop.run()
    assert shop.moved_q() == 500
    assert other.transactions() == ()
    assert shop.payment().account == "mock"


def test_a_new_payment_goes_to_the_account_its_channel_names(shop: Shop) -> None:
    other = shop.add_account("other")
    shop.order("O2", payment_backend="other")
    shop.charge("O2")
    shop.run()
    assert other.moved_q("O2") == 1000
    assert shop.moved_q("O2") == 0


# -- versions and repetition -------------------------------------------------------------------


def test_a_payload_from_a_newer_version_waits_for_a_newer_worker(shop: Shop) -> None:
    hold = shop.hold()
    shop.store.directives[hold] = evolve(shop.directive(hold), schema_version=2)
    shop.run()
    shop.advance(hours=1)
    waiting = shop.directive(hold)
    assert (waiting.status, waiting.attempts) == (WAITS, 0)
    assert waiting.last_error == "payload version 2 needs a newer worker"
    assert (shop.payments(), shop.store.calls) == ([], [])


def test_every_transition_of_an_order_fires_once_however_often_it_is_seen(shop: Shop) -> None:
    shop.hold()
    shop.hold()
    shop.confirm()
    shop.confirm()
    shop.run()
    shop.sync()
    shop.sync()
    shop.refund(100)
    shop.refund(100)
    shop.run()
    assert shop.triggers() == [
        "on_payment_hold",
        "on_payment_confirm",
        "on_payment_partial_refund",
    ]
