"""Takes payers out of work that is done: what was needed to pay is not needed afterwards.

Amounts, facts and references stay; nothing here changes what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from omniman_payment_core.records import DirectiveStatus

from . import conf
from .models import Directive, OrderEvent, Payment, WebhookDelivery
from .settling import FORGOTTEN, named

PERSONAL = ("payment_method", "metadata")
PAYER_FORGOTTEN = "payer_forgotten"
AT_ONCE = 500
_DONE = (DirectiveStatus.COMPLETED.value, DirectiveStatus.FAILED.value)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """From how many rows something was taken."""

    directives: int
    notifications: int


def forget_before(before: datetime, *, dry: bool = False) -> Forgotten:
    """What ended, or came, before this moment."""
    return _forget(Q(finished_at__lt=before), Q(received_at__lt=before), dry=dry)


def forget_order(ref: str, *, actor: str, reason: str, dry: bool = False) -> Forgotten:
    """The payer of one order, however short ago; who asked for it and why is kept."""
    actor, reason = named(actor, reason)
    using = conf.database()
    payments = Payment.objects.using(using).filter(order_ref=ref, transaction_id__isnull=False)
    theirs = Q(pk__in=())
    for account, transaction_id in payments.values_list("account", "transaction_id"):
        theirs |= Q(account=account, transaction_id=transaction_id)
    done = _forget(Q(order_ref=ref), theirs, dry=dry)
    if not dry:
        OrderEvent.objects.using(using).create(
            order_ref=ref,
            kind=PAYER_FORGOTTEN,
            actor=actor,
            at=timezone.now(),
            data={
                "directives": done.directives,
                "notifications": done.notifications,
                "reason": reason,
            },
        )
    return done


def _forget(directives: Q, notifications: Q, *, dry: bool) -> Forgotten:
    using = conf.database()
    payloads = Directive.objects.using(using).filter(
        directives, status__in=_DONE, payload__has_any_keys=list(PERSONAL)
    )
    # One that is not matched yet is still looked for, by its id and not by its body.
    bodies = WebhookDelivery.objects.using(using).filter(notifications).exclude(body="")
    if dry:
        return Forgotten(payloads.count(), bodies.count())
    return Forgotten(_in_pages(payloads, _strip), _in_pages(bodies, _empty))


def _in_pages(rows: QuerySet[Any], change: Callable[[Sequence[Any]], None]) -> int:
    """Short transactions, so that workers hardly notice."""
    count = 0
    while True:
        with transaction.atomic(using=rows.db):
            page = list(rows.select_for_update().order_by("pk")[:AT_ONCE])
            if not page:
                return count
            change(page)
        count += len(page)


def _strip(page: Sequence[Directive]) -> None:
    for directive in page:
        kept = {name: v for name, v in directive.payload.items() if name not in PERSONAL}
        directive.payload = {**kept, FORGOTTEN: True}
    Directive.objects.using(page[0]._state.db).bulk_update(page, ["payload"])


def _empty(page: Sequence[WebhookDelivery]) -> None:
    rows = WebhookDelivery.objects.using(page[0]._state.db)
    rows.filter(pk__in=[delivery.pk for delivery in page]).update(body="")
