"""An open page is a reason to ask the gateway again: soon, and seldom enough.

Adds no call of its own: it wakes the payment's one ``payment.sync``, as a notification does.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import django.db
from django.db import transaction
from django.db.models import QuerySet

from omniman_payment_core.decisions import sync_of
from omniman_payment_core.records import NewDirective
from omniman_payment_django import conf
from omniman_payment_django.models import Directive
from omniman_payment_django.runtime import get_store

log = logging.getLogger("omniman_payment.pay")


def wake(order_ref: str, payment_id: str, now: datetime, every: timedelta) -> bool:
    """Have the payment looked at, unless that is about to happen or has just happened.

    However many pages and processes ask, one look in ``every`` comes of it. A look that waits
    for its gateway (a rate limit, an outage) keeps waiting.
    """
    sync = sync_of(order_ref, payment_id)
    using = conf.database()
    same = Directive.objects.using(using).filter(dedupe_key=sync.dedupe_key)
    try:
        # Most questions end here, without taking a lock from the worker.
        if not _is_due(same, now - every):
            return False
        with transaction.atomic(using=using):
            return _wake(same.select_for_update(), sync, now - every)
    except django.db.Error as error:
        # The shopper gets an answer all the same, and the payment has its own schedule.
        log.warning("payment %s could not be woken: %s", payment_id, type(error).__name__)
        return False


def _wake(same: QuerySet[Directive], sync: NewDirective, before: datetime) -> bool:
    if not _is_due(same, before):
        return False
    get_store().enqueue([sync])
    return True


def _is_due(same: QuerySet[Directive], before: datetime) -> bool:
    known = same.values_list("finished_at", flat=True).first()
    if known is None:
        # None for an unfinished one as well as for none at all.
        return not same.exists()
    return known <= before
