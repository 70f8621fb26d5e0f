"""What must hold after any number of deaths, over the gateway's true books and the real rows.

Each function yields what is wrong, in words; nothing yielded is a promise kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from django.utils import timezone

from omniman_payment_core import records
from omniman_payment_core.ledger import fold, summary_of
from omniman_payment_core.records import OperationState
from omniman_payment_core.values import PaymentStatus

from .shop import TOTAL_Q, number_of, story_of
from .witness import untrue_or_untold

Movement = Mapping[str, Any]
_TAKEN = {"captured": 1, "captured_from_hold": 1}
_RETURNED = {"refunded": 1, "refund_failed": -1}
_HELD = {"authorized": 1, "captured_from_hold": -1, "released": -1}


@dataclass(slots=True)
class Verdict:
    """What an audit found."""

    orders: int = 0
    operations: int = 0
    directives: int = 0
    redelivered: int = 0
    parked: int = 0
    doubles: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.doubles or self.lost or self.broken)


def audit(movements: Sequence[Movement], told: Path) -> Verdict:
    """Everything that must hold at rest: nothing is due, no fault is left."""
    from omniman_payment_django.models import Directive, Order, PaymentOperation

    wanted = Directive.objects.exclude(topic="payment.sync")
    verdict = Verdict(
        orders=Order.objects.count(),
        operations=PaymentOperation.objects.count(),
        directives=wanted.count(),
        redelivered=wanted.filter(attempts__gt=0).count(),
        parked=Directive.objects.filter(status="parked").count(),
    )
    _every_order_ends_as_its_story(movements, verdict)
    verdict.broken += [
        *one_effect_for_each_key(movements),
        *money_is_written_ahead(movements),
        *_books_equal_the_gateway(movements),
        *_the_ledger_folds_to_the_rows(),
        *_everything_has_ended(),
        *_orders_have_moved_once(),
        *untrue_or_untold(told),
        *_what_the_operator_would_be_told(),
    ]
    return verdict


def _every_order_ends_as_its_story(movements: Sequence[Movement], verdict: Verdict) -> None:
    """What was asked for happened once: more of it is a double, less is lost."""
    from omniman_payment_django.models import Order

    taken, returned, held = (_sums(movements, signs) for signs in (_TAKEN, _RETURNED, _HELD))
    for ref in Order.objects.order_by("ref").values_list("ref", flat=True):
        story = story_of(number_of(ref))
        taken_q, returned_q = story.taken_q, story.returned_q
        if story.cancel:
            # The cancellation came before the money was taken, or after it.
            taken_q = returned_q = min(taken[ref], TOTAL_Q)
        for what, is_q, due_q in (
            ("taken", taken[ref], taken_q),
            ("returned", returned[ref], returned_q),
            ("held", held[ref], story.held_q),
        ):
            if is_q != due_q:
                told = verdict.doubles if is_q > due_q else verdict.lost
                told.append(f"{ref} ({story.name}): {is_q} {what} instead of {due_q}")


def one_effect_for_each_key(movements: Sequence[Movement]) -> Iterator[str]:
    """However often an operation was sent, its key moved money once."""
    seen = Counter((m["idempotency_key"], m["kind"]) for m in movements if m["idempotency_key"])
    for (key, kind), times in seen.items():
        if times > 1:
            yield f"key {key} has {kind} {times} times"


def money_is_written_ahead(movements: Sequence[Movement]) -> Iterator[str]:
    """Whatever moved under one of our keys, its operation had been committed as sent before.

    This holds at any instant, also in what a dead machine leaves behind.
    """
    from omniman_payment_django.models import PaymentOperation

    states = dict(PaymentOperation.objects.values_list("key", "state"))
    silent = (OperationState.PLANNED, OperationState.REFUSED, OperationState.ABANDONED)
    for movement in movements:
        key = movement["idempotency_key"]
        if key and key not in states:
            yield f"{movement['kind']} of {movement['order_ref']} under the unknown key {key}"
        elif key and states[key] in silent:
            yield f"{movement['kind']} under {key}, which is {states[key]}"


def _books_equal_the_gateway(movements: Sequence[Movement]) -> Iterator[str]:
    """Payment by payment, what was held, taken, let go and returned is what really was."""
    from omniman_payment_django.models import Payment

    truth: dict[str, Counter[str]] = defaultdict(Counter)
    for movement in movements:
        truth[movement["transaction"]][movement["kind"]] += movement["amount"]
    for payment in Payment.objects.order_by("pk"):
        true = truth.pop(payment.transaction_id or "", Counter())
        held = true["authorized"] - true["captured_from_hold"] - true["released"]
        for what, ours, theirs in (
            ("authorized", payment.authorized_q, true["authorized"] or payment.authorized_q),
            ("captured", payment.captured_q, true["captured"] + true["captured_from_hold"]),
            ("refunded", payment.refunded_q, true["refunded"] - true["refund_failed"]),
            (
                "held",
                max(0, payment.authorized_q - payment.captured_q - payment.released_q),
                held,
            ),
        ):
            if ours != theirs:
                yield f"{payment.order_ref}: {ours} {what} in the ledger, {theirs} in truth"
    for transaction, true in truth.items():
        yield f"nobody knows of {transaction}: {dict(true)}"


_AMOUNTS = (
    "status", "authorized_q", "captured_q", "released_q", "refund_pending_q", "refunded_q",
    "disputed_q",
)  # fmt: skip


def _the_ledger_folds_to_the_rows() -> Iterator[str]:
    """The facts alone make the payment's row, and that makes ``order.data["payment"]``."""
    from omniman_payment_django.models import Order, Payment, PaymentEvent

    events: dict[str, list[records.Event]] = defaultdict(list)
    for row in PaymentEvent.objects.order_by("seq"):
        events[row.payment_id].append(_record(records.Event, row))
    told = dict(Order.objects.values_list("ref", "data"))
    for row in Payment.objects.order_by("order_ref", "attempt"):
        payment = _record(records.Payment, row, status=PaymentStatus(row.status), next_action=None)
        folded = fold(payment, events[payment.id])
        for name in _AMOUNTS:
            ours, theirs = getattr(payment, name), getattr(folded, name)
            if ours != theirs:
                yield f"{payment.order_ref}: {name} is {ours}, its facts say {theirs}"
        if told[payment.order_ref].get("payment") != summary_of(payment):
            yield f"{payment.order_ref}: the order says {told[payment.order_ref]}"


