"""Rare coincidences that the simulation found: each once doubled, stuck or misread something."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.contracts import abilities_of
from omniman_payment_core.decisions import NotAttempted, Rules, sync_of
from omniman_payment_core.records import DirectiveStatus, OperationState, Topic
from omniman_payment_core.values import PaymentResult, PaymentStatus
from omniman_payment_mock import MockPaymentBackend
from tests.simulation.gateways import (
    ChargesOnly,
    FiveMethods,
    FiveMethodsAndFind,
    Patient,
    Prepares,
)

from .harness import Shop, registration

S = PaymentStatus
ABSENCE = timedelta(minutes=10)


def plain(**facts: Any) -> Shop:
    """A shop whose backend answers with six bare fields."""
    return _speaking(FiveMethods, **facts)


def finding() -> Shop:
    """The same, whose backend can also look for an order's transactions."""
    shop = _speaking(FiveMethodsAndFind, absence_after=ABSENCE)
    shop.order()
    return shop


def _speaking(shape: type[FiveMethods], **facts: Any) -> Shop:
    shop = Shop(facts=registration(**facts))
    account = shop.accounts.configured["mock"]
    backend = shape(MockPaymentBackend(gateway=shop.gateway, clock=shop.clock.now))
    shop.accounts.configured["mock"] = replace(
        account, backend=backend, abilities=abilities_of(backend)
    )
    return shop


