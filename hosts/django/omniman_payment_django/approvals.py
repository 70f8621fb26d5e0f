"""Four eyes on large refunds: one person asks, another agrees, and only then is it asked for.

``OMNIMAN["REFUND_APPROVAL_ABOVE_Q"]`` says from which amount on, for each currency. What counts is
all that is asked back of an order, so that several small refunds are no way around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from omniman_payment_core.currencies import format_amount, normalise_currency
from omniman_payment_core.records import DirectiveStatus, NewDirective, Topic
from omniman_payment_core.values import RefundStatus

from . import conf
from .models import Directive, Flag, Order, OrderEvent, Payment, Refund, RefundRequest
from .runtime import get_store
from .settling import SettlingError, named, settle_flags

ABOVE_Q = "REFUND_APPROVAL_ABOVE_Q"


def limit_q(currency: str) -> int | None:
    """The most that may be asked back of one order without a second person; ``None``: anything."""
    stated = conf.omniman().get(ABOVE_Q, {})
    problems = list(problems_of(stated))
    if problems:
        raise ImproperlyConfigured("; ".join(problems))
    limit: int | None = stated.get(currency)
    return limit


def problems_of(stated: object) -> Iterator[str]:
    """What is wrong with the setting, in words that name the place and no value."""
    where = f'OMNIMAN["{ABOVE_Q}"]'
    if not isinstance(stated, Mapping):
        yield f"{where} is a {type(stated).__name__}, not a dict from a currency to an amount"
        return
    for currency, amount_q in stated.items():
        if not isinstance(currency, str) or normalise_currency(currency) != currency:
            yield f"{where} has a key that is no ISO 4217 code in capitals"
        elif type(amount_q) is not int or amount_q < 0:
            yield f'{where}["{currency}"] is not a whole number of the smallest unit, from 0 up'


def needs_approval(order: Order, amount_q: int | None) -> bool:
    """Whether asking this much back, on top of what was asked before, takes a second person.

    Inside a transaction it also keeps others from asking for the same order meanwhile.
    """
    limit = limit_q(order.currency)
    if limit is None:
        return False
    _lock(order)
    asked_q = _asked_back_q(order)
    return asked_q + (_left_q(order) if amount_q is None else amount_q) > limit


def request_refund(
    order: Order, amount_q: int | None = None, *, actor: str, reason: str
) -> RefundRequest:
    """Ask another person to agree to a refund, of ``amount_q`` or of all that is left.

    Raises :class:`SettlingError` for an amount beyond what is left; nothing was written.
    """
    actor, reason = named(actor, reason)
    using = conf.database()
    with transaction.atomic(using=using):
        _lock(order)
        left_q = _left_q(order)
        wanted_q = left_q if amount_q is None else amount_q
        if type(wanted_q) is not int or not 0 < wanted_q <= left_q:
            raise SettlingError(
                f"order {order.ref}: {format_amount(left_q, order.currency)} can be refunded, "
                "so the amount has to be from the smallest unit up to that"
            )
        request = RefundRequest.objects.using(using).create(
            order_ref=order.ref,
            amount_q=wanted_q,
            currency=order.currency,
            reason=reason,
            requested_by=actor,
        )
        _record(request, "refund_requested", actor, reason)
        Flag.objects.using(using).get_or_create(
            dedupe_key=_flag_key(request),
            settled_at=None,
            defaults={
                "kind": "refund_waits_for_approval",
                "order_ref": order.ref,
                "message": f"{actor} asks for a refund of {_shown(request)} ({reason}): somebody "
                f"else decides, by payments decide-refund {request.pk} or in the admin",
            },
        )
    return request


def approve_refund(request_id: int, *, actor: str, reason: str) -> RefundRequest:
    """Agree, and enqueue the refund; whether it is still possible is decided when it runs."""
    actor, reason = named(actor, reason)
    using = conf.database()
    with transaction.atomic(using=using):
        request = _waiting(request_id)
        if actor.casefold() == request.requested_by.casefold():
            raise SettlingError(
                f"refund request {request.pk}: {actor} asked for it; it takes another"
            )
        (number,) = get_store().enqueue(
            [
                NewDirective(
                    Topic.REFUND,
                    request.order_ref,
                    {"amount_q": request.amount_q, "reason": request.reason},
                    f"refund-request:{request.pk}",
                )
            ]
        )
        request.directive_id = number
        _decide(request, RefundRequest.State.APPROVED, actor, reason)
    return request


def reject_refund(request_id: int, *, actor: str, reason: str) -> RefundRequest:
    """Refuse; who asked for it may take it back too."""
    actor, reason = named(actor, reason)
    with transaction.atomic(using=conf.database()):
        request = _waiting(request_id)
        _decide(request, RefundRequest.State.REJECTED, actor, reason)
    return request


def _waiting(request_id: int) -> RefundRequest:
    requests = RefundRequest.objects.using(conf.database())
    request = requests.select_for_update().filter(pk=request_id).first()
    if request is None:
        raise SettlingError(f"there is no refund request {request_id}")
    if request.state != RefundRequest.State.WAITING:
        raise SettlingError(
            f"refund request {request_id} was {request.state} by {request.decided_by}"
        )
    return request


def _decide(request: RefundRequest, state: str, actor: str, reason: str) -> None:
    using = conf.database()
    request.state, request.decided_by, request.decision = state, actor, reason
    request.decided_at = timezone.now()
    request.save(using=using)
    _record(request, f"refund_{state}", actor, reason)
    flags = Flag.objects.using(using).filter(dedupe_key=_flag_key(request), settled_at=None)
    settle_flags(flags.values_list("pk", flat=True), actor=actor, reason=reason)


def _record(request: RefundRequest, kind: str, actor: str, reason: str) -> None:
    OrderEvent.objects.using(conf.database()).create(
        order_ref=request.order_ref,
        kind=kind,
        actor=actor,
        data={"request": request.pk, "amount_q": request.amount_q, "reason": reason},
    )


def _lock(order: Order) -> None:
    """Who asks next waits, and counts what is asked here."""
    payments = Payment.objects.using(conf.database()).filter(order_ref=order.ref)
    if transaction.get_connection(conf.database()).in_atomic_block:
        payments = payments.select_for_update()
    list(payments.order_by("pk").values_list("pk"))


def _asked_back_q(order: Order) -> int:
    """By directives that did not fail; one for "the rest" counts as the whole order."""
    directives = (
        Directive.objects.using(conf.database())
        .filter(order_ref=order.ref, topic=Topic.REFUND.value)
        .exclude(status=DirectiveStatus.FAILED)
    )
    payloads = directives.values_list("payload", flat=True)
    return sum(payload.get("amount_q") or order.total_q for payload in payloads)


def _left_q(order: Order) -> int:
    """Captured, not disputed, not on its way back, and not waiting for somebody's decision."""
    using = conf.database()
    payments = Payment.objects.using(using).filter(order_ref=order.ref)
    sums = payments.aggregate(captured=Sum("captured_q"), disputed=Sum("disputed_q"))
    refunds = Refund.objects.using(using).filter(payment__order_ref=order.ref)
    going = refunds.exclude(status=RefundStatus.FAILED).aggregate(q=Sum("amount_q"))["q"]
    waiting = RefundRequest.objects.using(using).filter(
        order_ref=order.ref, state=RefundRequest.State.WAITING
    )
    asked = waiting.aggregate(q=Sum("amount_q"))["q"]
    return max(0, (sums["captured"] or 0) - (sums["disputed"] or 0) - (going or 0) - (asked or 0))


def _shown(request: RefundRequest) -> str:
    return format_amount(request.amount_q, request.currency)


def _flag_key(request: RefundRequest) -> str:
    return f"refund_waits_for_approval:{request.pk}"
