"""The worker with real threads: what hangs, what comes late, and what is given back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from omniman_payment_core.decisions import Rules
from omniman_payment_core.engine import Limits, Work
from omniman_payment_core.engine.worker import Worker, WorkerExhaustedError
from omniman_payment_core.records import Case, Changes, DirectiveStatus
from omniman_payment_core.values import PaymentResult
from omniman_payment_core.values import PaymentStatus as S
from omniman_payment_mock import MockPaymentBackend

from .harness import Shop

PATIENCE = 20.0
"""How long a test waits for what is sure to come; it never waits this long when all is well."""
DONE = DirectiveStatus.COMPLETED


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.001)


class RealClock:
    """The machine's own time, which threads need; it can be pushed on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead.total_seconds()


Push = Callable[[Shop, float], None]


@pytest.fixture
def push(monkeypatch: pytest.MonkeyPatch) -> Push:
    """Let time pass for the worker and its store at once, by no more than is said."""
    ahead = [0.0]
    monkeypatch.setattr(
        "omniman_payment_core.engine.worker.time",
        SimpleNamespace(monotonic=lambda: time.monotonic() + ahead[0], sleep=time.sleep),
    )

    def push(shop: Shop, seconds: float) -> None:
        ahead[0] += seconds
        shop.clock.ahead += timedelta(seconds=seconds)  # type: ignore[attr-defined]

    return push


class Gated(MockPaymentBackend):
    """Calls of the orders in ``gates`` wait, before or after their effect, until let go."""

    def __init__(self, **far_side: Any) -> None:
        super().__init__(**far_side)
        self.before: dict[str, threading.Event] = {}
        self.after: dict[str, threading.Event] = {}
        self.lock = threading.Lock()
        self.inside: set[str] = set()
        self.most = 0

    def authorize(  # type: ignore[override]
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        idempotency_key: str,
        transaction_id: str | None = None,
    ) -> PaymentResult:
        with self.lock:
            self.inside.add(order_ref)
            self.most = max(self.most, len(self.inside))
        try:
            self._wait(self.before, order_ref)
            result = super().authorize(
                amount_q,
                currency,
                order_ref,
                payment_method,
                metadata,
                idempotency_key=idempotency_key,
                transaction_id=transaction_id,
            )
            self._wait(self.after, order_ref)
            return result
        finally:
            with self.lock:
                self.inside.discard(order_ref)

    def _wait(self, gates: dict[str, threading.Event], order_ref: str) -> None:
        gate = gates.get(order_ref)
        if gate is not None:
            assert gate.wait(PATIENCE), "nobody opened the gate"


def gated_shop(orders: int = 0) -> tuple[Shop, Gated]:
    shop = Shop(
        limits=Limits(call_budget=timedelta(seconds=10), lease=timedelta(minutes=2)),
        # So long that no retry comes before its test lets time pass.
        rules=Rules(backoff_base=timedelta(minutes=5)),
    )
    shop.clock = RealClock()  # type: ignore[assignment]
    shop.store.clock = shop.clock
    shop.gateway = shop.add_account("mock", Gated, None)
    backend: Any = shop.accounts.account("mock").backend
    shop.gateway = backend.gateway
    shop.engine = shop.new_engine("worker")
    for number in range(orders):
        shop.order(f"O{number}")
        shop.hold(f"O{number}")
    return shop, backend


@contextmanager
def running(worker: Worker) -> Iterator[list[BaseException]]:
    """The worker in a thread of its own, stopped and joined at the end."""
    stop, errors = threading.Event(), list[BaseException]()

    def target() -> None:
        try:
            worker.run(stop)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    try:
        yield errors
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the worker does not stop"


def worker_of(shop: Shop, **options: Any) -> Worker:
    return Worker(shop.engine, **{"slots": 4, "idle": 0.005, "maintain_every": 1e9, **options})


def test_everything_due_is_done() -> None:
    shop, _ = gated_shop(40)
    worker_of(shop).run_until_idle()
    assert {d.status for d in shop.store.directives.values()} == {DONE}
    assert sum(shop.gateway.held_q(ref) for ref in shop.refs) == 40_000


