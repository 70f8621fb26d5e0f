"""The far side's rules hold for any history, and are the same in memory and in a file."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from omniman_payment_core.errors import InvalidRequestError, TransactionNotFoundError
from omniman_payment_core.values import DeclineCode, PaymentResult, RefundStatus
from omniman_payment_mock import MockGateway
from omniman_payment_mock.script import parse
from omniman_payment_mock.sqlite_store import SqliteStore

ORDERS = ("A", "B")
KEYS = ("k1", "k2", None, None, None)
SCRIPTS: tuple[dict[str, Any], ...] = (
    {},
    {"qr": True},
    {"pending": True, "pays_after_reads": 2, "pays_amount_q": 600},
    {"pending": True, "pays_after_seconds": 60},
    {"authenticate": True},
    {"decline": "card_declined"},
    {"refund": "pending"},
    {"refund": "fails_later"},
    {"expires_in": 90},
)
amounts = st.one_of(st.none(), st.sampled_from([1, 300, 500, 700, 700, 1000, 1001]))
# Mostly one payment, so that its calls meet.
which = st.sampled_from([0, 0, 0, 1, 2])
opening = st.tuples(
    st.just("open"),
    st.sampled_from(["authorize", "charge"]),
    st.sampled_from(ORDERS),
    st.sampled_from(({}, {}, *SCRIPTS)),
    st.sampled_from(KEYS),
)
steps = st.one_of(
    opening,
    *([st.tuples(st.just("capture"), which, amounts, st.sampled_from(KEYS))] * 4),
    *([st.tuples(st.just("refund"), which, amounts, st.sampled_from(KEYS))] * 4),
    st.tuples(st.just("cancel"), which, st.sampled_from(KEYS)),
    st.tuples(st.just("read"), which),
    st.tuples(st.just("pay"), which, amounts, st.booleans()),
    st.tuples(st.just("confirm_3ds"), which, st.booleans()),
    st.tuples(st.just("dispute"), which, amounts),
    st.tuples(st.just("win_dispute"), which),
    st.tuples(st.just("refund_outside"), which, amounts),
    st.tuples(st.just("settle_refund"), which, st.booleans()),
    st.tuples(st.just("advance"), st.sampled_from([30, 120, 3700, 86_500])),
)


def histories(longest: int) -> st.SearchStrategy[list[Any]]:
    """A payment, and what may happen to it and beside it."""
    return st.tuples(opening, st.lists(steps, min_size=longest // 2, max_size=longest)).map(
        lambda h: [h[0], *h[1]]
    )


class History:
    """A gateway, its clock, and what one step after the other does to it."""

    def __init__(self, store: Any = None) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.gateway = MockGateway(clock=lambda: self.now, rng=random.Random(7), store=store)

    def take(self, step: tuple[Any, ...]) -> object:
        try:
            return self._take(*step)
        except (InvalidRequestError, ValueError) as error:
            return f"{type(error).__name__}: {error}"

    def _take(self, name: str, *args: Any) -> object:
        gateway = self.gateway
        if name == "open":
            kind, order, script, key = args
            return gateway.open(kind, 1000, "BRL", order, {}, behaviour=parse(script), key=key)
        if name == "advance":
            self.now += timedelta(seconds=args[0])
            return None
        ids = gateway.transactions()
        if not ids:
            return None
        target = ids[args[0] % len(ids)]
        if name in ("capture", "refund"):
            method: Callable[..., PaymentResult] = getattr(gateway, name)
            return method(target, args[1], key=args[2])
        if name == "cancel":
            return gateway.cancel(target, key=args[1])
        if name == "pay":
            gateway.pay(target, args[1], late=args[2])
            return None
        if name == "confirm_3ds":
            gateway.confirm_3ds(target, ok=args[1])
            return None
        if name == "settle_refund":
            txn = gateway.transaction(target)
            assert txn is not None
            for refund in txn.refunds:
                gateway.settle_refund(refund.reference, ok=args[1])
            return None
        return getattr(gateway, name)(target, *args[1:])

    def check(self) -> None:
        for order in ORDERS:
            moved = 0
            for transaction_id in self.gateway.transactions(order):
                txn = self.gateway.transaction(transaction_id)
                assert txn is not None
                accepted = sum(
                    r.amount_q for r in txn.refunds if r.status is not RefundStatus.FAILED
                )
                returned = sum(
                    r.amount_q for r in txn.refunds if r.status is RefundStatus.SUCCEEDED
                )
                assert 0 <= txn.captured_q <= txn.authorized_q
                assert accepted + txn.disputed_q <= txn.captured_q
                assert txn.captured_q + txn.released_q <= txn.authorized_q
                moved += txn.captured_q - returned - txn.disputed_q
            assert self.gateway.moved_q(order) == moved
            assert self.gateway.moved_q(order) >= 0


@settings(max_examples=500, deadline=None)
@given(histories(30))
def test_no_history_refunds_or_captures_beyond_and_the_money_adds_up(history: list[Any]) -> None:
    far = History()
    for step in history:
        far.take(step)
        far.check()


_PAID_WHILE_A_KEY_IS_REFUSED: list[Any] = [
    ("open", "charge", "A", {"pending": True, "pays_after_seconds": 60}, "k1"),
    ("advance", 120),
    ("cancel", 0, "k1"),
]


@settings(max_examples=25, deadline=None)
@given(histories(15))
@example(_PAID_WHILE_A_KEY_IS_REFUSED)
def test_a_file_keeps_the_same_books_as_memory(history: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        memory, disk = History(), History(SqliteStore(Path(directory) / "books"))
        try:
            for step in history:
                assert disk.take(step) == memory.take(step)
            assert disk.gateway.moved == memory.gateway.moved
        finally:
            disk.gateway.close()


def test_a_pending_refund_counts_against_the_capture(gateway: MockGateway) -> None:
    paid = gateway.open("charge", 1000, "BRL", "A", {}, behaviour=parse({"refund": "pending"}))
    first = gateway.refund(str(paid.transaction_id), 700)
    second = gateway.refund(str(paid.transaction_id), 400)
    assert (first.status, first.success) == ("pending", True)
    assert (second.success, second.error_code) == (False, DeclineCode.REFUND_EXCEEDS_CAPTURE)
    assert gateway.moved_q("A") == 1000


def test_disputed_money_is_not_refunded_as_well(gateway: MockGateway) -> None:
    paid = str(gateway.open("charge", 1000, "BRL", "A", {}).transaction_id)
    gateway.dispute(paid, 600)
    assert not gateway.refund(paid, 401).success
    assert gateway.refund(paid, 400).success
    assert gateway.moved_q("A") == 0
    gateway.win_dispute(paid)
    assert gateway.moved_q("A") == 600


def test_captures_in_parts_never_pass_the_hold(gateway: MockGateway) -> None:
    held = str(gateway.open("authorize", 1000, "BRL", "A", {}).transaction_id)
    assert gateway.capture(held, 700).success
    over = gateway.capture(held, 301)
    assert (over.success, over.error_code) == (False, DeclineCode.AMOUNT_INVALID)
    assert gateway.moved_q("A") == 700


def test_a_failed_refund_can_be_made_again(gateway: MockGateway) -> None:
    paid = gateway.open("charge", 1000, "BRL", "A", {}, behaviour=parse({"refund": "pending"}))
    first = gateway.refund(str(paid.transaction_id))
    gateway.settle_refund(str(first.reference), ok=False)
    assert gateway.refund(str(paid.transaction_id)).success


def test_a_hold_lapses_by_the_clock(gateway: MockGateway, clock: Any) -> None:
    held = gateway.open("authorize", 1000, "BRL", "A", {})
    clock.advance(days=7)
    assert gateway.held_q("A") == 0
    assert gateway.read(str(held.transaction_id)).status == "expired"
    late = gateway.capture(str(held.transaction_id))
    assert (late.success, late.error_code) == (False, DeclineCode.EXPIRED)


def test_what_is_left_of_a_partial_capture_is_released_by_cancel(gateway: MockGateway) -> None:
    held = str(gateway.open("authorize", 1000, "BRL", "A", {}).transaction_id)
    assert gateway.capture(held, 400).status == "partially_captured"
    assert gateway.held_q("A") == 600
    assert gateway.cancel(held).status == "captured"
    assert (gateway.held_q("A"), gateway.moved_q("A")) == (0, 400)


def test_ids_of_two_orders_and_two_gateways_differ() -> None:
    ids = {
        MockGateway(name).open("charge", 1000, "BRL", order, {}, key=key).transaction_id
        for name in ("one", "other")
        for order, key in (("A", "k1"), ("B", "k2"), ("A", None), ("B", None))
    }
    assert len(ids) == 8


@pytest.mark.parametrize("amount", [0, -1, 1.0, True, "1000", None])
def test_an_amount_that_is_no_whole_number_above_zero_is_our_error(
    gateway: MockGateway, amount: Any
) -> None:
    with pytest.raises(InvalidRequestError, match="amount_q"):
        gateway.open("charge", amount, "BRL", "A", {})


def test_an_unknown_currency_is_our_error(gateway: MockGateway) -> None:
    with pytest.raises(InvalidRequestError, match="currency"):
        gateway.open("charge", 1000, "XYZ", "A", {})


def test_a_taken_transaction_id_is_not_given_twice(gateway: MockGateway) -> None:
    gateway.open("charge", 1000, "BRL", "A", {}, transaction_id="mine")
    with pytest.raises(InvalidRequestError, match="taken"):
        gateway.open("charge", 1000, "BRL", "A", {}, transaction_id="mine")
    assert gateway.moved_q("A") == 1000


def test_the_same_key_replays_the_first_answer_even_when_the_world_moved_on(
    gateway: MockGateway,
) -> None:
    first = gateway.open("authorize", 1000, "BRL", "A", {"type": "card"}, key="k")
    gateway.capture(str(first.transaction_id))
    assert gateway.open("authorize", 1000, "brl", "A", {"type": "card"}, key="k") == first


def test_the_order_of_names_in_a_mapping_does_not_matter_to_a_key(gateway: MockGateway) -> None:
    first = gateway.open("charge", 1000, "BRL", "A", {"a": 1, "b": 2}, key="k")
    assert gateway.open("charge", 1000, "BRL", "A", {"b": 2, "a": 1}, key="k") == first


def test_changing_a_mapping_afterwards_does_not_change_what_was_asked(
    gateway: MockGateway,
) -> None:
    method = {"type": "card"}
    gateway.open("charge", 1000, "BRL", "A", method, key="k")
    method["type"] = "other"
    with pytest.raises(InvalidRequestError, match="other parameters"):
        gateway.open("charge", 1000, "BRL", "A", method, key="k")


def test_one_key_cannot_stand_for_two_kinds_of_request(gateway: MockGateway) -> None:
    held = str(gateway.open("authorize", 1000, "BRL", "A", {}, key="k").transaction_id)
    with pytest.raises(InvalidRequestError, match="other parameters"):
        gateway.capture(held, 1000, key="k")
    assert gateway.moved_q("A") == 0


def test_a_key_is_forgotten_after_its_window_and_then_charges_again(clock: Any) -> None:
    gateway = MockGateway(clock=clock, key_window=timedelta(hours=24))
    first = gateway.open("charge", 1000, "BRL", "A", {}, key="k")
    clock.advance(hours=23, minutes=59)
    assert gateway.open("charge", 1000, "BRL", "A", {}, key="k") == first
    clock.advance(minutes=1)
    again = gateway.open("charge", 1000, "BRL", "A", {}, key="k")
    assert again.transaction_id != first.transaction_id
    assert gateway.moved_q("A") == 2000


def test_a_key_without_a_window_is_remembered_for_ever(clock: Any) -> None:
    gateway = MockGateway(clock=clock, key_window=None)
    first = gateway.open("charge", 1000, "BRL", "A", {}, key="k")
    clock.advance(days=4000)
    assert gateway.open("charge", 1000, "BRL", "A", {}, key="k") == first


def test_an_unknown_transaction_is_said_to_be_unknown(gateway: MockGateway) -> None:
    for method in (gateway.read, gateway.capture, gateway.refund, gateway.cancel):
        with pytest.raises(TransactionNotFoundError):
            method("mock_nothing")
