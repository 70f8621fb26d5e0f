"""From a directive to the first call: opening a payment, its key, its account, and its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.contracts import BackendRegistration
from omniman_payment_core.decisions import Answered, NotFound, Prepared, Rules, Unknown
from omniman_payment_core.records import ChannelView, Operation, OperationState
from omniman_payment_core.values import PaymentStatus as S
from omniman_payment_core.values import RefundSnapshot

from .cases import (
    ALL_METHODS,
    CANCELLED,
    DAY,
    DONE,
    FAILED,
    HOUR,
    MINUTE,
    NOW,
    ORDER,
    PARKED,
    PENDING,
    SECOND,
    Desk,
    answer,
    operation,
    payment,
    refund,
)

METHOD = {"type": "card"}
PAYLOAD: dict[str, Any] = {
    "amount_q": 900,
    "payment_method": METHOD,
    "metadata": {"basket": 5},
}
BOTH = pytest.mark.parametrize(
    ("topic", "kind"), [("payment.hold", "authorize"), ("payment.charge", "charge")]
)
PREPARES = (*ALL_METHODS, "prepare")


def opening(topic: str = "payment.hold", payload: Any = None, **desk: Any) -> Desk:
    return Desk(topic, PAYLOAD if payload is None else payload, **desk)


def begun(kind: str, state: str, *, topic: str = "payment.hold", **changes: Any) -> Operation:
    """An operation of this directive's, with the parameters that the payload has."""
    desk = opening(topic, methods=PREPARES if kind == "prepare" else ALL_METHODS)
    (fresh,) = desk.decide().changes.new_operations
    assert fresh.kind == kind
    return operation(kind, state, params_hash=fresh.params_hash, amount_q=900, **changes)


PAY = payment(amount_q=900)


# -- the first call ------------------------------------------------------------------------------


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


# -- what cannot be opened -----------------------------------------------------------------------


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


# -- going on ------------------------------------------------------------------------------------


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


# -- preparing -----------------------------------------------------------------------------------

NAMELESS = payment(amount_q=900, transaction_id=None)


@pytest.mark.parametrize(("topic", "capture"), [("payment.hold", False), ("payment.charge", True)])
def test_where_it_can_be_the_address_is_made_before_money_moves(topic: str, capture: bool) -> None:
    made = opening(topic, methods=PREPARES).decide()
    assert (made.asks, made.request.capture, made.request.amount_q) == ("prepare", capture, 900)
    assert made.request.payment_method == METHOD
    named = opening(topic, methods=PREPARES, payments=[payment(amount_q=900)]).decide()
    assert named.asks in ("authorize", "charge")


def test_preparing_is_simply_sent_again_when_in_doubt() -> None:
    doubt = begun("prepare", "sent")
    again = opening(payments=[NAMELESS], operations=[doubt], methods=PREPARES).decide()
    assert (again.asks, again.request.attempt, again.request.was_in_doubt) == ("prepare", 2, True)
    unsent = begun("prepare", "planned")
    first = opening(payments=[NAMELESS], operations=[unsent], methods=PREPARES).decide()
    assert first.request.operation is not None
    assert first.request.operation.key == unsent.key
    gone = begun("prepare", "abandoned")
    anew = opening(payments=[NAMELESS], operations=[gone], methods=PREPARES).decide()
    assert anew.request.operation is not None
    assert anew.request.operation.key == "omp_pay-1_prepare_2"


def test_preparing_that_was_refused_or_parked_is_told() -> None:
    no = begun("prepare", "refused", code="card_declined", evidence="no")
    refused = opening(payments=[NAMELESS], operations=[no], methods=PREPARES).decide()
    assert refused.code == "card_declined"
    lost = begun("prepare", "parked")
    parked = opening(payments=[NAMELESS], operations=[lost], methods=PREPARES).decide()
    assert (parked.ended, parked.flags) == (PARKED, ["outcome_unknown"])


