"""From a directive to its call: opening a payment, its key, its account, and its answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.contracts import BackendRegistration
from omniman_payment_core.decisions import Answered, NotFound
from omniman_payment_core.records import ChannelView, OperationState
from omniman_payment_core.values import PaymentStatus as S

from .cases import (
    ALL_METHODS,
    CANCELLED,
    DAY,
    DONE,
    HOUR,
    MINUTE,
    NOW,
    ORDER,
    PARKED,
    SECOND,
    Desk,
    answer,
    operation,
    payment,
)
from .desks import METHOD, PAY, PAYLOAD, PREPARES, begun, opening

BOTH = pytest.mark.parametrize(
    ("topic", "kind"), [("payment.hold", "authorize"), ("payment.charge", "charge")]
)

# -- the first call -------------------------------------------------------------------------------


@BOTH
def test_a_payment_is_opened_with_everything_it_will_ever_need(topic: str, kind: str) -> None:
    made = opening(topic).decide()
    assert made.changes.payment_is_new
    opened = made.payment
    assert (opened.id, opened.order_ref, opened.attempt) == ("pay-new", "O1", 1)
    assert (opened.account, opened.fingerprint, opened.livemode) == ("shop", "print", False)
    assert (opened.plugin, opened.plugin_version) == ("mock", "1")
    assert (opened.amount_q, opened.currency, opened.created_at) == (900, "BRL", NOW)
    assert opened.flow == ("authorize_capture" if kind == "authorize" else "charge")
    assert (opened.transaction_id, opened.version) == (None, 1)
    assert made.facts == [("opened", 900)]
    assert made.events[0].dedupe_key == "pay-new:opened"
    assert made.events[0].data == {
        "account": "shop",
        "flow": opened.flow,
        "late_money": "flag",
    }


@BOTH
def test_the_call_carries_what_was_asked_and_is_written_down_as_sent(topic: str, kind: str) -> None:
    made = opening(topic).decide()
    asked = made.request
    assert (asked.method, asked.account, asked.fingerprint) == (kind, "shop", "print")
    assert (asked.plugin, asked.livemode) == ("mock", False)
    assert (asked.payment_id, asked.order_ref) == ("pay-new", "O1")
    assert (asked.amount_q, asked.currency, asked.transaction_id) == (900, "BRL", None)
    assert (asked.payment_method, asked.metadata) == (METHOD, {"basket": 5})
    assert (asked.reason, asked.capture, asked.final) == (None, False, None)
    assert (asked.was_in_doubt, asked.attempt) == (False, 1)
    (sent,) = made.changes.new_operations
    assert asked.operation == sent
    assert sent.key == f"omp_pay-new_{kind}_1"
    assert (sent.kind, sent.ordinal, sent.payment_id) == (kind, 1, "pay-new")
    assert (sent.cause, sent.amount_q, sent.currency) == ("directive-7", 900, "BRL")
    assert (sent.state, sent.attempts, sent.fence) == (OperationState.SENT, 1, 5)
    assert (sent.created_at, sent.first_sent_at, sent.last_sent_at) == (NOW, NOW, NOW)
    assert (sent.window_until, sent.address) == (None, "")
    assert made.changes.directive is None


def test_a_directive_with_a_name_is_known_by_it() -> None:
    (sent,) = opening(dedupe_key="hold-of-O1").decide().changes.new_operations
    assert sent.cause == "hold-of-O1"


def test_the_keys_window_begins_with_the_first_sending() -> None:
    desk = opening().features(key_window=DAY)
    assert desk.decide().changes.new_operations[0].window_until == NOW + DAY
    doubt = begun("authorize", "sent", first_sent_at=NOW - HOUR)
    again = replace(
        desk, payments=[PAY], operations=[doubt], keyed=["authorize"], methods=["authorize"]
    ).decide()
    resent = again.operation(doubt.key)
    assert (resent.first_sent_at, resent.last_sent_at) == (NOW - HOUR, NOW)
    assert (resent.window_until, resent.attempts) == (NOW + DAY - HOUR, 2)
    assert (again.request.was_in_doubt, again.request.attempt) == (True, 2)


def test_a_backend_that_names_transactions_is_heard_before_anything_leaves() -> None:
    made = opening(names=lambda key: f"tx-of-{key}").decide()
    assert made.request.transaction_id == "tx-of-omp_pay-new_authorize_1"
    assert made.payment.transaction_id == "tx-of-omp_pay-new_authorize_1"
    assert made.changes.new_operations[0].address == made.request.transaction_id
    known = opening(payments=[PAY], names=lambda key: "another").decide()
    assert known.request.transaction_id == "tx-1"
    capture = Desk(
        "payment.confirm",
        payments=[payment(authorized_q=1000, status=S.AUTHORIZED, transaction_id=None)],
        names=lambda key: "another",
    ).decide()
    assert capture.request.transaction_id is None


def test_the_channels_late_money_policy_is_written_down_with_the_payment() -> None:
    channel = ChannelView("web", {"late_money": "refund"})
    made = opening(order=replace(ORDER, channel=channel)).decide()
    assert made.events[0].data["late_money"] == "refund"
    wrong = opening(order=replace(ORDER, channel=ChannelView("web", {"late_money": 5}))).decide()
    assert (wrong.code, wrong.changes.payment) == ("channel_config", None)


# -- what cannot be opened ------------------------------------------------------------------------


def test_a_cancelled_order_opens_nothing() -> None:
    assert opening(order=CANCELLED).decide().code == "order_cancelled"


def test_an_order_has_one_living_payment_at_a_time() -> None:
    second = {**PAYLOAD, "attempt": 2}
    alive = opening(payload=second, payments=[PAY]).decide()
    assert alive.code == "payment_already_open"
    dead = payment(status=S.FAILED, failures=1)
    assert opening(payload=second, payments=[dead]).decide().asks == "authorize"
    skipped = opening(payload={**PAYLOAD, "attempt": 3}, payments=[dead]).decide()
    assert skipped.code == "invalid_payload"
    assert '"attempt" is 3' in skipped.end.last_error
    assert "O1 is 2" in skipped.end.last_error
    first = opening(payload=second).decide()
    assert first.code == "invalid_payload"
    assert "O1 is 1" in first.end.last_error


@pytest.mark.parametrize("changed", [{"amount_q": 901}, {"currency": "USD"}])
def test_an_attempt_keeps_the_amount_it_was_begun_with(changed: Any) -> None:
    order = replace(ORDER, currency=changed.get("currency", "BRL"))
    made = opening(payload={**PAYLOAD, **changed}, payments=[PAY], order=order).decide()
    assert made.code == "parameters_changed"


def test_the_account_has_to_take_the_currency_and_the_flow() -> None:
    def refused(topic: str = "payment.hold", **facts: Any) -> str:
        registration = BackendRegistration(
            name="mock", build=lambda options: None, currencies=facts.pop("currencies", None)
        )
        return opening(topic, registration=registration, **facts).decide().code

    assert refused(currencies=frozenset({"USD"})) == "currency_unsupported"
    assert opening().features(currencies=frozenset({"BRL"})).decide().asks == "authorize"
    assert refused(methods=["capture"]) == "method_unsupported"
    assert refused("payment.charge", methods=["authorize"]) == "not_supported"
    assert opening().features("hold").decide().asks == "charge"
    charges = opening(methods=["charge"]).decide()
    assert (charges.asks, charges.payment.flow) == ("charge", "authorize_capture")
    assert opening("payment.charge").features("hold").decide().asks == "charge"


def test_a_charge_stays_a_charge_where_holding_is_possible() -> None:
    charge = payment(amount_q=900, flow="charge")
    assert opening("payment.charge", payments=[charge]).decide().asks == "charge"
    assert opening("payment.hold", payments=[PAY]).decide().asks == "authorize"


# -- going on -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"payment_method": {"type": "qr"}}, "parameters_changed"),
        ({"metadata": {}}, "parameters_changed"),
        ({}, ""),
    ],
)
def test_what_was_planned_is_sent_with_the_parameters_it_was_planned_with(
    changed: Any, code: str
) -> None:
    mine = begun("authorize", "planned")
    made = opening(payload={**PAYLOAD, **changed}, payments=[PAY], operations=[mine]).decide()
    if code:
        assert made.code == code
    else:
        assert made.request.operation is not None
        assert made.request.operation.key == mine.key


@pytest.mark.parametrize("part", ["kind", "amount_q", "currency", "order_ref"])
def test_a_key_stands_for_every_parameter(part: str) -> None:
    """A hold with its key never becomes a charge, another amount or another order's."""
    desk = {
        "kind": opening("payment.charge"),
        "amount_q": opening(payload={**PAYLOAD, "amount_q": 901}),
        "currency": opening(order=replace(ORDER, currency="USD")),
        "order_ref": opening(order=replace(ORDER, ref="O2")),
    }[part]
    (one,) = opening().decide().changes.new_operations
    (other,) = desk.decide().changes.new_operations
    assert one.params_hash != other.params_hash


