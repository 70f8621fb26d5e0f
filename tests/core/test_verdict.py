"""An unknown outcome that no look can settle ends with a person's word, on the record."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_core.errors import NotAttemptedError, OutcomeUnknownError
from omniman_payment_core.records import (
    Directive,
    DirectiveStatus,
    EventKind,
    OperationState,
    Source,
    Topic,
)
from omniman_payment_core.values import PaymentResult
from omniman_payment_core.values import PaymentStatus as S
from omniman_payment_mock import MockPaymentBackend

from .harness import Shop

DONE, FAILED, PARKED = DirectiveStatus.COMPLETED, DirectiveStatus.FAILED, DirectiveStatus.PARKED


class Blind(MockPaymentBackend):
    """Understands no keys, cannot be searched, and while ``dark`` shows nothing at all."""

    choose_transaction_id = None  # type: ignore[assignment]
    find = None  # type: ignore[assignment]
    dark = ""

    def authorize(
        self, amount_q: int, currency: str, order_ref: str, payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> PaymentResult:  # fmt: skip
        result = super().authorize(amount_q, currency, order_ref, payment_method, metadata)
        return self._lost("authorize", result)

    def capture(self, transaction_id: str, amount_q: int | None = None) -> PaymentResult:
        return self._lost("capture", super().capture(transaction_id, amount_q))

    def refund(
        self, transaction_id: str, amount_q: int | None = None, reason: str | None = None
    ) -> PaymentResult:
        return self._lost("refund", super().refund(transaction_id, amount_q, reason))

    def cancel(self, transaction_id: str) -> PaymentResult:
        return self._lost("cancel", super().cancel(transaction_id))

    def get_status(self, transaction_id: str) -> PaymentResult:
        if self.dark:
            raise NotAttemptedError("the gateway's reading side is down")
        return super().get_status(transaction_id)

    def _lost(self, method: str, result: PaymentResult) -> PaymentResult:
        if self.dark == method:
            raise OutcomeUnknownError("no answer in time")
        return result


@pytest.fixture
def shop() -> Shop:
    shop = Shop(backend=Blind)
    shop.order()
    return shop


def darken(shop: Shop, method: str) -> None:
    shop.accounts.account("mock").backend.dark = method


def parked(shop: Shop, kind: str) -> str:
    """The key of the one operation that is parked."""
    (operation,) = [o for o in shop.operations(kind) if o.state == OperationState.PARKED]
    return operation.key


def judge(shop: Shop, key: str, yes: bool, **more: Any) -> Directive:
    payload = {"operation": key, "happened": yes, "actor": "Ana", "reason": "statement"}
    return shop.do(shop.enqueue(Topic.VERDICT, payload={**payload, **more}))


def lose(shop: Shop, method: str, number: int) -> str:
    """Let a directive's call lose its answer for good; the operation's key."""
    shop.settle_down()
    assert shop.directive(number).status == PARKED
    darken(shop, "")
    return parked(shop, method)


def held(shop: Shop) -> None:
    shop.hold()
    shop.run()
    assert shop.payment().status is S.AUTHORIZED


def test_a_capture_that_happened_is_a_fact_with_who_said_so(shop: Shop) -> None:
    held(shop)
    darken(shop, "capture")
    confirm = shop.confirm()
    key = lose(shop, "capture", confirm)
    assert judge(shop, key, True).status == DONE
    assert shop.payment().captured_q == shop.moved_q() == 1000
    assert shop.directive(confirm).status == DONE
    (event,) = [e for e in shop.store.events.values() if e.kind == EventKind.CAPTURED]
    assert (event.source, event.actor) == (Source.OPERATOR, "Ana")
    assert event.data["verdict"] == "Ana: statement"


def test_a_capture_that_did_not_happen_is_made_again(shop: Shop) -> None:
    held(shop)
    shop.fault("timeout", on="capture", when="before")
    darken(shop, "other")
    confirm = shop.confirm()
    key = lose(shop, "capture", confirm)
    assert shop.moved_q() == 0
    judge(shop, key, False)
    shop.settle_down()
    assert shop.directive(confirm).status == DONE
    assert shop.payment().captured_q == shop.moved_q() == 1000
    assert len({operation.key for operation in shop.operations("capture")}) == 2


def test_a_refund_that_happened_is_not_made_again(shop: Shop) -> None:
    held(shop)
    shop.do(shop.confirm())
    darken(shop, "refund")
    refund = shop.refund(300)
    key = lose(shop, "refund", refund)
    (transaction_id,) = shop.gateway.transactions()
    (made,) = shop.gateway.transaction(transaction_id).refunds  # type: ignore[union-attr]
    judge(shop, key, True, reference=made.reference)
    shop.settle_down()
    assert shop.directive(refund).status == DONE
    assert shop.payment().refunded_q == 300
    assert shop.moved_q() == 700
    (known,) = [r for r in shop.store.refunds.values() if r.id == key]
    assert known.reference == made.reference


def test_a_refund_that_did_not_happen_frees_its_amount(shop: Shop) -> None:
    held(shop)
    shop.do(shop.confirm())
    shop.fault("timeout", on="refund", when="before")
    darken(shop, "other")
    refund = shop.refund(1000)
    key = lose(shop, "refund", refund)
    judge(shop, key, False)
    shop.settle_down()
    assert shop.directive(refund).status == DONE
    assert shop.moved_q() == 0
    assert shop.payment().refunded_q == 1000


def test_a_hold_that_happened_needs_its_address(shop: Shop) -> None:
    darken(shop, "authorize")
    hold = shop.hold()
    key = lose(shop, "authorize", hold)
    (transaction_id,) = shop.gateway.transactions()
    refused = judge(shop, key, True)
    assert (refused.status, "reference" in refused.last_error) == (FAILED, True)
    assert judge(shop, key, True, reference=transaction_id).status == DONE
    assert shop.payment().status is S.AUTHORIZED
    assert shop.do(shop.confirm()).status == DONE
    assert shop.moved_q() == 1000


def test_what_waited_behind_it_goes_on(shop: Shop) -> None:
    held(shop)
    darken(shop, "capture")
    first, second = shop.confirm(400), shop.cancel()
    shop.settle_down()
    assert [shop.directive(n).status for n in (first, second)] == [PARKED, PARKED]
    key = parked(shop, "capture")
    darken(shop, "")
    judge(shop, key, True)
    shop.settle_down()
    assert shop.directive(second).status == DONE
    assert shop.gateway.held_q("O1") == 0


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ({"operation": "omp_nobody"}, "has no operation"),
        ({"actor": " "}, '"actor" is missing'),
        ({"reason": None}, '"reason" is missing'),
        ({"happened": None}, '"happened" is missing'),
        ({"happened": "yes"}, "true or false"),
    ],
)
def test_a_verdict_that_says_too_little_changes_nothing(
    shop: Shop, payload: dict[str, Any], why: str
) -> None:
    held(shop)
    darken(shop, "capture")
    key = lose(shop, "capture", shop.confirm())
    verdict = judge(shop, key, True, **payload)
    assert verdict.status == FAILED
    assert why in verdict.last_error
    assert shop.payment().captured_q == 0
    assert parked(shop, "capture") == key


def test_only_what_is_parked_is_judged(shop: Shop) -> None:
    held(shop)
    shop.do(shop.confirm())
    (operation,) = shop.operations("capture")
    verdict = judge(shop, operation.key, False)
    assert verdict.status == FAILED
    assert "is ok" in verdict.last_error
    assert shop.payment().captured_q == 1000


def test_a_verdict_is_given_once(shop: Shop) -> None:
    held(shop)
    darken(shop, "capture")
    key = lose(shop, "capture", shop.confirm())
    assert judge(shop, key, True).status == DONE
    assert judge(shop, key, True).status == FAILED
    assert shop.payment().captured_q == 1000


def test_a_wrong_verdict_is_found_out_by_the_next_look(shop: Shop) -> None:
    held(shop)
    shop.fault("timeout", on="capture", when="before")
    darken(shop, "other")
    key = lose(shop, "capture", shop.confirm())
    judge(shop, key, True)
    shop.advance(seconds=1)
    assert shop.methods()[-1] == "get_status"