def test_as_many_calls_as_slots_are_in_flight_at_once_and_no_more() -> None:
    shop, backend = gated_shop(12)
    gate = threading.Event()
    backend.before = dict.fromkeys(shop.refs, gate)
    with running(worker_of(shop, slots=5)):
        until(lambda: len(backend.inside) == 5, "five calls in flight")
        gate.set()
        until(lambda: not shop.open_directives(), "all of them done")
    assert backend.most == 5


def test_no_two_directives_of_one_order_are_in_flight() -> None:
    shop, backend = gated_shop(1)
    shop.hold("O0")
    shop.confirm(ref="O0")
    gate = backend.before["O0"] = threading.Event()
    with running(worker_of(shop)):
        until(lambda: backend.inside, "the first call")
        assert [d.status for d in shop.store.directives.values()].count("running") == 1
        gate.set()
        until(lambda: not shop.open_directives(), "all of them done")
    assert shop.moved_q("O0") == 1000
    assert shop.methods() == ["authorize", "capture"]


def test_a_call_that_hangs_costs_one_slot_and_is_looked_up(push: Push) -> None:
    shop, backend = gated_shop(6)
    gate = backend.after["O0"] = threading.Event()
    with running(worker_of(shop, slots=2)):
        until(lambda: len(shop.open_directives()) == 1, "the others went on")
        assert backend.inside == {"O0"}
        push(shop, 11)
        until(lambda: any(c.outcome == "unknown" for c in shop.store.calls), "it is written off")
        push(shop, 301)
        until(lambda: not shop.open_directives(), "it was looked up")
        assert backend.inside == {"O0"}, "and it still hangs"
        assert [c.method for c in shop.store.calls if c.order_ref == "O0"] == [
            "authorize",
            "get_status",
        ]
        assert shop.payment("O0").status is S.AUTHORIZED
        (flag,) = shop.flags()
        assert (flag.kind, flag.order_ref) == ("plugin_fault", "O0")
        shop.order("O9")
        shop.hold("O9")
        until(lambda: not shop.open_directives(), "a new slot took over")
        gate.set()
        until(lambda: not backend.inside, "it returns at last")
    assert len(shop.gateway.transactions("O0")) == 1


def test_the_late_answer_of_a_written_off_call_is_still_a_fact(push: Push) -> None:
    shop, backend = gated_shop(1)
    gate = backend.after["O0"] = threading.Event()
    worker = worker_of(shop, slots=2)
    with running(worker):
        until(lambda: backend.inside, "the call")
        push(shop, 11)
        until(lambda: any(c.outcome == "unknown" for c in shop.store.calls), "it is written off")
        assert shop.payment("O0").status is S.PENDING
        gate.set()
        until(lambda: shop.payment("O0").status is S.AUTHORIZED, "the late answer is settled")
        assert shop.directive(1).status == DirectiveStatus.PENDING, "which decides nothing"
        push(shop, 301)
        until(lambda: not shop.open_directives(), "the directive has found it done")
    assert worker._in_flight == 0, "it was counted as answered once"
    assert shop.methods() == ["authorize", "authorize"], "two records of one call"
    assert [c.outcome for c in shop.store.calls] == ["unknown", "answered"]
    assert shop.triggers("O0") == ["on_payment_hold"]


def test_too_many_hanging_calls_end_the_worker(push: Push) -> None:
    shop, backend = gated_shop(5)
    gate = threading.Event()
    backend.before = dict.fromkeys(shop.refs, gate)
    worker = worker_of(shop, slots=3)
    with running(worker) as errors:
        until(lambda: len(backend.inside) == 3, "three calls in flight")
        push(shop, 11)
        until(lambda: [c.outcome for c in shop.store.calls].count("unknown") == 3, "written off")
        gate.set()
        until(lambda: errors, "the end of the worker")
    (error,) = errors
    assert isinstance(error, WorkerExhaustedError)
    assert str(error) == "3 gateway calls hang"


