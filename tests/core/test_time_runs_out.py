"""Holds that are about to lapse, shoppers who never come back, and captures in parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.contracts import Feature
from omniman_payment_core.records import DirectiveStatus, Topic
from omniman_payment_core.values import PaymentResult, PaymentStatus
from omniman_payment_mock import MockPaymentBackend

from .harness import Shop, registration

DONE, FAILED, WAITS = DirectiveStatus.COMPLETED, DirectiveStatus.FAILED, DirectiveStatus.PENDING
S = PaymentStatus
FOR_EVER = Feature.no("An open charge can be paid for ever.")


class Patient(MockPaymentBackend):
    """Lets an open charge be paid for ever, and says until when the shop wants to wait."""

    def get_status(self, transaction_id: str) -> PaymentResult:
        return self._waiting(super().get_status(transaction_id))

    def authorize(self, *args: Any, **kwargs: Any) -> PaymentResult:
        return self._waiting(super().authorize(*args, **kwargs))

    def _waiting(self, seen: PaymentResult) -> PaymentResult:
        txn = self.gateway.transaction(seen.transaction_id or "")
        assert txn is not None
        return replace(seen, expires_at=txn.created_at + timedelta(hours=6))


@pytest.fixture
def patient() -> Shop:
    shop = Shop(
        backend=Patient,
        facts=registration(
            key_window=timedelta(hours=24),
            absence_after=timedelta(0),
            features={"unpaid_expiry": FOR_EVER},
        ),
    )
    shop.order()
    shop.do(shop.hold(behaviour={"authenticate": True, "expires_in": 10**6}))
    assert shop.payment().status is S.REQUIRES_ACTION
    return shop


def test_a_shopper_who_never_comes_back_finds_the_payment_withdrawn(patient: Shop) -> None:
    patient.advance(hours=7)
    patient.settle_down()
    assert patient.payment().status is S.EXPIRED
    assert patient.methods()[-1] == "cancel"
    assert patient.triggers() == ["on_payment_expired"]
    assert not patient.view().cancelled
    with pytest.raises(ValueError, match="does not wait"):
        patient.gateway.confirm_3ds(str(patient.payment().transaction_id))


def test_a_shopper_who_paid_at_the_last_moment_has_paid(patient: Shop) -> None:
    patient.gateway.confirm_3ds(str(patient.payment().transaction_id))
    patient.advance(hours=7)
    patient.settle_down()
    assert patient.payment().status is S.AUTHORIZED
    assert "cancel" not in patient.methods()
    assert not patient.flags()


def test_a_shopper_who_pays_while_it_is_withdrawn_has_paid(patient: Shop) -> None:
    transaction_id = str(patient.payment().transaction_id)
    genuine = patient.accounts.configured["mock"].backend

    class Racing(Patient):
        def cancel(self, transaction_id: str, **kwargs: Any) -> PaymentResult:
            self.gateway.confirm_3ds(transaction_id)
            self.gateway.capture(transaction_id, None)
            return super().cancel(transaction_id, **kwargs)

    racing = Racing(gateway=genuine.gateway, clock=patient.clock.now)
    account = patient.accounts.configured["mock"]
    patient.accounts.configured["mock"] = replace(account, backend=racing)
    patient.advance(hours=7)
    patient.settle_down()
    assert patient.payment().transaction_id == transaction_id
    assert patient.payment().status is S.CAPTURED
    assert patient.moved_q() == 1000
    assert not patient.payment().cancel_requested
    assert patient.flag_kinds() == []


def test_a_hold_about_to_lapse_is_shown_to_a_person_once_and_in_time() -> None:
    shop = Shop()
    shop.order()
    shop.do(shop.hold())
    end = shop.payment().hold_expires_at
    assert end is not None
    for _ in range(5):
        shop.advance(days=1)
    assert not shop.flags()
    for _ in range(8):
        shop.advance(hours=5)
    assert shop.clock.now() < end
    (flag,) = shop.flags()
    assert flag.kind == "hold_expires_soon"
    assert flag.message == (
        f"10.00 BRL of order O1 is held until {end:%Y-%m-%d %H:%M} UTC and not captured: "
        "capture it, or let it go"
    )


def test_a_captured_hold_needs_no_warning() -> None:
    shop = Shop()
    shop.order()
    shop.do(shop.hold())
    shop.do(shop.confirm())
    shop.advance(days=6, hours=12)
    shop.sync()
    assert not shop.flags()


class Finalizing(MockPaymentBackend):
    """Lets go of the rest with a capture, unless it is told that it is not the last."""

    def capture(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        *,
        currency: str | None = None,
        final: bool = True,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        assert currency == "BRL"
        result = super().capture(transaction_id, amount_q, idempotency_key=idempotency_key)
        if not final or result.status != S.PARTIALLY_CAPTURED:
            return result
        self.gateway.cancel(transaction_id)
        return replace(result, status=S.CAPTURED)


def test_a_part_is_the_last_or_not_as_the_directive_says() -> None:
    shop = Shop(backend=Finalizing, facts=registration(key_window=timedelta(hours=24)))
    for ref in ("O1", "O2"):
        shop.order(ref)
        shop.do(shop.hold(ref))
    more = shop.enqueue(Topic.CONFIRM, "O1", {"amount_q": 400, "final": False})
    assert shop.do(more).status == DONE
    assert (shop.moved_q("O1"), shop.gateway.held_q("O1")) == (400, 600)
    assert shop.payment("O1").status is S.PARTIALLY_CAPTURED
    last = shop.enqueue(Topic.CONFIRM, "O1", {"amount_q": 500, "final": True})
    assert shop.do(last).status == DONE
    assert (shop.moved_q("O1"), shop.gateway.held_q("O1")) == (900, 0)
    assert shop.payment("O1").released_q == 100
    # Left unsaid, the gateway does as it always does.
    assert shop.do(shop.confirm(400, "O2")).status == DONE
    assert (shop.moved_q("O2"), shop.gateway.held_q("O2")) == (400, 0)


def test_a_choice_that_the_gateway_does_not_offer_is_refused_before_it_is_asked() -> None:
    once = Feature.no("A hold is captured once.")
    shop = Shop(facts=registration(features={"multiple_captures": once}))
    shop.add_account("keeps")
    shop.order("O1")
    shop.order("O2", payment_backend="keeps")
    for ref in ("O1", "O2"):
        shop.do(shop.hold(ref))
    keep = shop.do(shop.enqueue(Topic.CONFIRM, "O1", {"amount_q": 400, "final": False}))
    assert keep.result == {
        "error_code": "not_supported",
        "error_message": 'account "mock" (mock): A hold is captured once.',
    }
    let_go = shop.do(shop.enqueue(Topic.CONFIRM, "O2", {"amount_q": 400, "final": True}))
    assert let_go.status == FAILED
    assert "keeps the rest of a hold" in let_go.last_error
    assert "capture" not in shop.methods()


def test_a_choice_that_is_neither_yes_nor_no_is_refused() -> None:
    shop = Shop()
    shop.order()
    shop.do(shop.hold())
    wrong = shop.do(shop.enqueue(Topic.CONFIRM, "O1", {"amount_q": 400, "final": "no"}))
    assert wrong.last_error == '"final" is a text; it has to be true or false'
    assert shop.gateway.held_q("O1") == 1000