@pytest.mark.parametrize(
    ("topic", "methods", "fingerprint"),
    [
        ("payment.hold", ALL_METHODS, "ec6a1cc95bba70bbff0bb965e2fbe3ab"),
        ("payment.charge", ALL_METHODS, "902f48d5a9ac24addb84a6dcfc96d4b6"),
        ("payment.hold", PREPARES, "db052d617d065ca2a61cec1c4da87740"),
    ],
)
def test_what_was_sent_before_a_deployment_has_the_same_fingerprint_after_it(
    topic: str, methods: Any, fingerprint: str
) -> None:
    """Or an operation in doubt could not be repeated under its key any more."""
    (made,) = opening(topic, methods=methods).decide().changes.new_operations
    assert made.params_hash == fingerprint


@BOTH
def test_an_opening_that_has_its_answer_gives_it_again_whatever_came_later(
    topic: str, kind: str
) -> None:
    """Even with another payload: what was asked under it is done."""
    settled = operation(kind, "ok")
    done = opening(topic, {"amount_q": "?"}, payments=[PAY], operations=[settled]).decide()
    assert done.result == {"transaction_id": "tx-1", "status": "pending"}
    no = operation(kind, "refused", code="card_declined", evidence="no money")
    refused = opening(topic, payments=[PAY], operations=[no]).decide()
    assert (refused.code, refused.end.last_error) == ("card_declined", "no money")
    bare = opening(topic, payments=[PAY], operations=[operation(kind, "refused")]).decide()
    assert (bare.code, bare.end.last_error) == ("declined", "the gateway declined")
    taken = opening(topic, payments=[PAY], operations=[operation(kind, "pending")]).decide()
    assert taken.ended == DONE


