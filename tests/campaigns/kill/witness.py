"""An observer that writes down whatever it is told: a file outlives the process that wrote."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.notices import PaymentChange

_END = "."


class Witness:
    """Told of every change of a payment's status, by whatever worker committed it."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @hookimpl
    def payment_changed(self, change: PaymentChange) -> None:
        """One write, so that lines of several processes do not mix.

        A kill can still tear it where a page of the file ends. So each line begins by itself and
        says where it ends; of what was torn, the next process tells again.
        """
        line = f"\n{change.payment_id} {change.version} {change.status}{_END}"
        os.write(self._file, line.encode())


def heard_in(file: Path) -> Iterator[tuple[str, int, str]]:
    """Payment, version and status of each line that was written to its end."""
    for line in file.read_text().splitlines():
        if line.endswith(_END):
            payment_id, version, status = line.removesuffix(_END).split()
            yield payment_id, int(version), status


def untrue_or_untold(file: Path) -> Iterator[str]:
    """Every payment's last status was told, again where need be; none that never was."""
    from omniman_payment_django.models import Payment

    told: dict[str, dict[int, str]] = defaultdict(dict)
    for payment_id, version, status in heard_in(file):
        before = told[payment_id].setdefault(version, status)
        if before != status:
            yield f"{payment_id} version {version} was told as {before} and as {status}"
    for row in Payment.objects.order_by("pk"):
        heard = told.pop(row.id, {})
        last = heard[max(heard)] if heard else "pending"
        if last != row.status:
            yield f"{row.order_ref} is {row.status}, and the last that was told is {last}"
        if heard and max(heard) > row.version:
            yield f"{row.order_ref}: version {max(heard)} was told, there is only {row.version}"
    for payment_id in told:
        yield f"a change of {payment_id} was told, which does not exist"
