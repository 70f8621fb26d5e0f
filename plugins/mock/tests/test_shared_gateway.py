"""One far side for many: threads, backends of one name, and processes that are killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from omniman_payment_mock import (
    MockGateway,
    MockPaymentBackend,
    named_gateway,
    reset_gateways,
)
from omniman_payment_mock.sqlite_store import SqliteStore

CARD = {"type": "card"}


@pytest.fixture(autouse=True)
def no_gateways_left() -> Iterator[None]:
    yield
    reset_gateways()


@pytest.fixture(params=["memory", "file"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MockGateway]:
    store = SqliteStore(tmp_path / "books") if request.param == "file" else None
    gateway = MockGateway(store=store)
    yield gateway
    gateway.close()


def race(times: int, act: Callable[[int], Any]) -> list[Any]:
    start, answers = threading.Barrier(times), [None] * times

    def run(number: int) -> None:
        start.wait(timeout=30)
        answers[number] = act(number)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


def test_racing_refunds_never_return_more_than_was_taken(books: MockGateway) -> None:
    paid = str(books.open("charge", 1000, "BRL", "A", {}).transaction_id)
    answers = race(8, lambda n: books.refund(paid, 300))
    assert sum(a.success for a in answers) == 3
    assert books.moved_q("A") == 100


def test_racing_repeats_of_one_key_are_one_charge(books: MockGateway) -> None:
    answers = race(8, lambda n: books.open("charge", 1000, "BRL", "A", {}, key="k"))
    assert len({a.transaction_id for a in answers}) == 1
    assert books.moved_q("A") == 1000


def test_a_capture_racing_a_cancel_leaves_one_winner(books: MockGateway) -> None:
    held = str(books.open("authorize", 1000, "BRL", "A", {}).transaction_id)
    acts: tuple[Callable[[str], Any], ...] = (books.capture, books.cancel)
    answers = race(2, lambda n: acts[n](held))
    assert sum(a.success for a in answers) == 1
    assert books.moved_q("A") == (1000 if answers[0].success else 0)
    assert books.held_q("A") == 0


def test_backends_that_name_a_gateway_meet_the_same_one() -> None:
    one, other = MockPaymentBackend({"gateway": "g"}), MockPaymentBackend({"gateway": "g"})
    paid = one.charge(1000, "brl", "ORD-1", CARD)
    assert other.get_status(str(paid.transaction_id)).status == "captured"
    assert named_gateway("g").moved_q("ORD-1") == 1000


def test_backends_that_name_none_have_one_each() -> None:
    assert MockPaymentBackend().gateway is not MockPaymentBackend().gateway


def test_a_reset_forgets_the_named_gateways() -> None:
    before = named_gateway("g")
    reset_gateways()
    assert named_gateway("g") is not before


def test_another_process_meets_the_same_gateway_through_its_file(tmp_path: Path) -> None:
    state = str(tmp_path / "gateway.sqlite3")
    backend = MockPaymentBackend({"state_file": state})
    held = backend.authorize(1000, "brl", "ORD-1", CARD, idempotency_key="a")
    # The child is killed right after its capture: its answer is lost, the effect is not.
    child = (
        "import os, signal, sys\n"
        "from omniman_payment_mock import MockPaymentBackend\n"
        "backend = MockPaymentBackend({'state_file': sys.argv[1]})\n"
        "backend.capture(sys.argv[2], 400, idempotency_key='c')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", child, state, str(held.transaction_id)],
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        timeout=60,
        check=False,
    )
    assert run.returncode == -9
    assert backend.gateway.moved_q("ORD-1") == 400
    repeated = backend.capture(str(held.transaction_id), 400, idempotency_key="c")
    assert (repeated.success, backend.gateway.moved_q("ORD-1")) == (True, 400)