def test_stopping_finishes_what_is_in_flight_and_gives_back_the_rest() -> None:
    shop, backend = gated_shop(10)
    gate = threading.Event()
    # Of two quick answers the worker learns to take more at once than it can send.
    quick, gated = set(shop.refs[:2]), shop.refs[2:]
    backend.before = dict.fromkeys(gated, gate)
    worker = worker_of(shop, slots=2)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)

    def running() -> int:
        return [d.status for d in shop.store.directives.values()].count("running")

    thread.start()
    until(lambda: len(backend.inside & set(gated)) == 2, "two calls in flight")
    until(lambda: running() == 8, "the others wait for them")
    in_flight = set(backend.inside)
    stop.set()
    until(lambda: running() == 2, "the others were given back")
    assert thread.is_alive(), "it waits for the two"
    gate.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    done = {d.order_ref for d in shop.store.directives.values() if d.status == DONE}
    assert done == in_flight | quick
    others = [d for d in shop.store.directives.values() if d.order_ref not in done]
    assert {(d.status, d.attempts) for d in others} == {("pending", 0)}
    assert {d.last_error for d in others} == {"given back unsent"}
    assert all(d.available_at <= shop.clock.now() for d in others)
    assert set(shop.gateway.transactions()) == {
        str(shop.payment(ref).transaction_id) for ref in done
    }
    worker_of(shop).run_until_idle()
    assert {d.status for d in shop.store.directives.values()} == {DONE}


def test_a_worker_told_to_stop_takes_nothing_more() -> None:
    shop, backend = gated_shop(6)
    gate = threading.Event()
    backend.before = dict.fromkeys(shop.refs, gate)
    worker = worker_of(shop, slots=2)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
    thread.start()
    until(lambda: len(backend.inside) == 2, "two calls in flight")
    stop.set()
    gate.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    others = [d for d in shop.store.directives.values() if d.status != DONE]
    assert [(d.status, d.last_error) for d in others] == [("pending", "")] * 4


class FailingStore:
    """The store while its database is away."""

    def __init__(self, shop: Shop, method: str) -> None:
        self._store = shop.store
        self._method = method
        self.away = threading.Event()
        self.met = threading.Event()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name != self._method:
            return method

        def failing(*args: Any, **kwargs: Any) -> Any:
            if self.away.is_set():
                self.met.set()
                raise OSError("the database is away")
            return method(*args, **kwargs)

        return failing


def test_answers_wait_for_the_store_to_come_back() -> None:
    shop, backend = gated_shop(8)
    gate = threading.Event()
    backend.before = dict.fromkeys(shop.refs, gate)
    store = FailingStore(shop, "settle")
    shop.engine.store = store  # type: ignore[assignment]
    with running(worker_of(shop)) as errors:
        until(lambda: len(backend.inside) == 4, "four calls in flight")
        store.away.set()
        gate.set()
        assert store.met.wait(PATIENCE)
        until(lambda: not backend.inside, "the gateway has answered")
        assert not any(d.status == DONE for d in shop.store.directives.values())
        store.away.clear()
        until(lambda: not shop.open_directives(), "all of them done")
    assert not errors
    assert set(shop.methods()) == {"authorize"}, "no answer had to be looked up"
    assert len(shop.gateway.transactions()) == 8


def test_an_answer_that_the_store_refuses_holds_up_no_other() -> None:
    shop, _ = gated_shop(6)
    settle = shop.store.settle
    refused: list[int] = []

    def picky(settlements: Any, *, tell: bool) -> Any:
        if any(s.order_ref == "O3" for s in settlements) and len(refused) < 3:
            refused.append(len(settlements))
            raise ValueError("this row cannot be written")
        return settle(settlements, tell=tell)

    shop.store.settle = picky  # type: ignore[method-assign]
    with running(worker_of(shop)) as errors:
        until(lambda: not shop.open_directives(), "all of them done")
    assert not errors
    assert len(refused) == 3
    assert len(shop.gateway.transactions()) == 6
    assert set(shop.methods()) == {"authorize"}


