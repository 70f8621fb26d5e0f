"""The baseline: a loop written by hand on the raw driver, one commit for each directive.

It leaves the same rows in the same tables as the product, each written once and in its final
form, with prepared statements and no framework. It is not safe: a crash during the call
leaves no trace of it, there is no lease, and nothing is ever looked up or retried.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol

import psycopg

from omniman_payment_core.values import PaymentResult
from omniman_payment_mock import MockPaymentBackend

from .databases import POSTGRES, Database
from .shop import HOLD

WINDOW = timedelta(hours=24)

DUE = """
SELECT d.id, d.topic, d.order_ref, d.payload, o.total_q, o.currency, c.config
FROM omniman_payment_directive d
JOIN omniman_payment_order o ON o.ref = d.order_ref
JOIN omniman_payment_channel c ON c.id = o.channel_id
WHERE d.status IN ('pending', 'running') AND d.available_at <= %s
ORDER BY d.available_at, d.id LIMIT 1"""
HELD = """
SELECT id, transaction_id, authorized_q FROM omniman_payment_payment
WHERE order_ref = %s ORDER BY attempt DESC LIMIT 1"""
NEW_PAYMENT = """
INSERT INTO omniman_payment_payment (id, order_ref, attempt, flow, account, fingerprint, livemode,
plugin, plugin_version, currency, amount_q, created_at, transaction_id, status, authorized_q,
captured_q, released_q, refund_pending_q, refunded_q, disputed_q, actions_open, failures, voids,
expiries, hold_expires_at, cancel_requested, fired, checks, next_check_at, version)
VALUES (%s, %s, 1, 'authorize_capture', 'mock', '653d53eb85fab97d', FALSE, 'mock', '', %s, %s, %s,
%s, 'authorized', %s, 0, 0, 0, 0, 0, 0, 0, 0, 0, %s, FALSE, '["on_payment_hold"]', 0, %s, 2)"""
CAPTURED = """
UPDATE omniman_payment_payment SET status = 'captured', captured_q = %s,
fired = '["on_payment_hold","on_payment_confirm"]', next_check_at = NULL, version = version + 1
WHERE id = %s"""
NEW_OPERATION = """
INSERT INTO omniman_payment_paymentoperation (key, payment_id, kind, ordinal, cause, params_hash,
amount_q, currency, state, created_at, first_sent_at, last_sent_at, window_until, address,
gateway_reference, fence, attempts, code, evidence)
VALUES (%s, %s, %s, 1, %s, %s, %s, %s, 'ok', %s, %s, %s, %s, %s, %s, 1, 1, '', '')"""
OPENED = """
INSERT INTO omniman_payment_paymentevent (payment_id, kind, amount_q, dedupe_key, source, actor, at,
gateway_reference, data)
VALUES (%s, 'opened', %s, %s, 'call', 'by hand', %s, '',
'{"account":"mock","flow":"authorize_capture","late_money":"flag"}'),
(%s, 'authorized', %s, %s, 'call', 'by hand', %s, %s, '{}')"""
CAPTURE_EVENT = """
INSERT INTO omniman_payment_paymentevent (payment_id, kind, amount_q, dedupe_key, source, actor, at,
gateway_reference, data) VALUES (%s, 'captured', %s, %s, 'call', 'by hand', %s, %s, '{}')"""
NEW_CALL = """
INSERT INTO omniman_payment_gatewaycall (order_ref, payment_id, account, method, operation_key,
amount_q, currency, attempt, outcome, duration_us, at, transaction_id, status, code, message)
VALUES (%s, %s, 'mock', %s, %s, %s, %s, 1, 'answered', %s, %s, %s, %s, '', '')"""
DONE = """
UPDATE omniman_payment_directive SET status = 'completed', fence = fence + 1, result = %s,
finished_at = %s WHERE id = %s"""

Run = Callable[[str, Sequence[Any]], Any]


class Driver(Protocol):
    """What differs between the two raw drivers."""

    due: str
    summary: str

    def begin(self) -> None: ...

    def execute(self, statement: str, parameters: Sequence[Any]) -> None: ...

    def fetchone(self) -> Sequence[Any] | None: ...

    def commit(self) -> None: ...

    def time(self, value: datetime) -> Any: ...

    def json(self, value: Any) -> Any: ...

    def close(self) -> None: ...


class SQLiteDriver:
    """``sqlite3``, which keeps its statements prepared by itself."""

    due = DUE
    summary = (
        "UPDATE omniman_payment_order SET data = json_set(data, '$.payment', json(%s)) "
        "WHERE ref = %s"
    )

    def __init__(self, address: str) -> None:
        self._connection = sqlite3.connect(address, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._cursor = self._connection.cursor()
        self._spelled: dict[str, str] = {}

    def begin(self) -> None:
        self._cursor.execute("BEGIN IMMEDIATE")

    def execute(self, statement: str, parameters: Sequence[Any]) -> None:
        spelled = self._spelled.get(statement)
        if spelled is None:
            spelled = self._spelled[statement] = statement.replace("%s", "?")
        self._cursor.execute(spelled, parameters)

    def fetchone(self) -> Sequence[Any] | None:
        row: Sequence[Any] | None = self._cursor.fetchone()
        return row

    def commit(self) -> None:
        self._cursor.execute("COMMIT")

    def time(self, value: datetime) -> str:
        return str(value)[:-6]

    def json(self, value: Any) -> Any:
        return json.loads(value)

    def close(self) -> None:
        self._connection.close()


class PostgresDriver:
    """``psycopg`` with every statement prepared on the server."""

    due = DUE + " FOR UPDATE OF d, o SKIP LOCKED"
    summary = (
        "UPDATE omniman_payment_order "
        "SET data = data || jsonb_build_object('payment', %s::jsonb) WHERE ref = %s"
    )

    def __init__(self, address: str) -> None:
        self._connection = psycopg.connect(address)
        self._connection.prepare_threshold = 0
        self._cursor = self._connection.cursor()

    def begin(self) -> None:
        """psycopg begins with the first statement."""

    def execute(self, statement: str, parameters: Sequence[Any]) -> None:
        self._cursor.execute(statement, parameters)

    def fetchone(self) -> Sequence[Any] | None:
        return self._cursor.fetchone()

    def commit(self) -> None:
        self._connection.commit()

    def time(self, value: datetime) -> datetime:
        return value

    def json(self, value: Any) -> Any:
        return value

    def close(self) -> None:
        self._connection.close()


class ByHand:
    """The loop, with a mock of its own."""

    def __init__(self, database: Database) -> None:
        driver = PostgresDriver if database.alias == POSTGRES else SQLiteDriver
        self._driver: Driver = driver(database.address)
        self._backend = MockPaymentBackend()

    def run_until_idle(self) -> int:
        """Do what is due, one directive after the other."""
        done = 0
        while self._step():
            done += 1
        return done

    def close(self) -> None:
        self._driver.close()

    def _step(self) -> bool:
        from omniman_payment_django.runtime import new_id

        driver = self._driver
        now = datetime.now(UTC)
        driver.begin()
        driver.execute(driver.due, (driver.time(now),))
        row = driver.fetchone()
        if row is None:
            driver.commit()
            return False
        number, topic, ref, payload, total_q, currency, _config = row
        asked = driver.json(payload)
        if topic == HOLD:
            self._hold(number, ref, asked, asked.get("amount_q", total_q), currency, new_id(), now)
        else:
            self._confirm(number, ref, asked, currency, now)
        driver.commit()
        return True

    def _hold(
        self,
        number: int,
        ref: str,
        asked: dict[str, Any],
        amount_q: int,
        currency: str,
        payment: str,
        now: datetime,
    ) -> None:
        driver, run = self._driver, self._driver.execute
        key = "omp_" + sha256(f"mock|{payment}|authorize|1".encode()).hexdigest()[:32]
        address = self._backend.choose_transaction_id(key)
        result = self._backend.authorize(
            amount_q, currency, ref, asked["payment_method"], {"payment_id": payment},
            idempotency_key=key, transaction_id=address,
        )  # fmt: skip
        after = datetime.now(UTC)
        at, answered_at = driver.time(now), driver.time(after)
        expires = driver.time(result.hold_expires_at or after)
        run(
            NEW_PAYMENT,
            (payment, ref, currency, amount_q, at, result.transaction_id, amount_q, expires,
             driver.time(after + timedelta(days=1))),
        )  # fmt: skip
        self._operation(key, payment, "authorize", number, asked, amount_q, currency, now, result)
        run(
            OPENED,
            (payment, amount_q, f"{payment}:opened", at, payment, amount_q, f"{key}:authorized",
             answered_at, result.transaction_id),
        )  # fmt: skip
        self._finish(number, ref, payment, "authorize", key, amount_q, 0, currency, now, result)

    def _confirm(
        self, number: int, ref: str, asked: dict[str, Any], currency: str, now: datetime
    ) -> None:
        run = self._driver.execute
        run(HELD, (ref,))
        held = self._driver.fetchone()
        if held is None:
            raise RuntimeError(f"order {ref} has no payment to confirm")
        payment, address, amount_q = held
        key = "omp_" + sha256(f"mock|{payment}|capture|1".encode()).hexdigest()[:32]
        result = self._backend.capture(address, amount_q, idempotency_key=key)
        run(CAPTURED, (amount_q, payment))
        self._operation(key, payment, "capture", number, asked, amount_q, currency, now, result)
        run(
            CAPTURE_EVENT,
            (payment, amount_q, f"{key}:captured", self._driver.time(now), address),
        )
        self._finish(
            number, ref, payment, "capture", key, amount_q, amount_q, currency, now, result
        )

    def _operation(
        self,
        key: str,
        payment: str,
        kind: str,
        number: int,
        asked: dict[str, Any],
        amount_q: int,
        currency: str,
        now: datetime,
        result: PaymentResult,
    ) -> None:
        driver = self._driver
        digest = sha256(json.dumps([kind, amount_q, currency, asked]).encode()).hexdigest()[:32]
        at = driver.time(now)
        driver.execute(
            NEW_OPERATION,
            (key, payment, kind, f"directive-{number}", digest, amount_q, currency, at, at, at,
             driver.time(now + WINDOW), result.transaction_id, result.transaction_id),
        )  # fmt: skip

    def _finish(
        self,
        number: int,
        ref: str,
        payment: str,
        method: str,
        key: str,
        amount_q: int,
        captured_q: int,
        currency: str,
        began: datetime,
        result: PaymentResult,
    ) -> None:
        driver, run = self._driver, self._driver.execute
        now = datetime.now(UTC)
        at, status = driver.time(now), str(result.status)
        run(
            NEW_CALL,
            (ref, payment, method, key, amount_q, currency, (now - began).microseconds, at,
             result.transaction_id, status),
        )  # fmt: skip
        summary = {
            "status": status,
            "transaction_id": result.transaction_id,
            "amount_q": amount_q,
            "currency": currency,
            "payment_id": payment,
            "account": "mock",
            "authorized_q": amount_q,
            "captured_q": captured_q,
            "refunded_q": 0,
            "disputed_q": 0,
        }
        run(driver.summary, (json.dumps(summary), ref))
        ended = {"transaction_id": result.transaction_id, "status": status}
        run(DONE, (json.dumps(ended), at, number))
