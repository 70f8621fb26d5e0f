"""The system check of payments in flight: each needs the account that it was begun with.

A payment never goes to another account. One whose account was renamed, removed or replaced waits,
and this is where whoever changed the settings hears of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django.db
from django.core import checks
from django.db import connections
from django.db.models import Count, Q

from omniman_payment_core.errors import BackendNotFoundError, ConfigurationError
from omniman_payment_core.records import DirectiveStatus

from . import conf
from .checks import TAG

_UNFINISHED = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING, DirectiveStatus.PARKED)


@checks.register(TAG, checks.Tags.database)
def check_bound_payments(
    databases: Sequence[str] | None = None, **_: Any
) -> list[checks.CheckMessage]:
    """Payments that are not at rest, counted for each account they are bound to."""
    from .models import Directive, Payment

    alias = conf.database()
    if alias not in (databases or ()):
        return []
    try:
        tables = connections[alias].introspection.table_names()
        if not {Payment._meta.db_table, Directive._meta.db_table} <= set(tables):
            return []
        asked_for = Directive.objects.using(alias).filter(
            status__in=[str(status) for status in _UNFINISHED]
        )
        bindings = list(
            Payment.objects.using(alias)
            .filter(Q(next_check_at__isnull=False) | Q(order_ref__in=asked_for.values("order_ref")))
            .values_list("account", "fingerprint", "livemode")
            .annotate(number=Count("pk"))
            .order_by("account", "fingerprint", "livemode")
        )
    except django.db.Error:
        # Before the migrations have run, or without a database: others report that better.
        return []
    return [
        checks.Error(
            f'Account "{account}" {problem}; payments in flight that wait for it: {number}.',
            hint="Configure the account they were begun with under its old name until they are "
            "done; they are never sent to another one.",
            id="omniman_payment.E009",
        )
        for account, fingerprint, livemode, number in bindings
        if (problem := _problem(account, fingerprint, livemode))
    ]


def _problem(name: str, fingerprint: str, livemode: bool) -> str:
    """Why the account is not the one; one that cannot be used at all is told by E001."""
    from .runtime import get_registry

    try:
        account = get_registry().account(name)
        if account.fingerprint != fingerprint:
            return "is another one at the gateway than it was"
        if account.livemode != livemode:
            return f"has its live mode {'on' if account.livemode else 'off'} now"
    except BackendNotFoundError:
        return 'is not in settings.OMNIMAN["PAYMENT_BACKENDS"], or its plugin is not installed'
    except ConfigurationError:
        return ""
    return ""