def test_an_opening_by_another_directive_is_reported_to_this_one_too() -> None:
    theirs = replace(begun("authorize", "ok"), cause="directive-3")
    assert opening(payments=[PAY], operations=[theirs]).decide().ended == DONE


def test_a_later_operation_is_no_answer_to_an_opening() -> None:
    unanswered = begun("authorize", "abandoned")
    later = operation("capture", "ok")
    again = opening(payments=[PAY], operations=[unanswered, later]).decide()
    assert again.request.operation is not None
    assert again.request.operation.key == "omp_pay-1_authorize_2"


def test_an_opening_in_doubt_is_looked_for_then_repeated_then_left_to_a_person() -> None:
    doubt = begun("authorize", "sent")
    desk = opening(payments=[PAY], operations=[doubt])
    assert desk.decide().asks == "get_status"
    nameless = replace(desk, payments=[replace(PAY, transaction_id=None)])
    searched = nameless.decide()
    assert searched.asks == "find"
    assert (searched.request.amount_q, searched.request.currency) == (900, "BRL")
    assert (searched.request.account, searched.request.fingerprint) == ("shop", "print")
    assert (searched.request.plugin, searched.request.livemode) == ("mock", False)
    assert (searched.request.payment_id, searched.request.order_ref) == ("pay-1", "O1")
    assert (searched.request.operation, searched.request.transaction_id) == (None, None)
    assert desk.decide().request.transaction_id == "tx-1"
    assert replace(desk, keyed=["authorize"]).hear(NotFound("none")).asks == "authorize"
    parked = desk.hear(NotFound("none"))
    assert (parked.ended, parked.flags) == (PARKED, ["outcome_unknown"])
    assert parked.operation(doubt.key).state == OperationState.PARKED
    message = parked.flag("outcome_unknown").message
    assert "9.00" in message
    assert doubt.key in message
    still = opening(payments=[PAY], operations=[replace(doubt, state="parked")]).decide()
    assert (still.ended, still.flags) == (PARKED, ["outcome_unknown"])


