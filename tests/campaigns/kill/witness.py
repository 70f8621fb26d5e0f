"""An observer that writes down whatever it is told: a file outlives the process that wrote."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.notices import PaymentChange


class Witness:
    """Told of every change of a payment's status, by whatever worker committed it."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @hookimpl
    def payment_changed(self, change: PaymentChange) -> None:
        """One write, so that lines of several processes do not mix."""
        line = f"{change.payment_id} {change.version} {change.status}\n"
        os.write(self._file, line.encode())


def untrue_or_untold(file: Path) -> Iterator[str]:
    """Every payment's last status was told, again where need be; none that never was."""
    from omniman_payment_django.models import Payment

    told: dict[str, dict[int, str]] = defaultdict(dict)
    for line in file.read_text().splitlines():
        payment_id, version, status = line.split()
        before = told[payment_id].setdefault(int(version), status)
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
