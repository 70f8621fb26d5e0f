"""One database as the store works with it: dialect, tables, conversions, and transactions."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from .dialect import Dialect
from .postgres import PostgresDialect
from .rows import Rows
from .sqlite import SQLiteDialect
from .tables import Tables

log = logging.getLogger("omniman_payment.store")

T = TypeVar("T")

TRIES = 6
FIRST_PAUSE = 0.01


class ConcurrentChangeError(Exception):
    """A row was changed behind our back; the whole transaction was rolled back."""


class NestedTransactionError(RuntimeError):
    """A phase of the engine was called inside somebody else's transaction."""


class Database:
    """The connection of the current thread under an alias, and what is the same for all threads."""

    def __init__(self, using: str, clock: Callable[[], datetime] | None = None) -> None:
        self.using = using
        self._clock = clock

    @property
    def connection(self) -> BaseDatabaseWrapper:
        return connections[self.using]

    @cached_property
    def dialect(self) -> Dialect:
        if not settings.USE_TZ:
            raise ImproperlyConfigured("USE_TZ is off; the payment tables need USE_TZ = True")
        connection = self.connection
        if connection.vendor == "postgresql":
            return PostgresDialect(self._clock)
        if connection.vendor == "sqlite":
            return SQLiteDialect(connection, self._clock)
        raise ImproperlyConfigured(
            f'DATABASES["{self.using}"]: payments run on SQLite and PostgreSQL, '
            f"not on {connection.display_name}"
        )

    @cached_property
    def tables(self) -> Tables:
        return Tables(self.connection)

    @cached_property
    def rows(self) -> Rows:
        return Rows(self.dialect)

    def run(self, work: Callable[[CursorWrapper], T], *, joins: bool = False) -> T:
        """Run ``work`` in one transaction, again when only bad luck was in its way.

        With ``joins`` an open transaction is joined; otherwise that is an error, because a
        gateway is called next and nothing may be locked by then.
        """
        connection = self.connection
        inside = connection.in_atomic_block
        if inside and not joins and not _in_test_case(connection):
            raise NestedTransactionError(
                f'the payment engine runs inside an open transaction of database "{self.using}"; '
                "it commits by itself before each gateway call: call it outside of atomic()"
            )
        if not inside:
            _revive(connection)
        for attempt in range(1, TRIES):
            try:
                return self._once(work)
            except (Error, ConcurrentChangeError) as error:
                if inside or not self._may_succeed_again(error):
                    raise
                log.info("transaction %d of %d failed: %s", attempt, TRIES, type(error).__name__)
                time.sleep(FIRST_PAUSE * 2**attempt * random.random())
        return self._once(work)

    def _once(self, work: Callable[[CursorWrapper], T]) -> T:
        with transaction.atomic(using=self.using), self.connection.cursor() as cursor:
            self.dialect.begin(cursor)
            return work(cursor)

    def _may_succeed_again(self, error: Exception) -> bool:
        return isinstance(error, ConcurrentChangeError) or self.dialect.is_transient(error)


def _in_test_case(connection: BaseDatabaseWrapper) -> bool:
    """Django's ``TestCase`` wraps each test; ``atomic(durable=True)`` makes the same exception."""
    return bool(getattr(connection.atomic_blocks[-1], "_from_testcase", False))


def _revive(connection: BaseDatabaseWrapper) -> None:
    """A worker has no request whose end would put a broken connection aside."""
    if connection.connection is None or not connection.errors_occurred:
        return
    if connection.is_usable():
        connection.errors_occurred = False
    else:
        connection.close()
