"""Stores a verified delivery once and wakes the payment it points at, in one short transaction.

Amounts and statuses of an event are never read: the engine asks the gateway itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connections, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.notices import WebhookNotice
from omniman_payment_core.plugins import Account, PaymentHooks
from omniman_payment_core.values import WebhookEvent
from omniman_payment_django import conf
from omniman_payment_django.models import WebhookDelivery
from omniman_payment_django.runtime import get_registry, get_store

from . import verifying
from .allowance import allowance
from .matching import MATCHED, Match, match_events, syncs_of
from .persons import without_persons
from .rejections import rejections

MAX_STORED_BODY = 8 * 1024
_ROWS_AT_ONCE = 50


class NotReadyError(Exception):
    """The account is configured and cannot work at present; the gateway shall come again."""


class FullError(Exception):
    """Too much has come that concerns no payment here; the gateway shall come again later."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """An account that can verify notifications, and what the process offers around it."""

    account: Account
    hooks: PaymentHooks
    scrub: Callable[..., str]

    @property
    def name(self) -> str:
        """The account's name in the settings."""
        return self.account.name


def receiver_of(name: str) -> Receiver | None:
    """The account of an address, or ``None``: no such account, or one that takes no webhooks."""
    try:
        registry = get_registry()
        # Only what is configured: a stranger's request must not load another plugin.
        if name not in registry.names() and name != registry.settings.default:
            return None
        account = registry.account(name)
        if "parse_webhook" not in account.abilities:
            return None
    except ConfigurationError:
        rejections.count(name, "the account cannot be used", level=logging.ERROR)
        raise NotReadyError from None
    return Receiver(account, registry.hooks, registry.scrubber.text)


@sensitive_variables()
def verify(
    receiver: Receiver, headers: Mapping[str, str], body: bytes
) -> list[WebhookEvent] | None:
    """The events of an authentic delivery; otherwise observers are told and nothing is kept."""
    events, reason = verifying.verify(
        receiver.name, receiver.account.backend.parse_webhook, headers, body, receiver.scrub
    )
    if events is None:
        receiver.hooks.webhook_rejected(receiver.name, reason)
    return events


@sensitive_variables()
def accept(
    receiver: Receiver, events: Sequence[WebhookEvent], body: bytes, *, pushed: bool = False
) -> None:
    """Store what is new, wake its payments, and after the commit tell observers.

    :param pushed: it was sent to us, and not asked for; raises :class:`FullError` where an
        account sends too much of what concerns nobody.
    """
    # In one order for everybody: two batches that overlap wait for each other, not in a circle.
    distinct = sorted({e.event_id: e for e in events}.values(), key=lambda e: e.event_id)
    if not distinct:
        return
    text = receiver.scrub(without_persons(body.decode("utf-8", "replace")), MAX_STORED_BODY)
    alias = conf.database()
    with transaction.atomic(using=alias):
        now = timezone.now()
        matches = match_events(alias, receiver.account, distinct, now)
        strange = sum(match.status != MATCHED for match in matches)
        if pushed and strange and not allowance.take(receiver.name, strange):
            raise FullError
        fresh = _insert(alias, receiver.name, text, matches, now)
        woken = syncs_of(match for match in matches if match.event.event_id in fresh)
        if woken:
            get_store().enqueue(woken)
    if receiver.hooks.observes("webhook_accepted"):
        for event in distinct:
            receiver.hooks.webhook_accepted(
                WebhookNotice(
                    receiver.name,
                    event.event_id,
                    event.kind,
                    event.transaction_id,
                    duplicate=event.event_id not in fresh,
                )
            )


@sensitive_variables()
def _insert(
    alias: str, account: str, body: str, matches: Sequence[Match], now: datetime
) -> frozenset[str]:
    """Store the deliveries that are new; the event ids that were."""
    connection = connections[alias]
    fields = _fields()
    table = connection.ops.quote_name(WebhookDelivery._meta.db_table)
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    places = f"({', '.join(['%s'] * len(fields))})"
    stored: set[str] = set()
    with connection.cursor() as cursor:
        for start in range(0, len(matches), _ROWS_AT_ONCE):
            some = matches[start : start + _ROWS_AT_ONCE]
            values: list[Any] = []
            for match in some:
                row = _row(account, body, match, now)
                values += [f.get_db_prep_save(row[f.attname], connection) for f in fields]
            # The ORM's ignore_conflicts does not say which rows were new.
            cursor.execute(
                f"INSERT INTO {table} ({names}) VALUES {', '.join([places] * len(some))} "
                "ON CONFLICT DO NOTHING RETURNING event_id",
                values,
            )
            stored.update(event_id for (event_id,) in cursor.fetchall())
    return frozenset(stored)


def _row(account: str, body: str, match: Match, now: datetime) -> dict[str, Any]:
    event = match.event
    return {
        "account": account,
        "event_id": event.event_id,
        "kind": event.kind,
        "transaction_id": event.transaction_id,
        "livemode": event.livemode,
        "occurred_at": event.occurred_at,
        "received_at": now,
        "body": body,
        "status": match.status,
        "attempts": 0,
        "next_try_at": match.next_try_at,
        "error": match.reason,
    }


@cache
def _fields() -> tuple[Any, ...]:
    return tuple(field for field in WebhookDelivery._meta.concrete_fields if not field.primary_key)