def test_preparing_stops_with_its_order() -> None:
    for state in ("planned", "abandoned"):
        mine = begun("prepare", state)
        desk = opening(payments=[NAMELESS], operations=[mine], methods=PREPARES, order=CANCELLED)
        assert desk.decide().code == "order_cancelled"
    doubt = begun("prepare", "sent")
    desk = opening(payments=[NAMELESS], operations=[doubt], methods=PREPARES, order=CANCELLED)
    assert desk.decide().asks == "prepare"
    heard = desk.hear(Prepared("tx-5"), doubt)
    assert (heard.code, heard.facts) == ("order_cancelled", [("voided", 0)])


# -- the entrance --------------------------------------------------------------------------------


def test_a_payload_of_a_newer_version_waits_for_a_newer_worker() -> None:
    newer = opening(schema_version=2).decide()
    assert (newer.waits, newer.end.waiting, newer.asks) == (5 * MINUTE, False, "")
    assert opening(schema_version=1).decide().asks == "authorize"


def test_a_directive_about_nothing_known_fails_with_a_clear_error() -> None:
    assert opening(order=None).decide().code == "order_missing"
    assert opening("payment.dance").decide().code == "wrong_topic"
    assert "payment.hold" in opening("payment.dance").decide().end.last_error
    payloads: list[Any] = [[], "text", 5]
    for payload in payloads:
        assert opening(payload=payload).decide().code == "invalid_payload"


def test_an_error_stands_in_the_result_under_the_specification_pages_keys() -> None:
    failed = opening(order=CANCELLED).decide()
    assert failed.end.status == FAILED
    assert failed.end.result == {
        "error_code": "order_cancelled",
        "error_message": failed.end.last_error,
    }


def test_an_account_that_is_not_configured_waits_for_a_person() -> None:
    moved = opening(payments=[PAY], fingerprint="another").decide()
    assert (moved.waits, moved.end.waiting, moved.end.attempts) == (MINUTE, False, 0)
    # No payment is chosen yet, so it is said of the channel.
    assert moved.flag("account_unusable").dedupe_key == "account_unusable:web"
    live = opening(payments=[payment(amount_q=900, livemode=True)]).decide()
    assert live.flags == ["account_unusable"]
    slow = opening(payments=[PAY], fingerprint="x", rules=Rules(config_retry=HOUR)).decide()
    assert slow.waits == HOUR


def test_what_has_failed_too_often_is_parked_with_all_that_is_its_own() -> None:
    mine = operation("authorize", "sent")
    unsent = operation("capture", "planned", payment_id="pay-2", key="second")
    theirs = operation("capture", "sent", cause="directive-3", key="theirs")
    settled = operation("charge", "ok")
    desk = opening(
        payments=[payment(), payment(2)], operations=[mine, unsent, theirs, settled], attempts=60
    )
    parked = desk.decide()
    assert (parked.ended, parked.flags, parked.asks) == (PARKED, ["attempts_exhausted"], "")
    message = parked.flag("attempts_exhausted").message
    assert "60 times" in message
    assert "the line was dead" in message
    states = {op.key: str(op.state) for op in parked.changes.operations}
    assert states == {mine.key: "parked", "second": "parked"}
    assert parked.changes.wake
    assert replace(desk, attempts=59).decide().ended != PARKED
    assert replace(desk, attempts=61).decide().ended == PARKED


# -- waiting and trying again ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [(0, 0.0, 0.5), (0, 0.5, 0.75), (1, 0.0, 1.0), (5, 0.0, 16.0), (11, 0.0, 900), (59, 0.0, 900)],
)
def test_each_failure_doubles_the_pause_up_to_half_an_hour(
    attempts: int, jitter: float, seconds: float
) -> None:
    mine = begun("authorize", "sent")
    desk = opening(payments=[PAY], operations=[mine], attempts=attempts, jitter=jitter)
    lost = desk.hear(Unknown("lost"), mine)
    assert lost.waits == seconds * SECOND
    assert lost.end.attempts == attempts + 1
    assert not lost.end.waiting


def test_however_often_it_failed_the_pause_is_a_pause() -> None:
    endless = Rules(backoff_cap=10_000 * DAY)
    assert endless.backoff(20, 0.0) == endless.backoff(5000, 0.0) == (1 << 19) * SECOND


