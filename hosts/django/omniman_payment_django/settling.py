"""The few things a person may decide, each recorded with who and why.

Shared by ``manage.py payments`` and the admin. Nobody can change an amount or a fact here.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from omniman_payment_core.records import (
    ABOUT_UNKNOWN,
    DirectiveStatus,
    NewDirective,
    OperationKind,
    OperationState,
    Topic,
)
from omniman_payment_core.values import PaymentStatus, RefundStatus

from . import conf
from .models import Directive, Flag, OrderEvent, PaymentOperation, Refund
from .runtime import get_store

FORGOTTEN = "forgotten"
"""Stands in the payload of a directive whose payer was taken out."""
RETRIED = "directive_retried"
DIRECTIVE_ABANDONED = "directive_abandoned"
ABANDONED = "abandoned"
FLAG_SETTLED = "flag_settled"
LONGEST_ACTOR = 150
LONGEST_REASON = 2000
_BEGINNING = (OperationKind.PREPARE, OperationKind.AUTHORIZE, OperationKind.CHARGE)
_UNPAID = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)


class SettlingError(ValueError):
    """It cannot be done; nothing was changed."""


def settle_flags(ids: Iterable[int], *, actor: str, reason: str) -> list[Flag]:
    """Close open flags; those that somebody else settled meanwhile keep what was said then."""
    actor, reason = named(actor, reason)
    using = conf.database()
    with transaction.atomic(using=using):
        now = timezone.now()
        flags = list(
            Flag.objects.using(using)
            .select_for_update()
            .filter(pk__in=list(ids), settled_at=None)
            .order_by("pk")
        )
        for flag in flags:
            flag.settled_at, flag.actor, flag.reason = now, actor, reason
            flag.save(using=using, update_fields=["settled_at", "actor", "reason"])
        OrderEvent.objects.using(using).bulk_create(
            OrderEvent(
                order_ref=flag.order_ref,
                kind=FLAG_SETTLED,
                actor=actor,
                at=now,
                data={"flag": flag.pk, "kind": flag.kind, "reason": reason},
            )
            for flag in flags
            if flag.order_ref
        )
    return flags


def retry_directive(directive_id: int, *, actor: str, reason: str) -> Directive:
    """Let a parked or failed directive run again, with all its attempts.

    What it had sent without learning the outcome counts as in doubt again: it is looked up
    at the gateway before anything is repeated.
    """
    actor, reason = named(actor, reason)
    using = conf.database()
    with transaction.atomic(using=using):
        directive = _locked(directive_id, using)
        if directive.status not in (DirectiveStatus.PARKED, DirectiveStatus.FAILED):
            raise SettlingError(
                f"directive {directive_id} is {directive.status}; only a parked or failed one "
                "can be run again"
            )
        if isinstance(directive.payload, dict) and directive.payload.get(FORGOTTEN):
            raise SettlingError(
                f"the payment method of directive {directive_id} was forgotten; let the shopper "
                "pay anew"
            )
        before, now = directive.status, timezone.now()
        parked = _operations_of(directive, using).filter(state=OperationState.PARKED)
        asked_again = set(parked.values_list("payment_id", flat=True))
        # What never left is no doubt: there is nothing to look up.
        parked.filter(first_sent_at=None).update(state=OperationState.PLANNED)
        parked.update(state=OperationState.SENT)
        directive.status, directive.attempts = DirectiveStatus.PENDING, 0
        directive.waiting, directive.available_at, directive.finished_at = False, now, None
        directive.save(
            using=using,
            update_fields=["status", "attempts", "waiting", "available_at", "finished_at"],
        )
        if asked_again:
            _withdraw_question(directive, asked_again, actor=actor, reason=reason)
        OrderEvent.objects.using(using).create(
            order_ref=directive.order_ref,
            kind=RETRIED,
            actor=actor,
            at=now,
            data={
                "directive": directive.pk,
                "topic": directive.topic,
                "was": before,
                "error": directive.last_error,
                "reason": reason,
            },
        )
    return directive


def _withdraw_question(
    directive: Directive, payment_ids: set[str], *, actor: str, reason: str
) -> None:
    """What waits behind a doubt waits for the new look at it; if that does not help, it is asked
    again."""
    using = conf.database()
    Directive.objects.using(using).filter(
        order_ref=directive.order_ref, status=DirectiveStatus.PARKED
    ).update(
        status=DirectiveStatus.PENDING,
        attempts=0,
        waiting=False,
        available_at=directive.available_at,
        finished_at=None,
    )
    unknown = Flag.objects.using(using).filter(
        payment_id__in=payment_ids, kind__in=ABOUT_UNKNOWN, settled_at=None
    )
    settle_flags(unknown.values_list("pk", flat=True), actor=actor, reason=reason)


def abandon_directive(directive_id: int, *, actor: str, reason: str) -> Directive:
    """End a directive that is parked or waits; nothing of it may still be under way."""
    actor, reason = named(actor, reason)
    using = conf.database()
    with transaction.atomic(using=using):
        directive = _locked(directive_id, using)
        if directive.status not in (DirectiveStatus.PARKED, DirectiveStatus.PENDING):
            raise SettlingError(
                f"directive {directive_id} is {directive.status}; only one that is parked or "
                "waits can be given up"
            )
        doubtful = (
            _operations_of(directive, using)
            .filter(state__in=(OperationState.SENT, OperationState.PARKED))
            .first()
        )
        if doubtful is not None:
            raise SettlingError(
                f"directive {directive_id} has sent operation {doubtful.pk}, and nobody knows what "
                "became of it: payments verdict comes first"
            )
        was, now = directive.status, timezone.now()
        directive.status, directive.waiting, directive.finished_at = (
            DirectiveStatus.FAILED,
            False,
            now,
        )
        directive.result = {"error_code": ABANDONED, "error_message": f"{actor}: {reason}"}
        directive.save(using=using, update_fields=["status", "waiting", "finished_at", "result"])
        _give_up(directive, using, f"{actor}: {reason}")
        OrderEvent.objects.using(using).create(
            order_ref=directive.order_ref,
            kind=DIRECTIVE_ABANDONED,
            actor=actor,
            at=now,
            data={
                "directive": directive.pk,
                "topic": directive.topic,
                "was": was,
                "error": directive.last_error,
                "reason": reason,
            },
        )
    return directive


def _give_up(directive: Directive, using: str, evidence: str) -> None:
    """What never left is over, what it reserved is free again, what it began is withdrawn."""
    operations = _operations_of(directive, using)
    planned = operations.filter(state=OperationState.PLANNED)
    Refund.objects.using(using).filter(
        pk__in=list(planned.values_list("pk", flat=True)), status=RefundStatus.PENDING
    ).update(status=RefundStatus.FAILED)
    planned.update(state=OperationState.ABANDONED, evidence=evidence)
    begun = operations.filter(kind__in=_BEGINNING, payment__status__in=_UNPAID)
    for payment_id in sorted(set(begun.values_list("payment_id", flat=True))):
        get_store().enqueue(
            [NewDirective(Topic.CANCEL, directive.order_ref, {"payment_id": payment_id})]
        )


def _operations_of(directive: Directive, using: str) -> QuerySet[PaymentOperation]:
    """The operations that a directive asked for."""
    return PaymentOperation.objects.using(using).filter(
        cause=directive.dedupe_key or f"directive-{directive.pk}",
        payment__order_ref=directive.order_ref,
    )


def give_verdict(
    operation_key: str, *, happened: bool, actor: str, reason: str, reference: str = ""
) -> Directive:
    """Enqueue what a person found out about a parked operation, and close the flag about it.

    The engine writes it down, in turn with everything else that happens to the order.
    """
    actor, reason = named(actor, reason)
    using = conf.database()
    with transaction.atomic(using=using):
        found = PaymentOperation.objects.using(using).filter(pk=operation_key)
        for order_ref in found.values_list("payment__order_ref", flat=True):
            get_store().lock_order(order_ref)
        operation = found.select_related("payment").first()
        if operation is None:
            raise SettlingError(f"there is no operation {operation_key}")
        if operation.state != OperationState.PARKED:
            raise SettlingError(
                f"operation {operation_key} is {operation.state}; only one that is parked needs a "
                "verdict"
            )
        payment = operation.payment
        (number,) = get_store().enqueue(
            [
                NewDirective(
                    topic=Topic.VERDICT,
                    order_ref=payment.order_ref,
                    payload={
                        "operation": operation_key,
                        "happened": happened,
                        "reference": reference.strip(),
                        "actor": actor,
                        "reason": reason,
                    },
                )
            ]
        )
        unknown = Flag.objects.using(using).filter(
            payment_id=payment.pk, kind__in=ABOUT_UNKNOWN, settled_at=None
        )
        settle_flags(unknown.values_list("pk", flat=True), actor=actor, reason=reason)
        return Directive.objects.using(using).get(pk=number)


def _locked(directive_id: int, using: str) -> Directive:
    """The directive as it stays: what workers write about its order comes before this or after."""
    found = Directive.objects.using(using).filter(pk=directive_id)
    for order_ref in found.values_list("order_ref", flat=True):
        get_store().lock_order(order_ref)
    directive = found.select_for_update().first()
    if directive is None:
        raise SettlingError(f"there is no directive {directive_id}")
    return directive


def named(actor: str, reason: str) -> tuple[str, str]:
    """Who and why, stripped; raises :class:`SettlingError` where one is missing or too long."""
    actor, reason = actor.strip(), reason.strip()
    if not actor or len(actor) > LONGEST_ACTOR:
        raise SettlingError(f"the actor needs a name of 1 to {LONGEST_ACTOR} characters")
    if not reason or len(reason) > LONGEST_REASON:
        raise SettlingError(f"the reason needs a text of 1 to {LONGEST_REASON} characters")
    return actor, reason
