"""What differs is noted with its order; what no look has mended by the next run, a person sees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from omniman_payment_core.decisions import sync_of
from omniman_payment_django import conf
from omniman_payment_django.models import Flag, OrderEvent, Payment
from omniman_payment_django.runtime import get_store

DIFFERENCE = "difference_found"
ACTOR = "reconciliation"
_MENDING = timedelta(hours=1)
"""A look that was woken has been made by then, where the gateway answers at all."""

Difference = tuple[Payment, tuple[str, ...]]


def insist(found: Sequence[Difference], began_at: datetime) -> None:
    """Wake what differs to be looked at; ask a person where that has not helped before."""
    using = conf.database()
    with transaction.atomic(using=using):
        noted = _noted([payment.order_ref for payment, _ in found], using)
        news = []
        for payment, what in found:
            since = noted.get((payment.pk, what))
            if since is None:
                news.append(_event(payment, what))
            elif since <= began_at - _MENDING:
                _flag(payment, what, using)
        OrderEvent.objects.using(using).bulk_create(news)
        get_store().enqueue([sync_of(payment.order_ref, payment.pk) for payment, _ in found])


def _noted(refs: Sequence[str], using: str) -> dict[tuple[str, tuple[str, ...]], datetime]:
    """When each difference was first noted, in the very same words."""
    events = OrderEvent.objects.using(using).filter(kind=DIFFERENCE, order_ref__in=refs)
    return {
        (str(event.detail("payment")), tuple(event.detail("what") or ())): event.at
        for event in events
    }


def _event(payment: Payment, what: tuple[str, ...]) -> OrderEvent:
    return OrderEvent(
        order_ref=payment.order_ref,
        kind=DIFFERENCE,
        actor=ACTOR,
        data={"payment": payment.pk, "what": list(what)},
    )


def _flag(payment: Payment, what: tuple[str, ...], using: str) -> None:
    Flag.objects.using(using).get_or_create(
        dedupe_key=f"books_differ:{payment.pk}",
        settled_at=None,
        defaults={
            "kind": "books_differ",
            "order_ref": payment.order_ref,
            "payment_id": payment.pk,
            "account": payment.account,
            "message": f"order {payment.order_ref} differs from its gateway, and looking again "
            f"has not mended it: {'; '.join(what)}",
        },
    )
