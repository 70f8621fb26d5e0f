"""Looks through our own books for a rule that does not hold, and writes nothing.

The rules of one payment are the core's; here are those of the queue, the orders and the flags.
Workers may run meanwhile: whatever looks wrong is read a second time, and told only if it still is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, Sum
from django.utils import timezone

from omniman_payment_core import records
from omniman_payment_core.currencies import format_amount
from omniman_payment_core.decisions import Breach, PaymentBooks, breaches
from omniman_payment_core.ledger import summary_of
from omniman_payment_core.records import DirectiveStatus, OperationState
from omniman_payment_core.values import NextAction, PaymentStatus, RefundStatus

from . import conf
from .models import (
    Directive,
    Flag,
    Order,
    Payment,
    PaymentEvent,
    PaymentNotice,
    PaymentOperation,
    Refund,
)

PAGE = 200
PATIENCE = timedelta(hours=1)
"""What is due, leased or untold for longer than this is a fault, not work in progress."""
_OPEN = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING, DirectiveStatus.PARKED)
_UNSETTLED = (OperationState.PLANNED, OperationState.SENT, OperationState.PARKED)
_UNFINISHED = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION, PaymentStatus.AUTHORIZED)


class Audit:
    """One look through everything, or through the payments that began since a moment."""

    def __init__(
        self, *, since: datetime | None = None, now: Callable[[], datetime] = timezone.now
    ) -> None:
        self._since = since
        self._now = now
        self.payments = 0
        self.orders = 0

    def run(self) -> Iterator[Breach]:
        """Every rule that does not hold, as it is found."""
        wanted = _read(Payment)
        if self._since is not None:
            wanted = wanted.filter(created_at__gte=self._since)
        position = ""
        while page := list(wanted.filter(pk__gt=position).order_by("pk")[:PAGE]):
            position = page[-1].pk
            self.payments += len(page)
            yield from _payments(page)
            yield from self._orders({payment.order_ref for payment in page})
        for rule in (_leases, _due, _unseen, _without_next, _doubts, _untold, _forgotten):
            limit = self._now() - PATIENCE
            suspects = rule(limit)
            if suspects:
                yield from (found for found in rule(limit) if found in suspects)

    def _orders(self, refs: set[str]) -> Iterator[Breach]:
        self.orders += len(refs)
        if conf.omniman().get(conf.ORDER_ADAPTER) is not None:
            # Another project's orders: their totals and summaries are theirs to look through.
            return
        suspects = set(_of_orders(refs))
        if suspects:
            yield from (found for found in _of_orders(refs) if found in suspects)


# Payments


def _payments(page: Sequence[Payment]) -> Iterator[Breach]:
    suspects: dict[str, set[Breach]] = defaultdict(set)
    for books in _books(page):
        if found := breaches(books):
            suspects[books.payment.id].update(found)
    if suspects:
        again = list(_read(Payment).filter(pk__in=list(suspects)).order_by("pk"))
        for books in _books(again):
            yield from (found for found in breaches(books) if found in suspects[books.payment.id])


def _books(page: Sequence[Payment]) -> Iterator[PaymentBooks]:
    ids = [payment.pk for payment in page]
    events = _grouped(PaymentEvent, records.Event, ids, "seq")
    operations = _grouped(PaymentOperation, records.Operation, ids, "created_at")
    refunds = _grouped(Refund, records.Refund, ids, "created_at")
    flags = _read(Flag).filter(
        Q(payment_id__in=ids) | Q(order_ref__in=[payment.order_ref for payment in page])
    )
    known = {key for pair in flags.values_list("payment_id", "order_ref") for key in pair}
    for payment in page:
        yield PaymentBooks(
            payment=_record(records.Payment, payment),
            events=events[payment.pk],
            operations=operations[payment.pk],
            refunds=refunds[payment.pk],
            flagged=payment.pk in known or payment.order_ref in known,
        )


def _grouped(
    model: type[Model], record: type[Any], ids: Sequence[str], order: str
) -> Mapping[str, list[Any]]:
    grouped: dict[str, list[Any]] = defaultdict(list)
    for row in _read(model).filter(payment_id__in=ids).order_by(order):
        grouped[row.payment_id].append(_record(record, row))
    return grouped


def _record(kind: type[Any], row: Model) -> Any:
    """The core's record with the values of a row."""
    values = {field.name: getattr(row, field.name) for field in fields(kind)}
    if kind is records.Payment:
        action = values["next_action"]
        values["status"] = PaymentStatus(values["status"])
        values["fired"] = tuple(values["fired"])
        values["next_action"] = action and NextAction(action["kind"], action["data"])
    elif kind is records.Refund:
        values["status"] = RefundStatus(values["status"])
    return kind(**values)


# Orders


