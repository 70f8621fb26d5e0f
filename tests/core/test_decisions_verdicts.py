"""A person says what became of a parked operation: written down, and everything goes on."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_core.records import (
    FoundOut,
    OperationState,
    Payment,
)
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    CANCELLED,
    NOW,
    Decided,
    Desk,
    operation,
    payment,
    refund,
)

HELD: dict[str, Any] = {"authorized_q": 1000, "status": S.AUTHORIZED}
PAID: dict[str, Any] = {"captured_q": 1000, "status": S.CAPTURED}
SAID: dict[str, Any] = {"actor": "ana", "reason": "seen in the panel"}


def verdict(
    kind: str,
    happened: Any = True,
    *,
    paid: Payment | None = None,
    state: str = "parked",
    **said: Any,
) -> Decided:
    """What a person's word about a parked operation of this kind changes."""
    mine = operation(kind, state, cause="directive-1")
    payload = {"operation": mine.key, "happened": happened, **SAID, **said}
    reserved = [refund(amount_q=1000)] if kind == "refund" else []
    desk = Desk(
        "payment.verdict", payload, payments=[paid or payment()], operations=[mine],
        refunds=reserved,
    )  # fmt: skip
    return desk.decide()


@pytest.mark.parametrize(
    ("kind", "paid", "facts", "key"),
    [
        ("authorize", {}, [("authorized", 1000)], "omp_pay-1_authorize_1:authorized"),
        ("charge", {}, [("captured", 1000)], "pay-1:captured:1000"),
        ("capture", HELD, [("captured", 1000)], "omp_pay-1_capture_1:captured"),
        ("cancel", HELD, [("voided", 1000)], "omp_pay-1_cancel_1:voided"),
    ],
)
def test_what_happened_becomes_a_fact_with_who_said_so(
    kind: str, paid: Any, facts: Any, key: str
) -> None:
    said = verdict(kind, paid=payment(**paid))
    assert said.facts == facts
    (event,) = said.events
    assert (event.dedupe_key, event.gateway_reference) == (key, "tx-1")
    assert (event.source, event.actor) == ("operator", "ana")
    assert event.data == {"verdict": "ana: seen in the panel"}
    settled = said.operation(f"omp_pay-1_{kind}_1")
    assert (settled.state, settled.gateway_reference) == (OperationState.OK, "tx-1")
    assert settled.evidence == "ana: seen in the panel"
    assert said.result == {"operation": settled.key, "happened": True}
    named = verdict(kind, paid=payment(**paid), reference="ref-1")
    assert named.events[0].gateway_reference == "ref-1"
    assert named.operation(settled.key).gateway_reference == "ref-1"


def test_after_a_verdict_everything_that_waited_runs_and_the_gateway_is_asked() -> None:
    for happened in (True, False):
        said = verdict("capture", happened, paid=payment(**HELD))
        assert said.changes.wake
        assert said.changes.revive
        assert said.changes.found_out == FoundOut("ana", "ana: seen in the panel")
        assert said.payment.next_check_at == NOW
        assert said.payment.checks == 0


@pytest.mark.parametrize("kind", ["authorize", "charge", "prepare"])
def test_a_transaction_without_an_address_needs_one(kind: str) -> None:
    nameless = payment(transaction_id=None)
    lost = verdict(kind, paid=nameless)
    assert lost.code == "invalid_payload"
    assert '"reference"' in lost.end.last_error
    assert lost.facts == []
    found = verdict(kind, paid=nameless, reference="tx-7")
    assert found.payment.transaction_id == "tx-7"
    known = verdict(kind, reference="tx-7")
    assert known.payment.transaction_id == "tx-1"


def test_what_was_prepared_is_no_money() -> None:
    assert verdict("prepare").facts == []
    assert verdict("prepare").operation("omp_pay-1_prepare_1").state == OperationState.OK


def test_a_charge_beside_an_earlier_one_is_counted_on_top() -> None:
    said = verdict("charge", paid=payment(captured_q=300, status=S.PARTIALLY_CAPTURED))
    assert said.events[0].dedupe_key == "pay-1:captured:1300"


def test_a_refund_needs_its_own_id_so_that_no_look_takes_it_for_another() -> None:
    lost = verdict("refund", paid=payment(**PAID))
    assert (lost.code, lost.facts) == ("invalid_payload", [])
    said = verdict("refund", paid=payment(**PAID), reference="re-1")
    assert said.facts == [("refunded", 1000)]
    done = said.refund()
    assert (done.status, done.reference) == ("succeeded", "re-1")
    settled = said.operation("omp_pay-1_refund_1")
    assert (settled.state, settled.evidence) == (OperationState.OK, "ana: seen in the panel")


@pytest.mark.parametrize("kind", ["authorize", "charge", "capture", "refund", "cancel"])
def test_what_did_not_happen_is_noted_and_given_up(kind: str) -> None:
    said = verdict(kind, False, paid=payment(**PAID))
    assert said.facts == [("note", 0)]
    (note,) = said.events
    key = f"omp_pay-1_{kind}_1"
    assert note.dedupe_key == f"{key}:verdict"
    assert note.data == {
        "verdict": "ana: seen in the panel",
        "operation": key,
        "about": kind,
        "happened": False,
    }
    given_up = said.operation(key)
    assert (given_up.state, given_up.evidence) == (
        OperationState.ABANDONED,
        "ana: seen in the panel",
    )
    assert said.result == {"operation": key, "happened": False}
    if kind == "refund":
        assert said.refund().status == "failed"
    else:
        assert said.changes.refunds == ()


@pytest.mark.parametrize("state", ["planned", "sent", "ok", "refused", "abandoned", "pending"])
def test_only_what_is_parked_can_be_judged(state: str) -> None:
    assert verdict("capture", paid=payment(**HELD), state=state).code == "not_parked"


@pytest.mark.parametrize("missing", ["operation", "actor", "reason", "happened"])
def test_a_verdict_is_complete(missing: str) -> None:
    values: tuple[Any, ...] = (None,) if missing == "happened" else (None, "", "  ", 5)
    for value in values:
        said = verdict("capture", **{missing: value})
        assert said.code == "invalid_payload"
        assert f'"{missing}"' in said.end.last_error
    assert verdict("capture", "yes").code == "invalid_payload"


def test_a_verdict_on_nothing_known_is_refused() -> None:
    assert verdict("capture", operation="omp_pay-9_capture_1").code == "unknown_operation"
    alone = Desk("payment.verdict", {"operation": "x", "happened": True, **SAID})
    assert alone.decide().code == "unknown_operation"


def test_a_verdict_is_written_to_its_own_payment() -> None:
    mine = operation("capture", "parked", cause="directive-1")
    two = [payment(**HELD), payment(2, **HELD)]
    payload = {"operation": mine.key, "happened": True, **SAID}
    said = Desk("payment.verdict", payload, payments=two, operations=[mine]).decide()
    assert said.payment.id == "pay-1"


def test_a_verdict_that_brings_money_too_late_is_shown() -> None:
    mine = operation("capture", "parked", cause="directive-1")
    payload = {"operation": mine.key, "happened": True, **SAID}
    desk = Desk(
        "payment.verdict", payload, payments=[payment(**HELD)], operations=[mine], order=CANCELLED
    )
    assert desk.decide().flags == ["late_money"]