@pytest.mark.parametrize("state", ["sent", "parked"])
def test_a_hold_in_doubt_does_not_become_a_charge_when_the_account_stops_holding(
    state: str,
) -> None:
    doubt = begun("authorize", state)
    desk = opening(payments=[PAY], operations=[doubt]).features("hold")
    decided = desk.hear(NotFound("none"))
    assert (decided.asks, decided.ended) == ("", PARKED)
    assert desk.decide().asks == ("get_status" if state == "sent" else "")


def test_a_search_is_only_for_what_has_no_address_and_a_look_only_for_what_has_one() -> None:
    doubt = begun("authorize", "sent")
    nameless = opening(
        payments=[replace(PAY, transaction_id=None)],
        operations=[doubt],
        methods=["get_status", "authorize"],
    )
    assert nameless.decide().asks == ""
    named = opening(payments=[PAY], operations=[doubt], methods=["find", "authorize"])
    assert named.decide().asks == ""


@pytest.mark.parametrize(
    ("left", "window", "repeats"),
    [
        (2 * HOUR, DAY, True),
        (HOUR + SECOND, DAY, True),
        (HOUR, DAY, False),
        (16 * MINUTE, HOUR, True),
        (15 * MINUTE, HOUR, False),
    ],
)
def test_a_key_is_not_trusted_shortly_before_it_may_be_forgotten(
    left: Any, window: Any, repeats: bool
) -> None:
    until = NOW + left
    doubt = begun("authorize", "sent", window_until=until, first_sent_at=until - window)
    desk = opening(payments=[PAY], operations=[doubt], keyed=["authorize"])
    assert (desk.hear(NotFound("none")).asks == "authorize") is repeats


def test_a_hold_that_is_proven_absent_is_made_again_under_a_new_key() -> None:
    old = begun("authorize", "sent", first_sent_at=NOW - HOUR, last_sent_at=NOW - HOUR)
    desk = opening(payments=[PAY], operations=[old]).features(absence_after=10 * MINUTE)
    proven = desk.hear(NotFound("none"))
    assert proven.operation(old.key).state == OperationState.ABANDONED
    assert proven.asks == "authorize"
    assert proven.request.operation is not None
    assert proven.request.operation.key == "omp_pay-1_authorize_2"
    assert proven.request.operation.ordinal == 2


def test_a_no_without_a_reason_is_final_once_a_look_shows_nothing() -> None:
    no = begun("authorize", "sent", code="refused_unverified", evidence="refused, no reason")
    seen = opening(payments=[PAY], operations=[no]).hear(NotFound("none"))
    assert seen.facts == [("failed", 0)]
    assert seen.events[0].dedupe_key == "pay-1:failed:1"
    assert seen.events[0].data == {"code": "declined", "message": "refused, no reason"}
    assert seen.code == "declined"
    yes = opening(payments=[PAY], operations=[no]).hear(
        Answered(answer("authorized", authorized_q=900))
    )
    assert (yes.facts, yes.ended) == ([("authorized", 900)], DONE)
    uncertain = replace(no, code="")
    assert opening(payments=[PAY], operations=[uncertain]).hear(NotFound("none")).ended == PARKED


@BOTH
def test_after_a_cancellation_nothing_new_leaves(topic: str, kind: str) -> None:
    mine = begun(kind, "planned", topic=topic)
    flow = payment(amount_q=900, flow="charge" if kind == "charge" else "authorize_capture")
    for desk in (
        opening(topic, payments=[flow], order=CANCELLED),
        opening(topic, payments=[replace(flow, cancel_requested=True)]),
    ):
        fresh = desk.decide()
        assert (fresh.code, fresh.facts) == ("order_cancelled", [("voided", 0)])
        assert fresh.events[0].dedupe_key == "pay-1:withdrawn"
        unsent = replace(desk, operations=[mine]).decide()
        assert unsent.code == "order_cancelled"
        assert unsent.operation(mine.key).state == OperationState.ABANDONED
        assert unsent.operation(mine.key).evidence
        action = replace(desk.payments[0], status=S.REQUIRES_ACTION, actions_open=1)
        assert replace(desk, payments=[action]).decide().facts == [("voided", 0)]
        over = replace(desk.payments[0], status=S.CANCELLED, voids=1)
        assert replace(desk, payments=[over]).decide().facts == []
    doubt = begun(kind, "sent", topic=topic)
    looked = opening(topic, payments=[flow], operations=[doubt], order=CANCELLED).decide()
    assert looked.asks == "get_status"
