"""Compares the ledger with the gateways' own truth, payment by payment, and heals what is certain.

What differs is not written from here: the payment's ``payment.sync`` is woken, and merges the
truth by the rules that every look follows; what still differs in the next run becomes a flag. So
does money at the gateway that no payment knows. A run that is stopped goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, Sum

from omniman_payment_core.currencies import format_amount
from omniman_payment_core.decisions import Books, differences, moved_money
from omniman_payment_core.engine.answers import GarbageError, checked
from omniman_payment_core.errors import PaymentError, TransactionNotFoundError
from omniman_payment_core.notices import GatewayCall
from omniman_payment_core.plugins import Account
from omniman_payment_core.records import OperationState
from omniman_payment_core.values import PaymentResult, PaymentStatus, RefundStatus
from omniman_payment_django import conf
from omniman_payment_django.asking import asked
from omniman_payment_django.models import Flag, Payment, Refund
from omniman_payment_django.runtime import get_registry

from .insisting import Difference, insist
from .options import reconcile_options
from .standing import Standing, Unwritten

PAGE = 200
_WAITING = (PaymentStatus.PENDING.value, PaymentStatus.REQUIRES_ACTION.value)


@dataclass(frozen=True, slots=True)
class Finding:
    """A payment that differs from the gateway's truth, or a transaction that nobody knows."""

    order_ref: str
    transaction_id: str
    what: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """What a run has found."""

    account: str
    since: datetime
    compared: int = 0
    differing: list[Finding] = field(default_factory=list)
    unknown: list[Finding] = field(default_factory=list)
    unreadable: list[Finding] = field(default_factory=list)


