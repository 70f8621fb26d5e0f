"""A transaction that was made, whose maker never heard of it: whoever finds it has found it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omniman_payment_core.decisions import sync_of
from omniman_payment_core.errors import OutcomeUnknownError
from omniman_payment_core.records import DirectiveStatus, OperationState
from omniman_payment_core.values import PaymentResult, PaymentStatus
from tests.simulation.gateways import Prepares

from .harness import Shop, registration

DONE = DirectiveStatus.COMPLETED
PAID_UNTIL = datetime(2100, 1, 1, tzinfo=UTC)


class Searchable(Prepares):
    """Makes its transactions by a call of their own, whose answer can be lost, and finds them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.made: dict[str, str] = {}
        self.answers_lost = 0

    def prepare(self, *args: Any, **given: Any) -> str:
        number = super().prepare(*args, **given)
        self.made[given["order_ref"]] = number
        if self.answers_lost:
            self.answers_lost -= 1
            raise OutcomeUnknownError("the answer was lost")
        return number

    def find(self, order_ref: str) -> Sequence[PaymentResult]:
        made = self.made.get(order_ref)
        return [] if made is None else [self.get_status(made)]


@pytest.fixture
def shop() -> Shop:
    facts = registration(key_window=timedelta(hours=24), absence_after=timedelta(hours=1))
    shop = Shop(backend=Searchable, facts=facts)
    shop.order()
    return shop


def lose_answers(shop: Shop, times: int) -> None:
    shop.accounts.account("mock").backend.answers_lost = times


def test_what_a_look_finds_no_longer_waits_for_the_answer_that_was_lost(shop: Shop) -> None:
    """A notification wakes the payment before the call that made the transaction is repeated."""
    lose_answers(shop, 1)
    hold, confirm = shop.hold(), shop.confirm()
    shop.run()
    (prepare,) = shop.operations("prepare")
    assert prepare.state == OperationState.SENT
    shop.store.enqueue([sync_of("O1", shop.payment().id)])
    shop.settle_down()
    assert [op.state for op in shop.operations("prepare")] == [OperationState.OK]
    assert shop.directive(hold).status == DONE
    assert shop.directive(confirm).status == DONE, "it waited for the answer for ever"
    assert shop.payment().status is PaymentStatus.CAPTURED
    assert shop.moved_q() == 1000


def test_the_answer_that_comes_after_the_look_changes_nothing(shop: Shop) -> None:
    hold = shop.hold()
    (work,) = shop.engine.claim(1).works
    answer = shop.engine.perform(work)
    shop.clock.advance(shop.limits.lease + timedelta(seconds=1))
    shop.sync()
    assert shop.engine.settle([answer]) == []
    shop.settle_down()
    assert shop.directive(hold).status == DONE
    assert [op.state for op in shop.operations("prepare")] == [OperationState.OK]
    assert len(shop.gateway.transactions()) == 1


def test_an_order_is_cancelled_whose_transaction_was_found_by_a_look(shop: Shop) -> None:
    lose_answers(shop, 1)
    shop.hold()
    shop.run()
    shop.store.enqueue([sync_of("O1", shop.payment().id)])
    shop.store.cancel_order("O1")
    cancel = shop.cancel()
    shop.settle_down()
    assert shop.directive(cancel).status == DONE
    assert not any(operation.unsettled for operation in shop.operations())
    assert shop.moved_q() == 0


class Dated(Searchable):
    """Says of what was made, and of which nothing was asked yet, until when it can be paid."""

    def get_status(self, transaction_id: str) -> PaymentResult:
        seen = super().get_status(transaction_id)
        if seen.status != PaymentStatus.PENDING:
            return seen
        return replace(seen, expires_at=PAID_UNTIL)


def test_a_hold_that_never_arrived_is_not_taken_for_one_that_waits_for_its_payer() -> None:
    """The look shows what was prepared, with its date; the hold itself has to be sent again."""
    facts = registration(key_window=timedelta(hours=24), absence_after=timedelta(hours=1))
    shop = Shop(backend=Dated, facts=facts)
    shop.order()
    shop.fault("timeout", when="before")
    hold = shop.hold()
    shop.settle_down(timedelta(hours=2))
    assert shop.directive(hold).status == DONE
    assert shop.payment().status is PaymentStatus.AUTHORIZED
    assert len(shop.keys("authorize")) == 2
    assert len(set(shop.keys("authorize"))) == 1