def _of_orders(refs: set[str]) -> Iterator[Breach]:
    latest: dict[str, Payment] = {}
    kept: dict[str, int] = defaultdict(int)
    for payment in _read(Payment).filter(order_ref__in=refs).order_by("attempt"):
        latest[payment.order_ref] = payment
        kept[payment.order_ref] += payment.captured_q - payment.refunded_q
    returning = _read(Refund).filter(
        payment__order_ref__in=refs, status=RefundStatus.PENDING, accepted=True
    )
    for ref, amount_q in returning.values_list("payment__order_ref").annotate(Sum("amount_q")):
        kept[ref] -= amount_q
    flagged = set(_read(Flag).filter(order_ref__in=refs).values_list("order_ref", flat=True))
    for order in _read(Order).filter(ref__in=refs).order_by("pk"):
        where = f"order {order.ref}"
        if kept[order.ref] > order.total_q and order.ref not in flagged:
            yield Breach(
                "no order above its total",
                where,
                f"{format_amount(kept[order.ref], order.currency)} kept of "
                f"{format_amount(order.total_q, order.currency)}",
            )
        summary = summary_of(_record(records.Payment, latest[order.ref]))
        told = order.data.get("payment") if isinstance(order.data, dict) else None
        if told != summary and order.ref not in flagged:
            names = sorted(key for key in summary if (told or {}).get(key) != summary[key])
            yield Breach("the order shows what the ledger says", where, ", ".join(names))


# The queue


def _leases(limit: datetime) -> list[Breach]:
    """A worker died, and none has come since to take its work over."""
    return [
        _directive("no lease outlives its worker for long", each, f"ended {each.lease_until}")
        for each in _read(Directive).filter(status=DirectiveStatus.RUNNING, lease_until__lt=limit)
    ]


def _due(limit: datetime) -> list[Breach]:
    """It should have run: no worker, too few, or one that cannot reach it."""
    late = _read(Directive).filter(status=DirectiveStatus.PENDING, available_at__lt=limit)
    return [
        _directive("nothing waits past its time", each, f"due {each.available_at}") for each in late
    ]


def _unseen(limit: datetime) -> list[Breach]:
    """Parked, and nobody is shown it."""
    parked = _read(Directive).filter(status=DirectiveStatus.PARKED)
    return [
        _directive("nothing is parked unseen", each, each.last_error[:200])
        for each in parked.exclude(_flag(order_ref=OuterRef("order_ref"))).exclude(
            _flag(directive_id=OuterRef("pk"))
        )
    ]


def _without_next(limit: datetime) -> list[Breach]:
    """A payment that is not final, and that nobody will look at again."""
    forgotten = (
        _read(Payment)
        .filter(status__in=_UNFINISHED, next_check_at__isnull=True, created_at__lt=limit)
        .exclude(_open_directive(OuterRef("order_ref")))
        .exclude(_flag(order_ref=OuterRef("order_ref")))
    )
    return [
        Breach(
            "every open payment has a next step",
            f"payment {each.pk} of order {each.order_ref}",
            f"{each.status}, and no look is due",
        )
        for each in forgotten
    ]


def _doubts(limit: datetime) -> list[Breach]:
    """An operation whose outcome nobody is finding out."""
    alone = (
        _read(PaymentOperation)
        .filter(state__in=_UNSETTLED, created_at__lt=limit)
        .exclude(~Q(state=OperationState.PARKED), _open_directive(OuterRef("payment__order_ref")))
        .exclude(_flag(order_ref=OuterRef("payment__order_ref")))
        .select_related("payment")
    )
    return [
        Breach(
            "every doubt is being settled",
            f"operation {each.pk} of order {each.payment.order_ref}",
            f"{each.state}, with neither a directive nor an open flag",
        )
        for each in alone
    ]


def _untold(limit: datetime) -> list[Breach]:
    """Observers that were not told after the commit are told again; not here."""
    notices = _read(PaymentNotice).filter(at__lt=limit).order_by("pk")
    return [
        Breach(
            "observers hear of every change",
            f"payment {each.payment_id}",
            f"version {each.version} of {each.at} is still to be told",
        )
        for each in notices
    ]


def _forgotten(limit: datetime) -> list[Breach]:
    """An order that was sold here and for whose payment nothing was ever asked."""
    asked = Directive.objects.using(conf.database()).filter(order_ref=OuterRef("ref"))
    return [
        Breach("every order asks for its money", f"order {each.ref}", "it has no directive at all")
        for each in _read(Order).filter(session__isnull=False).exclude(Exists(asked))
    ]


def _read(model: type[Any]) -> Any:
    return model._default_manager.using(conf.database())


def _directive(rule: str, directive: Directive, what: str) -> Breach:
    where = f"directive {directive.pk} ({directive.topic}) of order {directive.order_ref}"
    return Breach(rule, where, what)


def _flag(**about: OuterRef) -> Exists:
    open_flags = Flag.objects.using(conf.database()).filter(settled_at=None)
    return Exists(open_flags.filter(**about))


def _open_directive(order_ref: OuterRef) -> Exists:
    directives = Directive.objects.using(conf.database())
    return Exists(directives.filter(order_ref=order_ref, status__in=_OPEN))