class Reconciling:
    """One run over one account.

    :param since: compares what began then or later, and whatever has not ended; as far back as
        the settings say where it is not given.
    :param rate: questions about single payments in a second, at most.
    :param dry: writes nothing at all.

    Raises :class:`ReconciliationBusyError` where another process is at it.
    """

    def __init__(
        self,
        account: Account,
        *,
        since: datetime | None = None,
        rate: float = 10.0,
        dry: bool = False,
        progress: Callable[[Report], None] = lambda report: None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._pause = 1.0 / rate
        self._dry = dry
        self._progress = progress
        self._sleep = sleep
        self._monotonic = monotonic
        self._asked_at = float("-inf")
        reach = reconcile_options().reach
        self._standing = Unwritten(since, reach) if dry else Standing(account.name, since, reach)
        self.report = Report(account.name, self._standing.since, self._standing.compared)

    def run(self) -> Report:
        """Compare everything; raises what keeps the account from being asked at all."""
        try:
            listed = self._listed()
            for page in self._pages():
                self._compare(page, listed)
                self._standing.reached(page[-1].pk, self.report.compared)
                self._progress(self.report)
            self._find_unknown(listed)
        except BaseException:
            self._standing.let_go()
            raise
        self._standing.finish()
        return self.report

    # Our side

    def _pages(self) -> Iterator[Sequence[Payment]]:
        """The payments to compare, in the order of their ids, which is that of their beginning."""
        wanted = (
            Payment.objects.using(conf.database())
            .filter(account=self._account.name, transaction_id__isnull=False)
            .filter(Q(created_at__gte=self._standing.since) | Q(next_check_at__isnull=False))
            .order_by("pk")
        )
        position = self._standing.position
        while page := list(wanted.filter(pk__gt=position)[:PAGE]):
            yield page
            position = page[-1].pk

    def _compare(self, page: Sequence[Payment], listed: Mapping[str, PaymentResult]) -> None:
        returned = _on_their_way([payment.pk for payment in page])
        found: list[Difference] = []
        for payment in page:
            self._standing.hold()
            self.report.compared += 1
            what = self._differences(payment, listed, returned.get(payment.pk, 0))
            if what:
                self.report.differing.append(_finding(payment, what))
                found.append((payment, what))
        if found and not self._dry:
            insist(found, self._standing.began_at)

    def _differences(
        self, payment: Payment, listed: Mapping[str, PaymentResult], on_their_way_q: int
    ) -> tuple[str, ...]:
        bound = (payment.fingerprint, payment.livemode)
        if bound != (self._account.fingerprint, self._account.livemode):
            self.report.unreadable.append(
                _finding(payment, ("it is bound to another account at the gateway",))
            )
            return ()
        try:
            seen = listed.get(str(payment.transaction_id)) or self._ask(payment)
            return differences(_books(payment, on_their_way_q), seen)
        except TransactionNotFoundError:
            return ("the gateway knows no such transaction",) if _has_money(payment) else ()
        except (PaymentError, GarbageError) as error:
            text = get_registry().scrubber.text(str(error), 200)
            self.report.unreadable.append(_finding(payment, (text,)))
            return ()

    # The gateway's side

    def _listed(self) -> dict[str, PaymentResult]:
        """Everything the gateway lists; nothing where it cannot list."""
        if "list_transactions" not in self._account.abilities:
            return {}
        listed = self._call(
            "list_transactions",
            lambda: list(self._account.backend.list_transactions(self._standing.since)),
        )
        found: dict[str, PaymentResult] = {}
        for each in listed:
            try:
                result = checked(each)
            except GarbageError as error:
                self.report.unreadable.append(Finding("", "?", (str(error),)))
                continue
            if result.transaction_id:
                found[result.transaction_id] = result
        return found

    def _ask(self, payment: Payment) -> PaymentResult:
        self._wait()
        transaction_id = payment.transaction_id
        seen = self._call(
            "get_status", lambda: self._account.backend.get_status(transaction_id), payment
        )
        return checked(seen)

    def _wait(self) -> None:
        """Not faster than the rate."""
        left = self._asked_at + self._pause - self._monotonic()
        if left > 0:
            self._sleep(left)
        self._asked_at = self._monotonic()

    def _call(self, method: str, perform: Callable[[], Any], payment: Payment | None = None) -> Any:
        call = GatewayCall(
            account=self._account.name,
            plugin=self._account.plugin,
            method=method,
            order_ref=payment.order_ref if payment is not None else "",
            payment_id=payment.pk if payment is not None else "",
            idempotency_key=None,
            amount_q=payment.amount_q if payment is not None else 0,
            currency=payment.currency if payment is not None else "",
            attempt=1,
        )
        return asked(lambda: get_registry().hooks.around_gateway_call(call, perform))

    def _find_unknown(self, listed: Mapping[str, PaymentResult]) -> None:
        """Money at the gateway of which no payment here knows."""
        known = _known(self._account.name, listed)
        awaited = _awaited(self._account.name)
        for transaction_id, seen in sorted(listed.items()):
            if transaction_id in known or not moved_money(seen):
                continue
            if (seen.amount_q, (seen.currency or "").upper()) in awaited:
                # Most likely the answer that is being looked up; the next run knows better.
                continue
            amount = format_amount(seen.captured_q or seen.amount_q or 0, seen.currency or "BRL")
            what = (f"{amount}, {seen.status}",)
            self.report.unknown.append(Finding("", transaction_id, what))
            if not self._dry:
                _flag(self._account.name, transaction_id, what[0])


def _on_their_way(payment_ids: Sequence[str]) -> dict[str, int]:
    """What of each payment was asked back and has not arrived, by our own refunds."""
    rows = (
        Refund.objects.using(conf.database())
        .filter(payment_id__in=payment_ids, status=RefundStatus.PENDING.value, accepted=True)
        .values_list("payment_id")
        .annotate(Sum("amount_q"))
    )
    return dict(rows.values_list("payment_id", "amount_q__sum"))


def _books(payment: Payment, on_their_way_q: int) -> Books:
    held = payment.authorized_q - payment.captured_q - payment.released_q
    return Books(
        currency=payment.currency,
        amount_q=payment.amount_q,
        authorized_q=payment.authorized_q,
        captured_q=payment.captured_q,
        returned_q=payment.refunded_q + on_their_way_q,
        disputed_q=payment.disputed_q,
        open_q=max(0, held) if payment.authorized_q else 0,
        waiting=payment.status in _WAITING,
    )


def _has_money(payment: Payment) -> bool:
    return payment.captured_q > 0 or payment.authorized_q > payment.released_q


def _finding(payment: Payment, what: tuple[str, ...]) -> Finding:
    return Finding(payment.order_ref, str(payment.transaction_id), what)


def _known(account: str, listed: Mapping[str, PaymentResult]) -> set[str]:
    """Which of the listed transactions have a payment here, in bites a database can swallow."""
    found: set[str] = set()
    names = sorted(listed)
    for start in range(0, len(names), PAGE):
        some = names[start : start + PAGE]
        rows = Payment.objects.using(conf.database()).filter(
            account=account, transaction_id__in=some
        )
        found.update(str(each) for each in rows.values_list("transaction_id", flat=True))
    return found


def _awaited(account: str) -> set[tuple[int, str]]:
    """Amount and currency of each payment that was sent, and whose answer has not told its name."""
    rows = Payment.objects.using(conf.database()).filter(
        account=account, transaction_id=None, operations__state=OperationState.SENT.value
    )
    return set(rows.values_list("amount_q", "currency"))


def _flag(account: str, transaction_id: str, what: str) -> None:
    """One open flag for a transaction, however many runs find it."""
    Flag.objects.using(conf.database()).get_or_create(
        dedupe_key=f"unknown_transaction:{account}:{transaction_id}",
        settled_at=None,
        defaults={
            "kind": "unknown_transaction",
            "order_ref": "",
            "account": account,
            "message": f"account {account} has transaction {transaction_id} ({what}), and no "
            "payment here knows it: find out whose money it is",
        },
    )
