"""The demo's shop: from a line of the file to an order, and on to its end, through the engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.core.management import call_command
from django.test import Client

from omniman_payment_core.engine.worker import Worker
from omniman_payment_core.records import DirectiveStatus
from omniman_payment_core.values import PaymentStatus
from omniman_payment_django.models import Channel, Directive, Order, Payment, Session
from omniman_payment_django.models.flow import TransitionError
from omniman_payment_django.runtime import get_engine
from omniman_payment_django.sessions import (
    cancel_order,
    commit_session,
    confirm_payment,
    refund_payment,
)

from .far_sides import FarSide
from .orders_file import Sale
from .settings import CHANNELS, CURRENCY

PATIENCE_SECONDS = 30.0
_OPEN = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale and the order it became."""

    sale: Sale
    order: Order


def open_shop() -> None:
    """Make the tables and the channels."""
    call_command("migrate", verbosity=0)
    for code, config in CHANNELS.items():
        Channel.objects.create(code=code, config={**config, "currency": CURRENCY})


def commit(sale: Sale) -> Sold:
    """Make the order and its first directive, together; raises ``CommitError``."""
    session = Session.objects.create(
        key=f"line-{sale.number}",
        channel=Channel.objects.get(code=sale.channel),
        items=list(sale.items),
    )
    order = commit_session(
        session,
        commit_key=session.key,
        payment_method=sale.payment_method,
        ref=f"DEMO-{sale.number:03}",
    )
    return Sold(sale, order)


def trade(
    sold: Sequence[Sold], sides: Collection[FarSide], report: Callable[[int, Exception], None]
) -> None:
    """Take every order to its end: paid, and then refunded or cancelled where the line says so.

    What the shop refuses to do with an order is reported with its line; the others go on.
    """
    worker = Worker(get_engine("demo"), slots=8, maintain_every=0.2)
    _work(worker)
    for side in sides:
        side.pay_what_waits()
    _work(worker)
    for entry in sold:
        if entry.sale.cancel:
            entry.order.refresh_from_db()
            try:
                cancel_order(entry.order, actor="demo")
            except TransitionError as error:
                report(entry.sale.number, error)
        elif _status(entry) == PaymentStatus.AUTHORIZED:
            confirm_payment(entry.order)
    _work(worker)
    for entry in sold:
        if entry.sale.refund and _status(entry) == PaymentStatus.CAPTURED:
            refund_payment(entry.order, entry.sale.refund_q, reason="the customer sent it back")
    _work(worker)
    for side in sides:
        side.let_time_pass()
    _work(worker)
    for entry in sold:
        entry.order.refresh_from_db()


def _work(worker: Worker) -> None:
    """Run until nothing is left to do, also what a fault on the wire has put off for a moment."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    worker.run_until_idle()
    while Directive.objects.filter(status__in=_OPEN).exists():
        if time.monotonic() > deadline:
            raise TimeoutError("directives are left after half a minute; see the log")
        time.sleep(0.05)
        worker.run_until_idle()


def _status(entry: Sold) -> str:
    payment = Payment.objects.filter(order_ref=entry.order.ref).order_by("-attempt").first()
    return payment.status if payment is not None else ""


def deliver(transaction_id: str, headers: Mapping[str, str], body: bytes) -> int:
    """A gateway's POST to the address that was registered for the account; the HTTP status."""
    account = Payment.objects.get(transaction_id=transaction_id).account
    answer = Client().post(
        f"/payments/webhooks/{account}/",
        body,
        content_type="application/json",
        headers=dict(headers),
    )
    return int(answer.status_code)
