"""Several workers on one database: nobody gets what somebody else has."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from omniman_payment_core.decisions import sync_of
from omniman_payment_core.engine import Settlement
from omniman_payment_core.records import Case, Changes, DirectiveChange, NewDirective, Topic
from omniman_payment_django.models import Channel, Directive, Order
from omniman_payment_django.store import DjangoStore, NestedTransactionError

from .stores import LEASE, completes, hold, waits


def make_orders(number: int, directives_each: int) -> None:
    channel = Channel.objects.create(code="shop", config={})
    Order.objects.bulk_create(
        Order(ref=f"R{n}", channel=channel, currency="BRL", total_q=1000) for n in range(number)
    )
    DjangoStore().enqueue(
        [
            NewDirective(Topic.HOLD, f"R{n}", {})
            for _ in range(directives_each)
            for n in range(number)
        ]
    )


def in_threads(count: int, work: Any) -> None:
    """Run ``work(number)`` in threads that start together; raise what one of them raised."""
    start, errors = threading.Barrier(count), []

    def run(number: int) -> None:
        try:
            start.wait(30)
            work(number)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]


def test_workers_that_claim_at_once_share_neither_directives_nor_orders(database: object) -> None:
    make_orders(40, 3)
    store, taken = DjangoStore(), []

    def work(number: int) -> None:
        while found := store.claim(
            owner=f"w{number}", limit=7, lease=LEASE, decide=waits, tell=False
        ):
            taken.extend(w.case.directive for w in found)

    in_threads(4, work)
    assert max(Counter(d.id for d in taken).values()) == 1
    assert max(Counter(d.order_ref for d in taken).values()) == 1
    # One may step aside for another that then leaves it: nobody is left out in the end.
    taken += [
        w.case.directive
        for w in store.claim(owner="last", limit=99, lease=LEASE, decide=waits, tell=False)
    ]
    assert len(taken) == 40
    assert Directive.objects.filter(status="running").count() == 40


def test_every_directive_runs_once_when_workers_also_settle(database: object) -> None:
    make_orders(12, 4)
    store, ran = DjangoStore(), []

    def work(number: int) -> None:
        idle = 0
        while idle < 50:
            found = store.claim(owner=f"w{number}", limit=5, lease=LEASE, decide=waits, tell=False)
            idle = 0 if found else idle + 1
            ran.extend(w.case.directive.id for w in found)
            store.settle(
                [
                    Settlement(
                        w.case.directive.id,
                        w.case.directive.order_ref,
                        w.case.directive.fence,
                        lambda case, now, fenced: completes(case, now),
                    )
                    for w in found
                ],
                tell=False,
            )

    in_threads(3, work)
    assert Counter(ran) == Counter(Directive.objects.values_list("id", flat=True))
    assert not Directive.objects.exclude(status="completed").exists()


def test_a_missing_order_has_one_worker_too(database: object) -> None:
    store, taken = DjangoStore(), []
    store.enqueue([hold("nobody") for _ in range(6)])

    def work(number: int) -> None:
        found = store.claim(owner=f"w{number}", limit=5, lease=LEASE, decide=waits, tell=False)
        taken.extend(found)

    in_threads(4, work)
    assert len(taken) == 1


_PROCESS = """
import json, sys
from datetime import timedelta
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["omniman_payment_django"], DATABASES={"default": json.loads(sys.argv[1])},
    USE_TZ=True, SECRET_KEY="x",
)
import django
django.setup()
from omniman_payment_core.records import Changes
from omniman_payment_django.store import DjangoStore
store, taken = DjangoStore(), []
print("ready", flush=True)
sys.stdin.readline()
while found := store.claim(
    owner=sys.argv[2], limit=3, lease=timedelta(seconds=90),
    decide=lambda case, now: Changes(), tell=False,
):
    taken += [w.case.directive.order_ref for w in found]