def test_a_second_call_under_one_claim_is_not_sent_when_the_lease_is_nearly_over() -> None:
    shop = Shop(backend=Prepares, facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    shop.hold()
    (prepare,) = shop.engine.claim(1).works
    answer = shop.engine.perform(prepare)
    shop.clock.advance(timedelta(seconds=50))
    (authorize,) = shop.engine.settle([answer])
    assert authorize.request.method == "authorize"
    shop.clock.advance(timedelta(seconds=50))
    late = shop.engine.perform(authorize)
    assert isinstance(late.outcome, NotAttempted), "the lease is as old as the claim"
    shop.engine.settle([late])
    shop.run()
    assert shop.payment().status is S.AUTHORIZED


def test_the_answer_of_a_call_that_was_written_off_decides_nothing() -> None:
    shop = Shop(facts=registration(key_window=timedelta(hours=24), absence_after=ABSENCE))
    shop.order()
    number = shop.hold()
    (work,) = shop.engine.claim(1).works
    written_off = shop.engine.overdue(work)
    late = replace(shop.engine.perform(work), late=True)
    # The store would not take the first of the two, so that the second comes before it.
    assert shop.engine.settle([late]) == []
    assert shop.payment().status is S.AUTHORIZED, "its facts count"
    assert shop.directive(number).status == DirectiveStatus.RUNNING, "its decisions do not"
    shop.engine.settle([written_off])
    shop.settle_down()
    assert shop.directive(number).status == DirectiveStatus.COMPLETED
    assert len(shop.gateway.transactions()) == 1


def test_the_keys_window_begins_with_the_first_attempt_that_may_have_arrived() -> None:
    shop = Shop(facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    shop.fault("not_attempted")
    number = shop.do(shop.hold()).id
    (operation,) = shop.operations()
    assert operation.state == OperationState.PLANNED
    shop.clock.advance(timedelta(hours=30))
    shop.fault("timeout", when="after")
    shop.fault("timeout", on="get_status")
    shop.settle_down()
    assert shop.directive(number).status == DirectiveStatus.COMPLETED
    assert shop.flag_kinds() == []
    (operation,) = shop.operations()
    assert operation.window_until is not None
    assert operation.window_until > shop.clock.now()


def test_whoever_waits_behind_a_parked_operation_is_told_the_way_out() -> None:
    shop = Shop(rules=Rules(max_attempts=1), facts=registration())
    shop.order()
    shop.fault("timeout", on="mutating")
    shop.hold()
    shop.settle_down()
    assert shop.flag_kinds() == ["attempts_exhausted"]
    shop.do(shop.hold())
    assert "payments verdict" in shop.flags("outcome_unknown")[0].message


def test_nothing_is_decided_by_the_abilities_of_another_account_under_the_same_name() -> None:
    shop = Shop(facts=registration(key_window=timedelta(hours=24), absence_after=ABSENCE))
    shop.order()
    shop.fault("timeout", when="before")
    shop.hold()
    (work,) = shop.engine.claim(1).works
    shop.engine.settle([shop.engine.perform(work)])
    own = shop.accounts.configured["mock"]
    shop.add_account("mock", ChargesOnly, registration(), fingerprint="another-merchant")
    shop.advance(minutes=20)
    assert [op.kind for op in shop.operations()] == ["authorize"]
    assert shop.flag_kinds() == ["account_unusable"]
    shop.accounts.configured["mock"] = own
    shop.settle_down()
    assert shop.payment().status is S.AUTHORIZED


def test_the_rest_of_a_hold_is_let_go_behind_a_dispute() -> None:
    shop = Shop()
    shop.order()
    shop.do(shop.hold())
    shop.do(shop.confirm(400))
    shop.gateway.dispute(str(shop.payment().transaction_id))
    shop.do(shop.cancel())
    assert shop.payment().open_q == 0
    assert shop.payment().status is S.DISPUTED
    (cancel,) = shop.operations("cancel")
    assert cancel.state == OperationState.OK
    assert shop.methods().count("cancel") == 1


def test_a_bare_captured_after_a_part_was_taken_is_no_proof_that_the_rest_was() -> None:
    shop = plain(absence_after=None)
    shop.order()
    shop.do(shop.hold(behaviour={"expires_in": 86_400}))
    shop.do(shop.confirm(300))
    shop.fault("timeout", on="capture", when="before")
    shop.confirm(700)
    shop.settle_down()
    assert "outcome_unknown" in shop.flag_kinds()
    # The rest lapses, and the gateway calls what is left "captured".
    shop.advance(days=2)
    shop.sync()
    assert shop.payment().captured_q == 300 == shop.moved_q()


def test_nor_is_it_one_where_the_rest_lapsed_before_anybody_looked() -> None:
    shop = plain(absence_after=None)
    shop.order()
    shop.do(shop.hold(behaviour={"expires_in": 600}))
    shop.do(shop.confirm(300))
    shop.fault("timeout", on="capture", when="before")
    shop.confirm(700)
    shop.run()
    shop.advance(minutes=11)
    shop.settle_down()
    assert shop.payment().captured_q == 300 == shop.moved_q()
    assert "outcome_unknown" in shop.flag_kinds()


def test_what_was_captured_does_not_lapse_because_a_look_lags() -> None:
    class Lagging(MockPaymentBackend):
        seen: PaymentResult | None = None

        def get_status(self, transaction_id: str) -> PaymentResult:
            return self.seen or super().get_status(transaction_id)

    shop = Shop(backend=Lagging, facts=registration(absence_after=ABSENCE))
    shop.order()
    shop.do(shop.hold(behaviour={"expires_in": 600}))
    backend: Any = shop.accounts.account("mock").backend
    backend.seen = backend.get_status(str(shop.payment().transaction_id))
    shop.advance(minutes=9)
    shop.fault("timeout", on="capture", when="after")
    shop.confirm()
    shop.run()
    shop.advance(minutes=2)
    backend.seen = None
    shop.settle_down()
    assert shop.payment().captured_q == 1000 == shop.moved_q()
    assert shop.payment().released_q == 0


def test_what_a_late_look_explains_is_parked_no_longer() -> None:
    shop = plain(absence_after=None)
    shop.order()
    shop.do(shop.hold())
    backend: Any = shop.accounts.account("mock").backend
    held = backend.get_status(str(shop.payment().transaction_id))
    backend.get_status = lambda transaction_id: held
    shop.fault("timeout", on="capture", when="after")
    confirm = shop.confirm()
    refund = shop.refund(300)
    shop.settle_down(timedelta(hours=12))
    assert shop.directive(confirm).status == DirectiveStatus.PARKED
    assert shop.directive(refund).status == DirectiveStatus.PARKED
    del backend.get_status
    shop.sync()
    shop.settle_down()
    assert (shop.payment().captured_q, shop.payment().refunded_q) == (1000, 300)
    assert shop.directive(confirm).status == DirectiveStatus.COMPLETED
    assert shop.directive(refund).status == DirectiveStatus.COMPLETED
    assert [shop.methods().count(kind) for kind in ("capture", "refund")] == [1, 1]
    assert shop.flags() == []


def test_what_a_final_capture_let_go_shows_behind_a_refund_in_the_dashboard() -> None:
    shop = Shop(backend=Patient, facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    shop.do(shop.hold())
    shop.confirm(400)
    works = shop.engine.claim(1).works
    [shop.engine.perform(work) for work in works]
    # The worker dies with the answer, and somebody gives all of it back by hand.
    shop.gateway.refund_outside(str(shop.payment().transaction_id), 400)
    shop.advance(minutes=10)
    shop.sync()
    payment = shop.payment()
    assert (payment.captured_q, payment.refunded_q, payment.open_q) == (400, 400, 0)
    assert shop.gateway.held_q("O1") == 0


def test_a_refund_on_its_way_does_not_show_in_a_bare_status_and_is_not_made_twice() -> None:
    shop = plain(absence_after=ABSENCE)
    shop.order()
    shop.do(shop.charge(behaviour={"refund": "pending"}))
    shop.fault("timeout", on="refund", when="after")
    shop.refund(400)
    shop.settle_down()
    assert shop.methods().count("refund") == 1
    assert shop.flag_kinds() == ["outcome_unknown"]


def test_an_opening_that_waits_for_the_payer_is_not_taken_for_an_address_only() -> None:
    facts = registration(key_window=timedelta(hours=24), absence_after=ABSENCE)
    shop = Shop(backend=Prepares, facts=facts)
    shop.order()
    shop.fault("timeout", on="mutating", when="after")
    shop.do(shop.hold(behaviour={"qr": True}))
    shop.advance(minutes=20)
    (authorize,) = shop.operations("authorize")
    assert authorize.state == OperationState.PENDING
    shop.gateway.pay(str(shop.payment().transaction_id))
    shop.sync()
    assert shop.payment().status is S.AUTHORIZED
    assert shop.flag_kinds() == []


def test_what_was_returned_in_part_was_paid_before() -> None:
    shop = plain(absence_after=None)
    shop.order()
    shop.do(shop.charge(behaviour={"qr": True}))
    transaction_id = str(shop.payment().transaction_id)
    shop.gateway.pay(transaction_id)
    shop.gateway.refund_outside(transaction_id, 1)
    shop.sync()
    assert shop.payment().captured_q == 1000
    assert shop.triggers() == ["on_payment_confirm"]


def test_the_rest_of_a_charge_that_was_paid_in_part_can_be_withdrawn() -> None:
    shop = Shop()
    shop.order()
    shop.do(shop.charge(behaviour={"qr": True}))
    transaction_id = str(shop.payment().transaction_id)
    genuine = shop.accounts.configured["mock"].backend

    class Racing(MockPaymentBackend):
        def cancel(self, transaction_id: str, **kwargs: Any) -> PaymentResult:
            self.gateway.pay(transaction_id, 400)
            return super().cancel(transaction_id, **kwargs)

    racing = Racing(gateway=genuine.gateway, clock=shop.clock.now)
    account = shop.accounts.configured["mock"]
    shop.accounts.configured["mock"] = replace(account, backend=racing)
    shop.do(shop.cancel())
    (cancel,) = shop.operations("cancel")
    assert cancel.state == OperationState.OK
    assert "cancelled_but_paid" in shop.flag_kinds()
    with pytest.raises(ValueError, match="takes no payment"):
        shop.gateway.pay(transaction_id)


def test_what_is_left_goes_back_although_the_excess_went_back_before() -> None:
    shop = Shop(config={"late_money": "refund"})
    shop.order()
    shop.do(shop.charge(behaviour={"qr": True}))
    shop.gateway.pay(str(shop.payment().transaction_id), 1001)
    shop.sync()
    assert shop.moved_q() == 1000
    shop.store.cancel_order("O1")
    shop.do(shop.cancel())
    shop.do(shop.cancel())
    assert shop.moved_q() == 0
    assert sorted(op.amount_q for op in shop.operations("refund")) == [1, 1000]


def test_a_verdict_is_written_to_the_payment_whose_operation_it_is_about() -> None:
    shop = Shop(facts=registration())
    shop.order()
    shop.do(shop.hold(behaviour={"decline": "insufficient_funds"}))
    shop.do(shop.hold(attempt=2))
    shop.fault("timeout", on="capture", when="after")
    shop.fault("timeout", on="get_status", times=99)
    shop.confirm()
    while not shop.flags("outcome_unknown") and not shop.flags("attempts_exhausted"):
        shop.fault("timeout", on="get_status")
        shop.advance(hours=1)
    (capture,) = shop.operations("capture")
    said = {"operation": capture.key, "happened": True, "actor": "ana", "reason": "looked"}
    shop.do(shop.enqueue(Topic.VERDICT, payload=said))
    first, second = shop.payments()
    assert (first.captured_q, second.captured_q) == (0, 1000)
    assert first.status is S.FAILED


def test_an_opening_that_the_gateway_is_still_about_is_asked_for_again_under_its_own_key() -> None:
    """A look at a prepared address shows the same before the opening and while it is worked on."""
    facts = registration(key_window=timedelta(hours=24), absence_after=ABSENCE)
    shop = Shop(backend=Prepares, facts=facts)
    shop.order()
    shop.fault("timeout", on="authorize", when="after")
    shop.do(shop.hold(behaviour={"pending": True}))
    shop.clock.advance(timedelta(minutes=20))
    shop.settle_down(timedelta(minutes=5))
    (authorize,) = shop.operations("authorize")
    assert authorize.state == OperationState.PENDING
    assert len(set(shop.keys("authorize"))) == 1


def test_an_old_look_does_not_tell_that_a_charge_has_expired_unpaid_since() -> None:
    shop = Shop(facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    shop.do(shop.charge(behaviour={"qr": True}))
    shop.store.enqueue([sync_of("O1", shop.payment().id)])
    (look,) = shop.engine.claim(1).works
    answer = shop.engine.perform(look)
    shop.gateway.pay(str(shop.payment().transaction_id))
    shop.clock.advance(timedelta(hours=25))
    shop.engine.settle([answer])
    assert shop.payment().status is S.PENDING, "somebody may have paid since"
    shop.settle_down()
    assert shop.payment().status is S.CAPTURED
    assert shop.triggers() == ["on_payment_confirm"]


def test_an_old_look_does_not_tell_that_a_hold_has_lapsed_uncaptured_since() -> None:
    shop = Shop(facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    shop.do(shop.hold(behaviour={"expires_in": 3600}))
    shop.store.enqueue([sync_of("O1", shop.payment().id)])
    (look,) = shop.engine.claim(1).works
    answer = shop.engine.perform(look)
    shop.gateway.capture(str(shop.payment().transaction_id), 333)
    shop.clock.advance(timedelta(hours=2))
    shop.engine.settle([answer])
    shop.settle_down()
    payment = shop.payment()
    assert (payment.captured_q, payment.released_q, payment.open_q) == (333, 667, 0)


def test_an_old_look_does_not_let_go_of_what_is_held_since() -> None:
    shop = Shop(facts=registration(key_window=timedelta(hours=24)))
    shop.order()
    shop.do(shop.hold(behaviour={"authenticate": True}))
    shop.store.enqueue([sync_of("O1", shop.payment().id)])
    (look,) = shop.engine.claim(1).works
    answer = shop.engine.perform(look)
    shop.gateway.confirm_3ds(str(shop.payment().transaction_id))
    shop.clock.advance(timedelta(minutes=10))
    shop.store.enqueue([sync_of("O1", shop.payment().id)])
    shop.settle_down()
    assert shop.payment().status is S.AUTHORIZED
    shop.engine.settle([answer])
    shop.settle_down()
    assert shop.payment().open_q == shop.gateway.held_q("O1") == 1000


def test_an_attempt_of_which_nothing_left_takes_no_other_attempts_transaction() -> None:
    """A look at the order finds the second attempt's hold while its answer is lost."""
    shop = finding()
    shop.fault("not_attempted")
    shop.hold()
    shop.run()
    shop.do(shop.cancel())
    _second_attempt_in_doubt(shop)


def test_an_attempt_that_came_to_nothing_takes_no_other_attempts_transaction() -> None:
    """The same, where the first attempt was sent and the gateway never got it."""
    shop = finding()
    shop.fault("timeout", when="before")
    shop.hold()
    shop.run()
    shop.cancel()
    shop.settle_down()
    assert [operation.state for operation in shop.operations()] == [OperationState.ABANDONED]
    _second_attempt_in_doubt(shop)


def _second_attempt_in_doubt(shop: Shop) -> None:
    first = shop.payment()
    shop.fault("timeout", when="after")
    shop.hold(attempt=2)
    shop.run()
    shop.store.enqueue([sync_of("O1", first.id)])
    shop.settle_down()
    (transaction,) = shop.gateway.transactions()
    assert [payment.transaction_id for payment in shop.payments()] == [None, transaction]
    assert [payment.status for payment in shop.payments()] == [S.CANCELLED, S.AUTHORIZED]


def test_a_bare_partial_refund_is_no_proof_that_the_whole_was_returned() -> None:
    """Ours was never sent; somebody returned a cent in the gateway's dashboard."""
    shop = plain(absence_after=ABSENCE)
    shop.order()
    shop.do(shop.charge())
    (transaction,) = shop.gateway.transactions()
    shop.fault("timeout", on="refund")
    shop.refund()
    shop.gateway.refund_outside(transaction, 1)
    shop.settle_down()
    assert shop.payment().refunded_q == 0
    assert shop.flag_kinds() == ["outcome_unknown"]
