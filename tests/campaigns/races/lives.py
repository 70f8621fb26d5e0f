"""The races: what is done to one order by several processes at once, and what has to be the end.

The races of a life follow one another on the same orders, so that each prepares the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .books import Books
from .desk import TOTAL_Q, Desk

Deed = Callable[[Desk, str], object]
End = tuple[str, object, object]
"""What, how it is, and how it has to be."""


def _nothing(desk: Desk, refs: Sequence[str]) -> None:
    """The race before has left everything as it should be."""


@dataclass(frozen=True, slots=True)
class Race:
    """``before`` is done first, by each process for a share of the orders; then the deeds."""

    name: str
    deeds: Sequence[Deed]
    ends: Callable[[Books], Iterable[End]]
    before: Callable[[Desk, Sequence[str]], None] = _nothing


@dataclass(frozen=True, slots=True)
class Life:
    """Orders of one channel, paid by one method, and their races. ``asked_once``: no answer
    of the gateway is lost, so that whatever was sent may have been sent a single time."""

    code: str
    channel: str
    races: Sequence[Race]
    asked_once: bool = True


# Deeds


def _commit(key: str, **method: object) -> Deed:
    return lambda desk, ref: desk.commit(ref, key, {"type": "card", **method})


def _capture(amount_q: int, key: str) -> Deed:
    return lambda desk, ref: desk.capture(ref, amount_q, key)


def _refund(amount_q: int, key: str | None = None) -> Deed:
    return lambda desk, ref: desk.refund(ref, amount_q, key)


def _knock(event: str) -> Deed:
    return lambda desk, ref: desk.knock(ref, event)


def _judge(happened: bool) -> Deed:
    return lambda desk, ref: desk.judge(ref, happened=happened)


def _decide(agree: bool) -> Deed:
    return lambda desk, ref: desk.decide(ref, agree=agree)


# What comes before


def _paid_at_the_gateway(desk: Desk, refs: Sequence[str]) -> None:
    desk.look(refs)
    for ref in refs:
        desk.gateway.pay(desk.transaction(ref))


def _asked_for(amount_q: int) -> Callable[[Desk, Sequence[str]], None]:
    def ask(desk: Desk, refs: Sequence[str]) -> None:
        desk.look(refs)
        for ref in refs:
            desk.request(ref, amount_q)

    return ask


def _captured_unheard(desk: Desk, refs: Sequence[str]) -> None:
    """The gateway captures, its answer is lost, and nobody looks."""
    desk.look(refs)
    for ref in refs:
        desk.capture(ref, TOTAL_Q, "capture")
    desk.work_unheard(refs)


# Ends


def _one_order(books: Books) -> Iterable[End]:
    yield "orders of the session", books.orders, 1
    yield "directives", books.ended("payment.hold", "payment.charge"), ["completed"]


def _amounts(captured_q: int, refunded_q: int, held_q: int = 0) -> Callable[[Books], list[End]]:
    return lambda books: [
        ("captured", books.captured_q, captured_q),
        ("refunded", books.refunded_q, refunded_q),
        ("held", books.held_q, held_q),
    ]


def _held(books: Books) -> Iterable[End]:
    yield from _one_order(books)
    yield from _amounts(0, 0, TOTAL_Q)(books)


def _captured_once(books: Books) -> Iterable[End]:
    yield from _amounts(600, 0, 400)(books)
    yield "captures", books.ended("payment.confirm"), ["completed", "failed"]
    yield "inbox", books.deliveries, 1
    # Only a part is paid.
    yield "moves of the order", books.moves, {}


def _refunded_once(books: Books) -> Iterable[End]:
    yield from _amounts(600, 400, 400)(books)
    yield "refunds", books.ended("payment.refund"), ["completed", "failed"]
    yield "inbox", books.deliveries, 2


def _nothing_kept(books: Books) -> Iterable[End]:
    yield "kept", books.captured_q - books.refunded_q, 0
    yield "held", books.held_q, 0
    yield "moves of the order to cancelled", books.moves["cancelled"], 1


def _paid_once(books: Books) -> Iterable[End]:
    yield from _amounts(TOTAL_Q, 0)(books)
    yield "inbox", books.deliveries, 2
    yield "captures among the facts", books.facts["captured"], 1
    yield "moves of the order", books.moves, {"confirmed": 1}


def _decided_once(books: Books) -> Iterable[End]:
    first = books.requests[0]
    yield "decided", first in ("approved", "rejected"), True
    yield "refunded", books.refunded_q, 600 if first == "approved" else 0
    yield "refunds", len(books.ended("payment.refund")), first == "approved"
    yield "decisions", books.happened["refund_approved"] + books.happened["refund_rejected"], 1


def _told_by_one_person(books: Books) -> Iterable[End]:
    """Whatever they said, the money was taken, once, and the ledger knows it in the end."""
    yield from _amounts(TOTAL_Q, 0)(books)
    verdicts = books.ended("payment.verdict")
    yield "verdicts that counted", verdicts.count("completed") <= 1, True


# Lives

HELD = Life(
    "held",
    "held",
    (
        Race(
            "a session committed by everybody",
            [_commit("a"), _commit("a"), _commit("a"), _commit("a"), _commit("a"), _commit("b")],
            _held,
        ),
        Race(
            "captures that together exceed the hold",
            [
                _capture(600, "a"),
                _capture(600, "a"),
                _capture(600, "b"),
                _knock("held"),
                _knock("held"),
                Desk.pay_again,
            ],
            _captured_once,
        ),
        Race(
            "refunds that together exceed the capture",
            [
                _refund(400, "a"),
                _refund(400, "a"),
                _refund(400, "b"),
                _knock("captured"),
                _knock("captured"),
                Desk.wake,
            ],
            _refunded_once,
        ),
        Race(
            "cancelled while it is refunded and captured",
            [
                Desk.cancel,
                Desk.cancel,
                _refund(200, "c"),
                _capture(400, "c"),
                _knock("refunded"),
                _knock("refunded"),
            ],
            _nothing_kept,
        ),
    ),
)
SCANNED = Life(
    "scanned",
    "approved",
    (
        Race("committed and shown", [_commit("a", behaviour={"qr": True})] * 2, _one_order),
        Race(
            "one notification many times",
            [_knock("a"), _knock("a"), _knock("a"), _knock("a"), _knock("b"), Desk.wake],
            _paid_once,
            _paid_at_the_gateway,
        ),
        Race(
            "a refund decided by several people",
            [
                _decide(True),
                _decide(True),
                _decide(False),
                _refund(600),
                _knock("c"),
                lambda desk, ref: desk.request(ref, 600),
            ],
            _decided_once,
            _asked_for(600),
        ),
    ),
)
LATE = Life(
    "late",
    "charged",
    (
        Race("committed and shown", [_commit("a", behaviour={"qr": True})] * 2, _one_order),
        Race(
            "paid while it is cancelled",
            [Desk.pay, Desk.cancel, Desk.cancel, _knock("a"), _knock("a"), Desk.pay_again],
            _nothing_kept,
        ),
    ),
)
DOUBTED = Life(
    "doubted",
    "held",
    (
        Race("committed", [_commit("a")] * 2, _held),
        Race(
            "two verdicts, another try and giving up",
            [
                _judge(True),
                _judge(False),
                Desk.retry,
                Desk.abandon,
                Desk.settle_flags,
                _knock("a"),
            ],
            _told_by_one_person,
            _captured_unheard,
        ),
    ),
    asked_once=False,
)
LIVES = {life.code: life for life in (HELD, SCANNED, LATE, DOUBTED)}
