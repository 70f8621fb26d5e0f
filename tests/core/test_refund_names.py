"""A refund that the shop has named is known by its name, although no key can be read back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from omniman_payment_core.records import DirectiveStatus
from omniman_payment_core.values import PaymentResult
from omniman_payment_core.values import PaymentStatus as S
from omniman_payment_mock import MockPaymentBackend
from omniman_payment_mock.plugin import make_registration

from .harness import Shop


class Names(MockPaymentBackend):
    """As at Pix: the refund's id is the caller's own, and no key is ever shown."""

    def choose_refund_id(self, idempotency_key: str) -> str:
        return f"name-of-{idempotency_key}"

    def refund(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        reason: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        key = idempotency_key or ""
        result = super().refund(transaction_id, amount_q, reason, idempotency_key=key)
        return replace(result, reference=self.choose_refund_id(key))

    def get_status(self, transaction_id: str) -> PaymentResult:
        seen = super().get_status(transaction_id)
        refunds = [
            replace(
                refund,
                idempotency_key=None,
                reference=self.choose_refund_id(refund.idempotency_key)
                if refund.idempotency_key
                else refund.reference,
            )
            for refund in seen.refunds or ()
        ]
        return replace(seen, refunds=tuple(refunds))


@pytest.fixture
def shop() -> Shop:
    shop = Shop(backend=Names, facts=make_registration())
    shop.order()
    shop.charge()
    shop.run()
    return shop


def test_a_lost_answer_to_a_refund_is_found_by_its_name(shop: Shop) -> None:
    shop.fault("timeout", on="refund", when="after")
    refund = shop.refund(300)
    shop.settle_down()
    assert shop.directive(refund).status == DirectiveStatus.COMPLETED
    assert shop.methods().count("refund") == 1
    assert shop.payment().refunded_q == 300
    assert not shop.flags()


def test_a_refund_of_the_same_amount_made_outside_is_not_taken_for_ours(shop: Shop) -> None:
    shop.fault("timeout", on="refund", when="before")
    refund = shop.refund(300)
    shop.run()
    shop.gateway.refund_outside(shop.payment().transaction_id or "", 300)
    shop.settle_down()
    shop.advance(seconds=1)
    assert shop.directive(refund).status == DirectiveStatus.COMPLETED
    assert shop.payment().refunded_q == 600
    assert [refund.external for refund in shop.store.refunds.values()].count(True) == 1
    assert shop.payment().status is S.PARTIALLY_REFUNDED


def test_its_name_stands_with_the_refund_before_anything_is_asked(shop: Shop) -> None:
    shop.fault("timeout", on="refund", when="before")
    shop.refund(300)
    shop.run()
    (planned,) = shop.store.refunds.values()
    assert (planned.accepted, planned.reference) == (False, f"name-of-{planned.id}")


def test_a_refund_made_outside_meanwhile_shows_in_the_look_that_ends_the_doubt(shop: Shop) -> None:
    shop.fault("timeout", on="refund", when="after")
    refund = shop.refund(300)
    shop.run()
    shop.gateway.refund_outside(shop.payment().transaction_id or "", 200)
    shop.settle_down()
    assert shop.directive(refund).status == DirectiveStatus.COMPLETED
    assert shop.payment().refunded_q == 500
