"""How far an account's reconciliation has come, and whose turn it is to go on with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from omniman_payment_core.errors import PaymentError
from omniman_payment_django import conf
from omniman_payment_django.models import Reconciliation

LEASE = timedelta(minutes=15)
"""So long nobody else goes on with a run whose process may have died."""


class ReconciliationBusyError(PaymentError):
    """Another process reconciles this account, or has just failed to."""


class Standing:
    """The row of one account, held by one run at a time.

    A run that was stopped is gone on with where it was, unless another beginning is asked for.
    """

    def __init__(self, account: str, since: datetime | None, reach: timedelta) -> None:
        now = timezone.now()
        begun = Reconciliation(account=account, since=since or now - reach, began_at=now)
        with transaction.atomic(using=conf.database()):
            row = _rows().select_for_update().filter(pk=account).first()
            if row is not None and row.lease_until is not None and row.lease_until > now:
                raise ReconciliationBusyError(
                    f"account {account}: another process reconciles it, or failed to; nobody "
                    f"else begins before {row.lease_until:%Y-%m-%d %H:%M:%S} UTC"
                )
            stopped = row is not None and row.finished_at is None
            if row is None or not stopped or since not in (None, row.since):
                row = begun
            row.lease_until = self._lease_until = now + LEASE
            row.save(using=conf.database())
        self._row = row

    @property
    def since(self) -> datetime:
        """The run compares what began then or later."""
        return self._row.since

    @property
    def began_at(self) -> datetime:
        """When the run began, which may have been stopped since."""
        return self._row.began_at

    @property
    def position(self) -> str:
        """The last payment that was compared."""
        return self._row.position

    @property
    def compared(self) -> int:
        """How many payments were, in this run and before it was stopped."""
        return self._row.compared

    def reached(self, position: str, compared: int) -> None:
        """A page is done."""
        self._write(position=position, compared=compared)

    def hold(self) -> None:
        """Keep the lease while a page takes long."""
        if self._lease_until - timezone.now() < LEASE / 2:
            self._write()

    def finish(self) -> None:
        """The run has come to its end."""
        self._write(finished_at=timezone.now())
        self.let_go()

    def let_go(self) -> None:
        """Whoever comes next may go on at once, where it was."""
        self._held().update(lease_until=None)

    def _write(self, **changes: Any) -> None:
        """Only while the lease is still ours, which this prolongs."""
        until = timezone.now() + LEASE
        if not self._held().update(lease_until=until, **changes):
            raise ReconciliationBusyError(
                f"account {self._row.pk}: another process has taken over its reconciliation"
            )
        self._lease_until = until

    def _held(self) -> QuerySet[Reconciliation]:
        return _rows().filter(pk=self._row.pk, lease_until=self._lease_until)


class Unwritten:
    """Where a run stands that writes nothing at all."""

    position = ""
    compared = 0

    def __init__(self, since: datetime | None, reach: timedelta) -> None:
        self.began_at = timezone.now()
        self.since = since or self.began_at - reach

    def reached(self, position: str, compared: int) -> None:
        """Nothing to keep."""

    def hold(self) -> None:
        """Nothing is held."""

    def finish(self) -> None:
        """Nothing to keep."""

    def let_go(self) -> None:
        """Nothing is held."""


def _rows() -> QuerySet[Reconciliation]:
    return Reconciliation.objects.using(conf.database())
