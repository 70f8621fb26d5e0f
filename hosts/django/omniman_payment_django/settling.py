"""The few things a person may decide, each recorded with who and why.

Shared by ``manage.py payments`` and the admin. Nobody can change an amount or a fact here.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from omniman_payment_core.records import DirectiveStatus, OperationState

from . import conf
from .models import Directive, Flag, OrderEvent, PaymentOperation

RETRIED = "directive_retried"
FLAG_SETTLED = "flag_settled"
LONGEST_ACTOR = 150
LONGEST_REASON = 2000


class SettlingError(ValueError):
    """It cannot be done; nothing was changed."""


def settle_flags(ids: Iterable[int], *, actor: str, reason: str) -> list[Flag]:
    """Close open flags; those that somebody else settled meanwhile keep what was said then."""
    actor, reason = _named(actor, reason)
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
    actor, reason = _named(actor, reason)
    using = conf.database()
    with transaction.atomic(using=using):
        directive = (
            Directive.objects.using(using).select_for_update().filter(pk=directive_id).first()
        )
        if directive is None:
            raise SettlingError(f"there is no directive {directive_id}")
        if directive.status not in (DirectiveStatus.PARKED, DirectiveStatus.FAILED):
            raise SettlingError(
                f"directive {directive_id} is {directive.status}; only a parked or failed one "
                "can be run again"
            )
        before, now = directive.status, timezone.now()
        PaymentOperation.objects.using(using).filter(
            cause=directive.dedupe_key or f"directive-{directive.pk}",
            payment__order_ref=directive.order_ref,
            state=OperationState.PARKED,
        ).update(state=OperationState.SENT)
        directive.status, directive.attempts = DirectiveStatus.PENDING, 0
        directive.waiting, directive.available_at, directive.finished_at = False, now, None
        directive.save(
            using=using,
            update_fields=["status", "attempts", "waiting", "available_at", "finished_at"],
        )
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


def _named(actor: str, reason: str) -> tuple[str, str]:
    actor, reason = actor.strip(), reason.strip()
    if not actor or len(actor) > LONGEST_ACTOR:
        raise SettlingError(f"the actor needs a name of 1 to {LONGEST_ACTOR} characters")
    if not reason or len(reason) > LONGEST_REASON:
        raise SettlingError(f"the reason needs a text of 1 to {LONGEST_REASON} characters")
    return actor, reason
