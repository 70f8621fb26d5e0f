"""The shop: sells orders whose end is known from the beginning, and can be killed like a worker.

An order's number decides what is asked for it, and everything is asked under a key made of the
number; so a shop that is started anew begins with the last order again, and asks nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import Error, InterfaceError, connections

TOTAL_Q = 1000
LATER = 20
"""So many orders later a shopper changes their mind."""
VISA = "pm_card_visa"


@dataclass(frozen=True, slots=True)
class Story:
    """What is asked for an order, and what has to be at the gateway when all is done."""

    name: str
    flow: str
    confirm_q: int | None = None
    refunds_q: Sequence[int] = ()
    cancel: bool = False
    card: str = VISA
    taken_q: int = 0
    returned_q: int = 0
    held_q: int = 0


HOLD, CHARGE = "authorize_capture", "charge"
STORIES = (
    Story("held", HOLD, held_q=1000),
    Story("captured", HOLD, 1000, taken_q=1000),
    Story("captured in part", HOLD, 600, taken_q=600),
    Story("captured and refunded in equal parts", HOLD, 1000, (300, 300), False, VISA, 1000, 600),
    Story("charged", CHARGE, taken_q=1000),
    Story("charged and refunded in part", CHARGE, None, (250,), False, VISA, 1000, 250),
    Story("charged and refunded in parts", CHARGE, None, (200, 100, 200), False, VISA, 1000, 500),
    Story("asked back beyond what was paid", CHARGE, None, (600, 600), False, VISA, 1000, 600),
    Story("charged and cancelled", CHARGE, cancel=True),
    Story("cancelled while it is held", HOLD, cancel=True),
    Story("cancelled while it is captured", HOLD, 1000, cancel=True),
    Story("declined", HOLD, 1000, card="pm_card_chargeDeclined"),
)
"""Where an order is cancelled, whatever was taken has been returned."""


def story_of(number: int) -> Story:
    """The story of an order."""
    return STORIES[number % len(STORIES)]


def ref_of(number: int) -> str:
    return f"KILL-{number:06}"


def number_of(ref: str) -> int:
    return int(ref.removeprefix("KILL-"))


def sell(number: int) -> None:
    """One order and all that is asked for it; again, it changes nothing."""
    from omniman_payment_django.models import Channel, Session
    from omniman_payment_django.sessions import (
        commit_session,
        confirm_payment,
        refund_payment,
    )

    story, ref = story_of(number), ref_of(number)
    session, _ = Session.objects.get_or_create(
        key=f"session-{number}",
        defaults={
            "channel": Channel.objects.get(code=story.flow),
            "items": [{"sku": "coffee", "qty": 1, "price_q": TOTAL_Q}],
        },
    )
    card = {"type": "card", "payment_method_id": story.card}
    order = commit_session(session, commit_key=session.key, payment_method=card, ref=ref)
    if story.confirm_q is not None:
        confirm_payment(order, story.confirm_q, f"confirm:{ref}", final=True)
    for part, amount_q in enumerate(story.refunds_q):
        refund_payment(order, amount_q, dedupe_key=f"refund:{ref}:{part}")
    if number >= LATER:
        withdraw(number - LATER)


def withdraw(number: int) -> None:
    """Cancel the order, if that is its story; again, it changes nothing."""
    from omniman_payment_django.models import Order
    from omniman_payment_django.sessions import cancel_order

    if story_of(number).cancel:
        cancel_order(Order.objects.get(ref=ref_of(number)), actor="shopper")


def finish() -> None:
    """What was sold last may have been sold half, and its shoppers have not changed their minds."""
    last = last_number()
    sell(last)
    for number in range(max(0, last - LATER), last + 1):
        withdraw(number)


BACKLOG = 220
"""Directives that are open at most before the shop waits for the workers."""


def trade() -> None:
    """Sell one order after the other until somebody ends the process."""
    number: int | None = None
    while True:
        try:
            if number is None:
                number = last_number()
            if _open_directives() < BACKLOG:
                sell(number)
                number += 1
            else:
                time.sleep(0.01)
        except (Error, InterfaceError):
            # The database died, perhaps with the answer to a commit: the same again is no harm.
            connections.close_all()
            time.sleep(0.05)


def last_number() -> int:
    """The order that was sold last, which may have been sold half."""
    from omniman_payment_django.models import Session

    return max(0, Session.objects.count() - 1)


def _open_directives() -> int:
    from omniman_payment_django.models import Directive

    return Directive.objects.filter(status__in=["pending", "running"]).count()
