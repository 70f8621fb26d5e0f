"""What can be played at a gateway, and the port through which the shop's pages play it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from omniman_payment_django.models import Payment, Refund


class DeedRefusedError(Exception):
    """The gateway does not let this happen; the message says why."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a shopper, a bank or an operator can do right now, as a button."""

    name: str
    label: str
    run: Callable[[int], object] = field(repr=False)
    """Takes the amount that was typed; 0 where ``takes_amount`` is not set."""
    subject: str = ""
    """What it is done to, where there are several: a refund, a dispute."""
    takes_amount: bool = False
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened to an order's money at the gateway."""

    moved_q: int = 0
    held_q: int = 0


class FarSide(Protocol):
    """A gateway as seen by everybody but the shop."""

    name: str
    keeps_its_books: bool
    """Whether it still knows what happened before this shop was started."""

    def deeds(self, payment: Payment, refunds: Sequence[Refund]) -> Sequence[Deed]:
        """What can be done to a payment now. A deed raises :class:`DeedRefusedError`."""
        ...

    def truths(self, order_refs: Sequence[str]) -> Mapping[str, Truth]:
        """What the gateway's own books say of these orders."""
        ...


def doing(
    refusal: type[Exception], call: Callable[..., object], *given: object, **named: object
) -> Callable[[int], object]:
    """A deed's ``run`` that calls this, with these arguments and no amount."""
    return _saying_why(refusal, lambda _: call(*given, **named))


def doing_with_amount(
    refusal: type[Exception], call: Callable[..., object], *given: object
) -> Callable[[int], object]:
    """A deed's ``run`` that calls this, with the amount that was typed as the last argument."""
    return _saying_why(refusal, lambda amount_q: call(*given, amount_q))


def _saying_why(refusal: type[Exception], call: Callable[[int], object]) -> Callable[[int], object]:
    """A gateway's own refusal in the words of the port."""

    def run(amount_q: int) -> object:
        try:
            return call(amount_q)
        except refusal as error:
            raise DeedRefusedError(str(error)) from None

    return run


_sides: dict[str, FarSide] = {}


def open_side(account: str, side: FarSide) -> None:
    """Let the pages reach the far side of an account."""
    _sides[account] = side


def side_of(account: str) -> FarSide | None:
    """The far side of an account, if this shop runs one."""
    return _sides.get(account)
