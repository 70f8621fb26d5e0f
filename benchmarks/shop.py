"""Orders and directives to work on, by the ten thousand, written by SQL that is not measured."""

from __future__ import annotations

import json

from django.db import connections

from .databases import Database

HOLD, CONFIRM = "payment.hold", "payment.confirm"
AMOUNT_Q, CURRENCY = 12_990, "BRL"
PAYMENT_METHOD = {"type": "card", "token": "tok_visa_4242"}
CHANNEL_CONFIG = {"payment_backend": "mock", "payment_flow": "authorize_capture"}
PAYLOADS = {
    HOLD: {"amount_q": AMOUNT_Q, "currency": CURRENCY, "payment_method": PAYMENT_METHOD},
    CONFIRM: {},
}


def numbers(database: Database, count: int) -> str:
    """A ``FROM`` item ``s(n)`` that counts from one."""
    if connections[database.alias].vendor == "postgresql":
        return f"generate_series(1, {count}) AS s(n)"
    return (
        f"(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) "
        "SELECT n FROM s) AS s"
    )


def moment(database: Database, minutes: int) -> str:
    """An SQL expression: so many minutes from now."""
    if connections[database.alias].vendor == "postgresql":
        return f"now() + interval '{minutes} minutes'"
    return f"strftime('%Y-%m-%d %H:%M:%f', 'now', '{minutes} minutes')"


def open_shop(database: Database) -> None:
    """The one channel."""
    execute(
        database,
        "INSERT INTO omniman_payment_channel (id, code, name, config) "
        f"VALUES (1, 'web', 'Web', '{json.dumps(CHANNEL_CONFIG)}')",
    )


def add_orders(database: Database, tag: str, count: int) -> None:
    """Orders ``tag-1`` to ``tag-count``, unpaid."""
    execute(
        database,
        "INSERT INTO omniman_payment_order "
        "(ref, channel_id, status, currency, total_q, items, data, created_at) "
        f"SELECT '{tag}-' || n, 1, 'new', '{CURRENCY}', {AMOUNT_Q}, '[]', '{{}}', "
        f"{moment(database, 0)} FROM {numbers(database, count)}",
    )


def add_directives(
    database: Database,
    tag: str,
    count: int,
    topic: str,
    *,
    minutes: int = -1,
    status: str = "pending",
) -> None:
    """One directive for each order of a tag, due since a minute."""
    execute(
        database,
        "INSERT INTO omniman_payment_directive (topic, order_ref, payload, schema_version, status, "
        "attempts, available_at, fence, lease_owner, waiting, wakes, last_error, created_at) "
        f"SELECT '{topic}', '{tag}-' || n, '{json.dumps(PAYLOADS[topic])}', 1, '{status}', 0, "
        f"{moment(database, minutes)}, 0, '', FALSE, 0, '', {moment(database, -1)} "
        f"FROM {numbers(database, count)}",
    )


def analyze(database: Database) -> None:
    """What a database does by itself before long: learn how large its tables are."""
    execute(database, "ANALYZE")


def execute(database: Database, statement: str) -> None:
    """One statement, committed."""
    with connections[database.alias].cursor() as cursor:
        cursor.execute(statement)


def count_rows(database: Database, table: str, condition: str = "TRUE") -> int:
    """How many rows of a table meet a condition."""
    with connections[database.alias].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM omniman_payment_{table} WHERE {condition}")
        return int(cursor.fetchone()[0])
