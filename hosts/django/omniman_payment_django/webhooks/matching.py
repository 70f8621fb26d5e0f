"""Finds the payment a notification is about, now or later, and never across accounts.

An event for a payment that is not known yet is kept and tried again; one that stays unknown
becomes a flag, because money may have moved that nobody here has asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connections, transaction
from django.utils import timezone

from omniman_payment_core.decisions import sync_of
from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.plugins import Account
from omniman_payment_core.records import NewDirective
from omniman_payment_core.values import WebhookEvent
from omniman_payment_django import conf
from omniman_payment_django.models import Flag, Payment, WebhookDelivery
from omniman_payment_django.runtime import get_registry, get_store

MATCHED = WebhookDelivery.Status.MATCHED.value
UNMATCHED = WebhookDelivery.Status.UNMATCHED.value
IGNORED = WebhookDelivery.Status.IGNORED.value

FIRST_RETRY = timedelta(seconds=2)
RETRY_CAP = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one event: the payment it wakes, or why it wakes none."""

    event: WebhookEvent
    status: str
    order_ref: str = ""
    payment_id: str | None = None
    reason: str = ""
    next_try_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Bound:
    """A payment, and the account at the gateway it is bound to."""

    id: str
    order_ref: str
    fingerprint: str
    livemode: bool


def match_events(
    alias: str, account: Account, events: Sequence[WebhookEvent], now: datetime
) -> list[Match]:
    """One match for each event, by the account that verified it and the gateway account behind."""
    known: dict[str, list[_Bound]] = defaultdict(list)
    wanted = {event.transaction_id for event in events if event.transaction_id is not None}
    if wanted:
        for transaction_id, bound in _bound_to(alias, account.name, sorted(wanted)):
            known[transaction_id].append(bound)
    return [_match(account, event, known, now) for event in events]


def _bound_to(
    alias: str, account: str, transaction_ids: Sequence[str]
) -> Iterator[tuple[str, _Bound]]:
    # By hand: building this query anew was half the time that a notification took.
    connection = connections[alias]
    table = connection.ops.quote_name(Payment._meta.db_table)
    places = ", ".join(["%s"] * len(transaction_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT transaction_id, id, order_ref, fingerprint, livemode FROM {table} "
            f"WHERE account = %s AND transaction_id IN ({places})",
            [account, *transaction_ids],
        )
        for transaction_id, number, order_ref, fingerprint, livemode in cursor.fetchall():
            yield transaction_id, _Bound(number, order_ref, fingerprint, bool(livemode))


def _match(
    account: Account, event: WebhookEvent, known: dict[str, list[_Bound]], now: datetime
) -> Match:
    if event.transaction_id is None:
        return Match(event, IGNORED, reason="it concerns no transaction")
    if event.livemode is not None and event.livemode != account.livemode:
        return Match(event, IGNORED, reason="the account is in the other of live and test mode")
    candidates = known.get(event.transaction_id, [])
    for payment in candidates:
        if (payment.fingerprint, payment.livemode) == (account.fingerprint, account.livemode):
            return Match(event, MATCHED, payment.order_ref, payment.id)
    if candidates:
        # The name now stands for another gateway account than the one that began the payment.
        return Match(event, IGNORED, reason="the payment is bound to another gateway account")
    return Match(
        event, UNMATCHED, reason="no payment has this transaction", next_try_at=now + FIRST_RETRY
    )


def syncs_of(matches: Iterable[Match]) -> list[NewDirective]:
    """One wake-up for each payment, however many events point at it."""
    payments = {match.payment_id: match.order_ref for match in matches if match.payment_id}
    return [sync_of(order_ref, payment_id) for payment_id, order_ref in sorted(payments.items())]


def rematch(limit: int = 200) -> int:
    """Try unmatched deliveries that are due again; says how many found their payment."""
    alias = conf.database()
    with transaction.atomic(using=alias):
        now = timezone.now()
        deliveries = _due(alias, now, limit)
        by_account: dict[str, list[WebhookDelivery]] = defaultdict(list)
        for delivery in deliveries:
            by_account[delivery.account].append(delivery)
        matches = [m for name, group in by_account.items() for m in _again(alias, name, group, now)]
        if deliveries:
            WebhookDelivery.objects.using(alias).bulk_update(
                deliveries, ["status", "next_try_at", "attempts", "error"]
            )
        woken = syncs_of(matches)
        if woken:
            get_store().enqueue(woken)
    return sum(match.status == MATCHED for match in matches)


def _due(alias: str, now: datetime, limit: int) -> list[WebhookDelivery]:
    due = WebhookDelivery.objects.using(alias).filter(status=UNMATCHED, next_try_at__lte=now)
    if connections[alias].features.has_select_for_update_skip_locked:
        # Two workers keep house at the same time without waiting for each other.
        due = due.select_for_update(skip_locked=True)
    return list(due.order_by("next_try_at")[:limit])


def _again(
    alias: str, name: str, deliveries: Sequence[WebhookDelivery], now: datetime
) -> list[Match]:
    """Look once more for the deliveries of one account, by the same rule as at first."""
    try:
        account = get_registry().account(name)
        matches = match_events(alias, account, [_event_of(d) for d in deliveries], now)
    except ConfigurationError as error:
        why = get_registry().scrubber.text(str(error))
        matches = [Match(_event_of(d), UNMATCHED, reason=why) for d in deliveries]
    for delivery, match in zip(deliveries, matches, strict=True):
        delivery.attempts += 1
        delivery.status, delivery.error, delivery.next_try_at = match.status, match.reason, None
        if match.status != UNMATCHED:
            continue
        if now - delivery.received_at >= GIVE_UP_AFTER:
            _flag(alias, delivery)
        else:
            delivery.next_try_at = now + _pause(delivery.attempts)
    return matches


def _event_of(delivery: WebhookDelivery) -> WebhookEvent:
    return WebhookEvent(delivery.event_id, delivery.kind, delivery.transaction_id)


def _pause(attempts: int) -> timedelta:
    return min(RETRY_CAP, FIRST_RETRY * (1 << min(attempts, 20)))


def _flag(alias: str, delivery: WebhookDelivery) -> None:
    """One open flag for a transaction, however many events of it were never matched."""
    Flag.objects.using(alias).get_or_create(
        dedupe_key=f"unmatched_webhook:{delivery.account}:{delivery.transaction_id}",
        settled_at=None,
        defaults={
            "kind": "unmatched_webhook",
            "account": delivery.account,
            "message": f"transaction {delivery.transaction_id} of account {delivery.account} was "
            "announced and belongs to no payment here: look at the gateway whether money moved",
        },
    )