print(json.dumps(taken))
"""


def test_processes_that_claim_at_once_share_no_order(database: Any) -> None:
    make_orders(60, 2)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, json.dumps(database.settings), f"p{n}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    taken = [ref for process in processes for ref in json.loads(process.communicate(timeout=60)[0])]
    assert all(process.returncode == 0 for process in processes)
    assert max(Counter(taken).values()) == 1


def test_a_wake_that_comes_during_a_settlement_is_never_lost(database: object) -> None:
    """Either the settlement sees the wish, or the finished sync is started again."""
    make_orders(1, 0)
    store = DjangoStore()
    [number] = store.enqueue([sync_of("R0", "p")])
    for _ in range(15):
        [w] = store.claim(owner="w", limit=1, lease=LEASE, decide=waits, tell=False)
        directive = w.case.directive
        seen: list[int] = []

        def work(thread: int, directive: Any = directive, seen: list[int] = seen) -> None:
            if thread:
                store.enqueue([sync_of("R0", "p")])
                return

            def resolve(case: Case, now: Any, fenced: bool) -> Changes:
                seen.append(case.directive.wakes)
                return Changes(directive=DirectiveChange("completed", 0))

            store.settle(
                [Settlement(directive.id, directive.order_ref, directive.fence, resolve)],
                tell=False,
            )

        in_threads(2, work)
        row = Directive.objects.get(pk=number)
        assert row.wakes == directive.wakes + 1
        if seen[-1] == directive.wakes:
            assert row.status == "pending"
        else:
            store.enqueue([sync_of("R0", "p")])


def test_a_phase_inside_an_open_transaction_is_refused(database: object) -> None:
    store = DjangoStore()
    with transaction.atomic(), pytest.raises(NestedTransactionError, match="atomic"):
        store.claim(owner="w", limit=1, lease=LEASE, decide=waits, tell=False)
    with transaction.atomic():
        assert len(store.enqueue([hold("A")])) == 1
        transaction.set_rollback(True)
    assert not Directive.objects.exists()


def test_a_group_is_settled_whole_or_not_at_all(database: object) -> None:
    make_orders(3, 1)
    store = DjangoStore()
    found = store.claim(owner="w", limit=3, lease=LEASE, decide=waits, tell=False)

    def settlement(position: int) -> Settlement:
        directive = found[position].case.directive

        def resolve(case: Case, now: Any, fenced: bool) -> Changes:
            if position == 2:
                raise ZeroDivisionError
            return completes(case, now)

        return Settlement(directive.id, directive.order_ref, directive.fence, resolve)

    with pytest.raises(ZeroDivisionError):
        store.settle([settlement(n) for n in range(3)], tell=False)
    assert Directive.objects.filter(status="running").count() == 3
    store.settle([settlement(n) for n in range(2)], tell=False)
    assert Directive.objects.filter(status="running").count() == 1


def test_a_locked_order_delays_its_own_directive_and_no_other(postgresql_database: object) -> None:
    make_orders(3, 1)
    store, locked, done = DjangoStore(), threading.Event(), threading.Event()

    def hold_lock(number: int) -> None:
        with transaction.atomic():
            Order.objects.select_for_update().get(ref="R1")
            locked.set()
            done.wait(30)

    thread = threading.Thread(target=lambda: (hold_lock(0), connection.close()))
    thread.start()
    assert locked.wait(30)
    found = store.claim(owner="w", limit=9, lease=LEASE, decide=waits, tell=False)
    done.set()
    thread.join(30)
    assert {w.case.directive.order_ref for w in found} == {"R0", "R2"}
    [late] = store.claim(owner="w", limit=9, lease=LEASE, decide=waits, tell=False)
    assert late.case.directive.order_ref == "R1"


def test_a_transaction_that_met_bad_luck_is_run_again(
    sqlite_database: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_orders(1, 1)
    store = DjangoStore()
    tries: list[int] = []

    def unlucky(case: Case, now: Any) -> Changes:
        tries.append(1)
        if len(tries) < 3:
            cause = Exception("busy")
            cause.sqlite_errorcode = 5  # type: ignore[attr-defined]
            raise OperationalError("database is locked") from cause
        return completes(case, now)

    [written] = store.claim(owner="w", limit=1, lease=LEASE, decide=unlucky, tell=False)
    assert (len(tries), written.case.directive.fence) == (3, 1)
    assert Directive.objects.get().fence == 1


def test_sqlite_without_the_immediate_option_is_as_correct(sqlite_database: Any) -> None:
    del connection.settings_dict["OPTIONS"]["transaction_mode"]
    connection.close()
    connection.connect()
    assert connection.transaction_mode is None
    make_orders(30, 2)
    store, taken = DjangoStore(), []

    def work(number: int) -> None:
        while found := store.claim(
            owner=f"w{number}", limit=4, lease=LEASE, decide=waits, tell=False
        ):
            taken.extend(w.case.directive.order_ref for w in found)

    in_threads(4, work)
    assert Counter(taken) == Counter(f"R{n}" for n in range(30))


def test_postgresql_keeps_its_own_time(postgresql_database: object) -> None:
    make_orders(1, 1)
    before = datetime.now(UTC) - timedelta(seconds=1)
    seen: list[datetime] = []
    DjangoStore().claim(
        owner="w", limit=1, lease=LEASE, tell=False,
        decide=lambda case, now: seen.append(now) or Changes(),
    )  # fmt: skip
    assert before < seen[0] < datetime.now(UTC) + timedelta(seconds=1)
    assert seen[0].tzinfo is UTC


def test_claiming_uses_the_index_of_what_is_due(sqlite_database: object) -> None:
    store = DjangoStore()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {store._claiming._due}", ["2030", "2030", "[]", 50])
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
    assert "omniman_directive_due" in plan
    assert "omniman_directive_running" in plan
    assert "SCAN t" not in plan.replace("SCAN t USING INDEX omniman_directive_due", "")
