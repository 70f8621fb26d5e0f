"""From a session to an order, and what may be asked for an order's payment afterwards.

Each function commits the change of the order and its directive together, and calls no gateway.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from omniman_payment_core.channels import read_channel
from omniman_payment_core.currencies import normalise_currency
from omniman_payment_core.notices import DirectiveNotice
from omniman_payment_core.records import DirectiveStatus, NewDirective, Topic
from omniman_payment_core.secrets import contains_card_number

from .approvals import needs_approval
from .conf import database
from .models import Channel, Directive, Order, Payment, Session
from .models.flow import CANCELLED
from .runtime import get_registry, get_store, new_id

DEFAULT_CURRENCY = "BRL"
MAX_TOTAL = 10**15
MAX_ITEMS = 10_000
MAX_REF = 64
MAX_KEY = 200
# What a request that is repeated under its key has to say again.
MONEY_FIELDS = ("amount_q", "final")


class CommitError(ValueError):
    """A session that cannot become an order; nothing was written."""


class RequestRefusedError(ValueError):
    """Something asked for an order's payment cannot be; nothing was written."""


def commit_session(
    session: Session,
    *,
    commit_key: str,
    payment_method: Mapping[str, Any],
    ref: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Order:
    """Make the session's order and enqueue its first payment directive, once per commit key.

    A repeated call with the same key returns the same order. Raises :class:`CommitError`,
    ``ChannelConfigError`` or ``ConfigurationError`` before anything is written.
    """
    where = f"session {session.key}"
    _check_key(commit_key, where)
    using = database()
    known = _committed(session, commit_key, using)
    if known is not None:
        return known
    channel = session.channel
    policy = read_channel(channel.view)
    get_registry().account_for(channel.view)
    currency = _currency(channel)
    payload = _payload(payment_method, metadata, where)
    if ref is not None and (not isinstance(ref, str) or not 0 < len(ref) <= MAX_REF):
        raise CommitError(f"{where}: ref is not a text of 1 to {MAX_REF} characters")
    first = _First(policy.first_topic, payload, currency, ref or new_id())
    try:
        return _commit(session, commit_key, first, using)
    except IntegrityError:
        # Somebody else took the key or the reference between our look and our write.
        known = _committed(session, commit_key, using)
        if known is not None:
            return known
        raise CommitError(f"{where}: there is already an order {first.ref}") from None


@dataclass(frozen=True, slots=True)
class _First:
    """What an order begins with."""

    topic: Topic
    payload: Mapping[str, Any] = field(repr=False)
    currency: str
    ref: str


def _commit(session: Session, commit_key: str, first: _First, using: str) -> Order:
    with transaction.atomic(using=using):
        # Whoever updates the open session commits it; everybody else waits, and finds it so.
        mine = (
            Session.objects.using(using)
            .filter(pk=session.pk, state=Session.State.OPEN)
            .update(
                state=Session.State.COMMITTED, commit_key=commit_key, committed_at=timezone.now()
            )
        )
        if not mine:
            known = _committed(session, commit_key, using)
            if known is None:
                raise CommitError(f"session {session.key} is not stored")
            return known
        session.refresh_from_db(using=using)
        total_q = total_of(session.items, f"session {session.key}")
        order = Order.objects.using(using).create(
            ref=first.ref,
            channel=session.channel,
            session=session,
            currency=first.currency,
            total_q=total_q,
            items=session.items,
        )
        payload = {"amount_q": total_q, "currency": first.currency, **first.payload}
        _enqueue(first.topic, order, payload, f"open:{order.ref}:1")
    return order


def confirm_payment(
    order: Order,
    amount_q: int | None = None,
    dedupe_key: str | None = None,
    *,
    final: bool | None = None,
) -> Directive:
    """Ask for the capture of what is held, or of ``amount_q`` of it.

    ``final`` says whether the rest is let go after a part; left out, the gateway does as it
    always does.
    """
    if final is not None and not isinstance(final, bool):
        raise RequestRefusedError(f"order {order.ref}: final is neither True nor False")
    payload = _amount(amount_q, order)
    if final is not None:
        payload["final"] = final
    return _ask(Topic.CONFIRM, order, payload, dedupe_key)


def refund_payment(
    order: Order,
    amount_q: int | None = None,
    reason: str | None = None,
    dedupe_key: str | None = None,
) -> Directive:
    """Ask for the return of what was captured, or of ``amount_q`` of it.

    Above ``OMNIMAN["REFUND_APPROVAL_ABOVE_Q"]`` it is refused: see
    :func:`~omniman_payment_django.approvals.request_refund`.
    """
    if reason is not None and not isinstance(reason, str):
        raise RequestRefusedError(f"order {order.ref}: reason is not a text")
    payload = _amount(amount_q, order)
    if reason:
        payload["reason"] = reason
    with transaction.atomic(using=database()):
        known = Directive.objects.using(database()).filter(dedupe_key=dedupe_key)
        repeated = dedupe_key is not None and known.exists()
        if not repeated and needs_approval(order, amount_q):
            raise RequestRefusedError(
                f"order {order.ref}: a refund this large takes a second person; ask for it with "
                "request_refund()"
            )
        return _ask(Topic.REFUND, order, payload, dedupe_key)


def cancel_order(order: Order, actor: str) -> Directive:
    """Cancel the order and ask for its payment to be withdrawn, both or neither.

    Raises ``TransitionError`` where the channel's flow does not let the order be cancelled.
    """
    with transaction.atomic(using=database()):
        order.transition_status(CANCELLED, actor=actor)
        return _ask(Topic.CANCEL, order, {}, f"cancel:{order.ref}")


def retry_payment(
    order: Order, payment_method: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
) -> Directive:
    """Try to collect an order's money again, after an attempt that ended without any.

    Asked again before that try has ended, it is the same directive.
    """
    using = database()
    policy = read_channel(order.channel.view)
    payload = _payload(payment_method, metadata, f"order {order.ref}", RequestRefusedError)
    attempts = Payment.objects.using(using).filter(order_ref=order.ref).count()
    payload |= {"attempt": attempts + 1, "amount_q": order.total_q, "currency": order.currency}
    key = _opening_key(order, attempts + 1, using)
    return _ask(policy.first_topic, order, payload, key)


def _opening_key(order: Order, attempt: int, using: str) -> str:
    """A try that failed before a payment began keeps its key, so the next one needs another."""
    key = f"open:{order.ref}:{attempt}"
    same_attempt = Q(dedupe_key=key) | Q(dedupe_key__startswith=f"{key}:")
    failed = Directive.objects.using(using).filter(
        same_attempt, order_ref=order.ref, status=DirectiveStatus.FAILED
    )
    tries = failed.count()
    return f"{key}:{tries + 1}" if tries else key


def total_of(items: object, where: str = "the session") -> int:
    """The sum of a session's items; raises :class:`CommitError` for the first wrong one."""
    if not isinstance(items, list) or not items:
        raise CommitError(f"{where}: items is not a list with at least one item")
    if len(items) > MAX_ITEMS:
        raise CommitError(f"{where}: more than {MAX_ITEMS} items")
    total = sum(_item_total(item, f"{where}: item {n}") for n, item in enumerate(items, 1))
    if not 0 < total <= MAX_TOTAL:
        raise CommitError(f"{where}: the total is {total}; it has to be from 1 to {MAX_TOTAL}")
    return total


def _item_total(item: object, where: str) -> int:
    if not isinstance(item, dict):
        raise CommitError(f"{where} is not an object")
    if not isinstance(item.get("sku"), str) or not item["sku"]:
        raise CommitError(f'{where}: "sku" is missing or is not a text')
    qty, price_q = item.get("qty"), item.get("price_q")
    if type(qty) is not int or qty <= 0:
        raise CommitError(f'{where} ({item["sku"]}): "qty" is not a whole number above zero')
    if type(price_q) is not int or price_q < 0:
        raise CommitError(
            f'{where} ({item["sku"]}): "price_q" is not a whole number of the smallest unit'
        )
    return qty * price_q


def _check_key(commit_key: object, where: str) -> None:
    if not isinstance(commit_key, str) or not 0 < len(commit_key) <= MAX_KEY:
        raise CommitError(f"{where}: commit_key is not a text of 1 to {MAX_KEY} characters")


def _committed(session: Session, commit_key: str, using: str) -> Order | None:
    """The order that this key has already made; an error where key and session do not fit."""
    sessions = Session.objects.using(using)
    other = sessions.filter(commit_key=commit_key).exclude(pk=session.pk).first()
    if other is not None:
        raise CommitError(f"session {session.key}: commit_key belongs to session {other.key}")
    stored = sessions.filter(pk=session.pk, state=Session.State.COMMITTED).first()
    if stored is None:
        return None
    order = Order.objects.using(using).select_related("channel").get(session=stored)
    if stored.commit_key != commit_key:
        raise CommitError(
            f"session {session.key} was committed with another commit_key, as order {order.ref}"
        )
    return order


def _currency(channel: Channel) -> str:
    stated = channel.config.get("currency", DEFAULT_CURRENCY)
    currency = normalise_currency(stated)
    if currency is None:
        raise CommitError(
            f'channel "{channel.code}": config["currency"] is {stated!r}, no ISO 4217 code'
        )
    return currency


def _payload(
    payment_method: object,
    metadata: object,
    where: str,
    error: type[ValueError] = CommitError,
) -> dict[str, Any]:
    """The payload's texts from outside; messages never quote what is in them."""
    if not isinstance(payment_method, Mapping):
        raise error(f"{where}: payment_method is not an object")
    if contains_card_number(payment_method) or contains_card_number(metadata):
        raise error(
            f"{where}: a card number must not come here; give the token or payment method id "
            "that the gateway's own form returns"
        )
    if metadata is not None and not isinstance(metadata, Mapping):
        raise error(f"{where}: metadata is not an object")
    payload: dict[str, Any] = {"payment_method": dict(payment_method)}
    if metadata:
        payload["metadata"] = dict(metadata)
    try:
        json.dumps(payload, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise error(f"{where}: payment_method or metadata is not JSON") from None
    return payload


def _amount(amount_q: object, order: Order) -> dict[str, Any]:
    if amount_q is None:
        return {}
    if type(amount_q) is not int:
        raise RequestRefusedError(
            f"order {order.ref}: amount_q is a {type(amount_q).__name__}, not a whole number of "
            "the smallest unit"
        )
    if not 0 < amount_q <= order.total_q:
        raise RequestRefusedError(
            f"order {order.ref}: amount_q is {amount_q}; it has to be from 1 to the order's "
            f"total of {order.total_q}"
        )
    return {"amount_q": amount_q}


def _ask(topic: Topic, order: Order, payload: dict[str, Any], dedupe_key: str | None) -> Directive:
    using = database()
    with transaction.atomic(using=using):
        number = _enqueue(topic, order, payload, dedupe_key)
        directives = Directive.objects.using(using)
        if number is not None:
            return directives.get(pk=number)
        known = directives.get(dedupe_key=dedupe_key)
        if (known.topic, known.order_ref) != (topic.value, order.ref):
            raise RequestRefusedError(
                f'order {order.ref}: dedupe_key "{dedupe_key}" belongs to a {known.topic} of '
                f"order {known.order_ref}"
            )
        for name in MONEY_FIELDS:
            before, now = known.payload.get(name), payload.get(name)
            if before != now:
                # Saying nothing would leave the caller believing that the new amount was asked for.
                raise RequestRefusedError(
                    f'order {order.ref}: dedupe_key "{dedupe_key}" was used before with '
                    f"{name} {before}, and {name} is {now} now"
                )
        return known


def _enqueue(
    topic: Topic, order: Order, payload: Mapping[str, Any], dedupe_key: str | None
) -> int | None:
    """The new directive's id; observers hear of it when, and if, the transaction commits."""
    ids = get_store().enqueue([NewDirective(topic, order.ref, payload, dedupe_key)])
    if not ids:
        return None
    hooks = get_registry().hooks
    if hooks.observes("directive_enqueued"):
        notice = DirectiveNotice(
            id=ids[0],
            topic=topic.value,
            order_ref=order.ref,
            payment_id=None,
            attempts=0,
            status=DirectiveStatus.PENDING.value,
            reason="",
            at=timezone.now(),
        )
        transaction.on_commit(lambda: hooks.directive_enqueued(notice), using=database())
    return ids[0]
