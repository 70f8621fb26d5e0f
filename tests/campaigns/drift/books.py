"""Sells by the hundred, lets the gateway go its own way, and reconciles."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.db.models import F

from omniman_payment_core.records import NewDirective
from omniman_payment_django.models import Channel, Flag, Order, OrderEvent, Payment
from omniman_payment_django.reconciling import Reconciling, Report
from omniman_payment_django.runtime import get_registry, get_store
from omniman_payment_mock import MockGateway, MockPaymentBackend
from omniman_payment_mock.transactions import Transaction

from .lives import LIVES, SOUND, TOTAL_Q, Life

STRAYS = 10
"""One transaction of which no order knows, for so many payments."""


class Unlisted(MockPaymentBackend):
    """A gateway that cannot list: every payment is asked for by itself."""

    list_transactions = None  # type: ignore[assignment]


@dataclass
class Drift:
    """What was found, and what is wrong with that."""

    kinds: dict[str, int] = field(default_factory=dict)
    found: int = 0
    sound: int = 0
    strays: int = 0
    wrong: list[str] = field(default_factory=list)


def drift(payments: int, seed: int, *, lists: bool) -> Drift:
    """Let ``payments`` drift and as many not, and compare the books twice, a day apart."""
    rng, told, account = random.Random(seed), Drift(), f"drifting-{seed}"
    gateway = MockGateway("drift", rng=random.Random(seed))
    get_registry().use(account, (MockPaymentBackend if lists else Unlisted)(gateway=gateway))
    lives = _sold(account, [rng.choice(LIVES) for _ in range(payments)], f"D{seed}-")
    lives |= _sold(account, [rng.choice(SOUND) for _ in range(payments)], f"S{seed}-")
    known = _by_order(account)
    for ref, life in lives.items():
        told.kinds[str(life)] = told.kinds.get(str(life), 0) + 1
        if life.behind is not None:
            life.behind(gateway, str(known[ref].transaction_id), rng)
    strays = {
        str(gateway.open("charge", rng.randint(1, 9999), "BRL", f"NOBODY-{n}", {}).transaction_id)
        for n in range(payments // STRAYS)
    }
    differ = {ref for ref, life in lives.items() if life.differs}
    told.sound, told.strays = len(lives) - len(differ), len(strays)
    first = _reconciled(account)
    told.found = len(first.differing)
    _compare(told, "first run", first, differ, strays if lists else set())
    call_command("process_directives", verbosity=0)
    healed = {ref: p for ref, p in _by_order(account).items() if lives[ref].heals}
    _same_books(told, gateway, healed)
    lost = {ref for ref, life in lives.items() if life.differs and not life.heals}
    OrderEvent.objects.filter(kind="difference_found").update(at=F("at") - timedelta(days=1))
    _compare(told, "next run", _reconciled(account), lost, strays if lists else set())
    flags = Flag.objects.filter(account=account, kind="books_differ")
    flagged = set(flags.values_list("order_ref", flat=True))
    if flagged != lost:
        told.wrong.append(f"flagged, and not lost: {sorted(flagged ^ lost)[:5]}")
    return told


def _sold(account: str, lives: Sequence[Life], prefix: str) -> dict[str, Life]:
    """An order for each of them, as far as the shop itself takes it."""
    channel, _ = Channel.objects.get_or_create(
        code=account, defaults={"config": {"payment_backend": account}}
    )
    orders = {f"{prefix}{number}": life for number, life in enumerate(lives)}
    Order.objects.bulk_create(
        Order(ref=ref, channel=channel, currency="BRL", total_q=TOTAL_Q) for ref in orders
    )
    for ref, life in orders.items():
        method = {"type": "card", "behaviour": life.behaviour}
        opening = "payment.charge" if life.charge else "payment.hold"
        asks: tuple[tuple[str, dict[str, Any]], ...] = (
            (opening, {"payment_method": method}),
            *life.asks,
        )
        get_store().enqueue([NewDirective(topic, ref, payload) for topic, payload in asks])
    call_command("process_directives", verbosity=0)
    return orders


def _by_order(account: str) -> dict[str, Payment]:
    return {payment.order_ref: payment for payment in Payment.objects.filter(account=account)}


def _reconciled(account: str) -> Report:
    return Reconciling(get_registry().account(account), sleep=lambda seconds: None).run()


def _compare(told: Drift, when: str, report: Report, differ: set[str], strays: set[str]) -> None:
    found = {finding.order_ref for finding in report.differing}
    unknown = {finding.transaction_id for finding in report.unknown}
    for what, here, there in (("payments", found, differ), ("strays", unknown, strays)):
        if missed := there - here:
            told.wrong.append(f"{when}, {what} not found: {sorted(missed)[:5]}")
        if alarmed := here - there:
            told.wrong.append(f"{when}, {what} found without reason: {sorted(alarmed)[:5]}")
    if report.unreadable:
        told.wrong.append(f"{when}, unreadable: {report.unreadable[:5]}")


def _same_books(told: Drift, gateway: MockGateway, payments: Mapping[str, Payment]) -> None:
    """To the cent, read from the gateway's own books and not by the code under test."""
    for ref, payment in payments.items():
        theirs = gateway.transaction(str(payment.transaction_id))
        if theirs is None:
            told.wrong.append(f"{ref}: no transaction")
        elif _ours(payment) != _theirs(theirs):
            told.wrong.append(f"{ref}: {_ours(payment)} here, {_theirs(theirs)} there")


def _ours(payment: Payment) -> tuple[int, ...]:
    held = max(0, payment.authorized_q - payment.captured_q - payment.released_q)
    return (payment.captured_q, payment.refunded_q, payment.disputed_q, held)


def _theirs(txn: Transaction) -> tuple[int, ...]:
    returned = sum(each.amount_q for each in txn.refunds if each.status == "succeeded")
    held = 0 if txn.captures_at_once else txn.authorized_q - txn.captured_q - txn.released_q
    return (txn.captured_q, returned, txn.disputed_q, held)