def test_a_policys_wish_comes_before_our_own_pause() -> None:
    mine = begun("authorize", "sent")
    desk = opening(payments=[PAY], operations=[mine], retry_in=7 * SECOND)
    assert desk.hear(Unknown("lost"), mine).waits == 7 * SECOND


# -- what is written -----------------------------------------------------------------------------


def test_a_changed_payment_gets_a_new_version_and_the_orders_summary() -> None:
    mine = begun("authorize", "sent")
    made = opening(payments=[PAY], operations=[mine]).hear(
        Answered(answer("authorized", authorized_q=900)), mine
    )
    assert made.payment.version == 4
    assert made.changes.summary is not None
    assert made.changes.summary["status"] == "authorized"
    assert made.changes.triggers == ("on_payment_hold",)
    assert made.payment.fired == ("on_payment_hold",)
    assert made.changes.move is not None
    assert (made.changes.move.previous, made.changes.move.payment) == (S.PENDING, made.payment)
    assert made.changes.wake
    assert not made.changes.revive
    assert not made.changes.payment_is_new


def test_an_older_attempt_does_not_speak_for_its_order() -> None:
    old = payment(status=S.FAILED, failures=1)
    desk = Desk(payload={"payment_id": "pay-1"}, payments=[old, payment(2)])
    seen = desk.hear(Answered(answer("captured", captured_q=1000)), payment_id="pay-1")
    assert seen.payment.id == "pay-1"
    assert seen.changes.summary is None


def test_nothing_is_written_of_a_payment_that_did_not_change() -> None:
    waiting = payment(next_check_at=NOW + HOUR, checks=2)
    confirm = Desk("payment.confirm", payments=[waiting]).decide()
    assert (confirm.ended, confirm.changes.payment, confirm.changes.summary) == (
        PENDING,
        None,
        None,
    )
    assert (confirm.changes.move, confirm.changes.triggers) == (None, ())
    assert not confirm.changes.wake


def test_a_payment_without_a_next_look_gets_one() -> None:
    assert Desk("payment.confirm", payments=[payment()]).decide().payment.next_check_at == (
        NOW + 5 * SECOND
    )


def test_while_a_call_follows_the_directive_sees_to_its_payment() -> None:
    asked = Desk("payment.confirm", payments=[payment(authorized_q=1000, status=S.AUTHORIZED)])
    assert asked.decide().changes.payment is None


def test_a_look_that_failed_comes_again_by_itself_and_not_by_the_payments_date() -> None:
    missed = Desk(payments=[payment()]).hear(Unknown("lost"))
    assert missed.changes.payment is None


@pytest.mark.parametrize(
    ("status", "accepted", "whose", "due"),
    [
        ("pending", True, "pay-1", MINUTE),
        ("pending", False, "pay-1", None),
        ("pending", True, "pay-2", None),
        ("succeeded", True, "pay-1", None),
    ],
)
def test_only_a_refund_under_way_keeps_a_paid_payment_in_view(
    status: str, accepted: bool, whose: str, due: Any
) -> None:
    on_its_way = refund(
        status, accepted=accepted, payment_id=whose, external=True, reference="re-1"
    )
    paid = payment(captured_q=1000, status=S.CAPTURED, next_check_at=NOW)
    seen = Desk(payments=[paid], refunds=[on_its_way], methods=["charge"]).decide()
    assert seen.payment.next_check_at == (None if due is None else NOW + due)


def test_refunds_and_operations_are_written_in_the_order_they_came_in() -> None:
    paid = payment(captured_q=1000, refunded_q=0, status=S.CAPTURED)
    known = [
        refund("pending", n, 100, accepted=True, external=True, reference=f"re-{n}")
        for n in (3, 1, 2)
    ]
    listed = tuple(RefundSnapshot(f"re-{n}", 100, "succeeded") for n in (9, 2, 8, 1, 3))
    seen = Desk(payments=[replace(paid, refund_pending_q=300)], refunds=known).hear(
        Answered(answer("captured", captured_q=1000, refunds=listed))
    )
    assert [r.reference for r in seen.changes.refunds] == ["re-3", "re-1", "re-2"]
    assert [r.reference for r in seen.changes.new_refunds] == ["re-9", "re-8"]