def test_an_answer_that_the_store_never_takes_does_not_stop_new_claims() -> None:
    shop, _ = gated_shop(orders=1)
    settle = shop.store.settle

    def picky(settlements: Any, *, tell: bool) -> Any:
        if any(s.order_ref == "O0" for s in settlements):
            raise RuntimeError("this row is never taken")
        return settle(settlements, tell=tell)

    shop.store.settle = picky  # type: ignore[method-assign]
    worker = worker_of(shop)
    worker.run_until_idle()
    for number in range(1, 4):
        shop.order(f"late-{number}")
        shop.hold(f"late-{number}")
    worker.run_until_idle()
    statuses = {d.order_ref: d.status for d in shop.store.directives.values()}
    assert statuses == {"O0": "running", "late-1": DONE, "late-2": DONE, "late-3": DONE}


def test_a_store_that_is_away_while_claiming_ends_the_worker_cleanly() -> None:
    shop, backend = gated_shop(3)
    store = FailingStore(shop, "claim")
    shop.engine.store = store  # type: ignore[assignment]
    store.away.set()
    with pytest.raises(OSError, match="the database is away"):
        worker_of(shop).run(threading.Event())
    assert backend.most == 0
    store.away.clear()
    worker_of(shop).run_until_idle()
    assert not shop.open_directives()


@pytest.mark.parametrize("where", ["decide", "resolve"])
def test_a_directive_that_trips_a_bug_is_parked_while_others_go_on(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omniman_payment_core.engine import engine as module

    real = getattr(module, where)

    def buggy(case: Case, *args: Any, **kwargs: Any) -> Changes:
        if case.directive.order_ref == "O2":
            raise ZeroDivisionError("a bug of ours")
        changes: Changes = real(case, *args, **kwargs)
        return changes

    monkeypatch.setattr(module, where, buggy)
    shop, _ = gated_shop(6)
    worker_of(shop).run_until_idle()
    statuses = {d.order_ref: d.status for d in shop.store.directives.values()}
    assert statuses == {**dict.fromkeys(shop.refs, DONE), "O2": DirectiveStatus.PARKED}
    (flag,) = shop.flags()
    assert (flag.kind, flag.order_ref) == ("engine_bug", "O2")
    assert flag.message == "ZeroDivisionError: a bug of ours"


def test_two_workers_share_the_work_and_do_nothing_twice() -> None:
    shop, _ = gated_shop(60)
    lock = threading.Lock()
    for name in ("claim", "settle", "arm_checks"):
        real = getattr(shop.store, name)

        def locked(*args: Any, _real: Any = real, **kwargs: Any) -> Any:
            with lock:
                return _real(*args, **kwargs)

        setattr(shop.store, name, locked)
    first = Worker(shop.engine, slots=3, batch=4, idle=0.005)
    second = Worker(shop.new_engine("second"), slots=3, batch=4, idle=0.005)
    with running(first) as one, running(second) as two:
        until(lambda: not shop.open_directives(), "all of them done")
    assert not one
    assert not two
    assert shop.methods() == ["authorize"] * 60
    assert len(set(shop.keys("authorize"))) == 60


def test_housekeeping_is_done_while_working() -> None:
    shop, _ = gated_shop(2)
    kept = threading.Event()
    worker = worker_of(shop, housekeeping=kept.set, maintain_every=0.0)
    with running(worker):
        assert kept.wait(PATIENCE)


def test_a_worker_can_be_run_until_idle_again_and_again() -> None:
    shop, _ = gated_shop(3)
    worker = worker_of(shop)
    worker.run_until_idle()
    shop.confirm(ref="O0")
    worker.run_until_idle()
    assert shop.moved_q("O0") == 1000


def test_a_work_given_back_is_sent_by_the_next_worker_with_the_same_key() -> None:
    shop, _ = gated_shop(1)
    works: list[Work] = shop.engine.claim(1).works
    assert works[0].request.operation is not None
    key = works[0].request.operation.key
    shop.engine.settle([shop.engine.release(work) for work in works])
    worker_of(shop).run_until_idle()
    assert shop.keys("authorize")[-1] == key
    assert len(shop.gateway.transactions()) == 1
