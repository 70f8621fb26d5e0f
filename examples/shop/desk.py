"""What the shop may ask for an order in the state it is in, and asking it."""

from __future__ import annotations

from dataclasses import dataclass

from omniman_payment_core.records import DirectiveStatus, Topic
from omniman_payment_core.values import PaymentStatus
from omniman_payment_django.models import Directive, Order, Payment
from omniman_payment_django.models.flow import CANCELLED, TransitionError, transitions_of
from omniman_payment_django.pay.amounts import amount_text
from omniman_payment_django.sessions import (
    RequestRefusedError,
    cancel_order,
    confirm_payment,
    refund_payment,
    retry_payment,
)

_ENDED = (PaymentStatus.FAILED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)
_OPENING = (Topic.HOLD, Topic.CHARGE)
_UNFINISHED = (DirectiveStatus.PENDING, DirectiveStatus.RUNNING)


class RefusedError(Exception):
    """The shop cannot ask for this now; the message says why."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What makes sense now; amounts are what is left to capture, and to refund."""

    confirm_q: int
    refund_q: int
    cancel: bool
    retry: bool

    @property
    def any(self) -> bool:
        """Whether there is anything at all."""
        return bool(self.confirm_q or self.refund_q or self.cancel or self.retry)


def offers_of(order: Order, payments: list[Payment]) -> Offers:
    """Read off the order and its newest payment."""
    newest = payments[-1] if payments else None
    confirm_q = refund_q = 0
    if newest is not None:
        confirm_q = newest.authorized_q - newest.captured_q - newest.released_q
        back_q = newest.refunded_q + newest.refund_pending_q + newest.disputed_q
        refund_q = newest.captured_q - back_q
    allowed = transitions_of(order.channel.config).get(order.status, ())
    over = newest is not None and newest.status in _ENDED and not newest.captured_q
    return Offers(
        confirm_q=max(0, confirm_q),
        refund_q=max(0, refund_q),
        cancel=CANCELLED in allowed,
        retry=over and not order.cancelled and not _is_opening(order),
    )


def _is_opening(order: Order) -> bool:
    return Directive.objects.filter(
        order_ref=order.ref, topic__in=_OPENING, status__in=_UNFINISHED
    ).exists()


def _check(order: Order, what: str, amount_q: int | None) -> None:
    """In the words of people; whatever happens meanwhile is refused by the engine itself."""
    if amount_q is None:
        return
    offers = offers_of(order, list(Payment.objects.filter(order_ref=order.ref).order_by("attempt")))
    most_q = {"confirm": offers.confirm_q, "refund": offers.refund_q}.get(what, 0)
    if amount_q > most_q:
        done = {"confirm": "captured", "refund": "refunded"}.get(what, "asked for")
        raise RefusedError(
            f"{amount_text(amount_q, order.currency)} is too much: "
            f"{amount_text(most_q, order.currency)} can be {done}."
        )


def ask(order: Order, what: str, amount_q: int | None, once: str) -> str:
    """Enqueue it; what to tell the person. Asked again with the same ``once``, it is one."""
    key = f"{what}:{order.ref}:{once}"
    _check(order, what, amount_q)
    try:
        match what:
            case "confirm":
                confirm_payment(order, amount_q, key)
                return "Capture asked for. The worker does it."
            case "refund":
                refund_payment(order, amount_q, "asked for on the order's page", key)
                return "Refund asked for. The worker does it."
            case "cancel":
                cancel_order(order, actor="shop")
                return "The order is cancelled, and its payment is being withdrawn."
            case "retry":
                retry_payment(order, {"type": "card"})
                return "Another attempt to collect the money has begun."
    except (RequestRefusedError, TransitionError) as error:
        raise RefusedError(str(error)) from None
    raise RefusedError("There is no such button.")