def _everything_has_ended() -> Iterator[str]:
    """Done, refused, or parked where a person sees it; nothing runs, nothing is in doubt."""
    from omniman_payment_django.models import Directive, Flag, PaymentNotice, PaymentOperation

    flagged = set(Flag.objects.values_list("order_ref", flat=True))
    for each in Directive.objects.exclude(status__in=["completed", "failed"]):
        if each.status != "parked" or each.order_ref not in flagged:
            yield f"{each.order_ref}: {each.topic} is {each.status} ({each.last_error})"
    open_ = PaymentOperation.objects.filter(state__in=["planned", "sent", "pending", "parked"])
    for operation in open_.select_related("payment"):
        ref = operation.payment.order_ref
        if operation.state != "parked" or ref not in flagged:
            yield f"{ref}: {operation.kind} is {operation.state}"
    for notice in PaymentNotice.objects.all():
        yield f"{notice} was never told"


def _orders_have_moved_once() -> Iterator[str]:
    """Paid, refused or cancelled: the order's status says so, and moved there a single time."""
    from omniman_payment_django.models import Order, OrderEvent

    moves = Counter(
        OrderEvent.objects.filter(kind="status_changed").values_list("order_ref", flat=True)
    )
    for ref, status in Order.objects.order_by("ref").values_list("ref", "status"):
        story = story_of(number_of(ref))
        if story.cancel or story.refunds_q:
            # May have moved before the cancellation or the refund, or not.
            continue
        due = "confirmed" if story.taken_q else "new" if story.held_q else "cancelled"
        if status != due or moves[ref] != (due != "new"):
            yield f"{ref} ({story.name}) is {status} after {moves[ref]} moves, not {due}"


def _what_the_operator_would_be_told() -> Iterator[str]:
    """``manage.py payments audit`` finds nothing either, however impatient it is."""
    from omniman_payment_django.auditing import PATIENCE, Audit

    for breach in Audit(now=lambda: timezone.now() + PATIENCE).run():
        yield str(breach)


def _sums(movements: Sequence[Movement], signs: Mapping[str, int]) -> defaultdict[str, int]:
    """Order by order."""
    sums: defaultdict[str, int] = defaultdict(int)
    for movement in movements:
        sums[movement["order_ref"]] += signs.get(movement["kind"], 0) * movement["amount"]
    return sums


def _record(kind: type[Any], row: Any, **known: Any) -> Any:
    """A row as the core's record of it."""
    values = {each.name: getattr(row, each.name) for each in fields(kind) if each.name not in known}
    return kind(**values, **known)
