"""The shop: sells orders whose end is known from the beginning, and can be killed like a worker.

An order's number decides what is asked for it, and everything is asked under a key made of the
number; so a shop that is started anew begins with the last order again, and asks nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TOTAL_Q = 1000


@dataclass(frozen=True, slots=True)
class Story:
    """What is asked for an order, and what has to be at the gateway when all is done."""

    name: str
    flow: str
    confirm_q: int | None = None
    refunds_q: Sequence[int] = ()
    cancel: bool = False
    card: str = "pm_card_visa"
    moved_q: int = 0
    held_q: int = 0

    @property
    def captures(self) -> bool:
        return self.confirm_q is not None


HOLD, CHARGE = "authorize_capture", "charge"
STORIES = (
    Story("held", HOLD, held_q=1000),
    Story("captured", HOLD, confirm_q=1000, moved_q=1000),
    Story("captured in part", HOLD, confirm_q=600, moved_q=600),
    Story("captured and refunded in parts", HOLD, 1000, (300, 300), moved_q=400),
    Story("charged", CHARGE, moved_q=1000),
    Story("charged and refunded in part", CHARGE, refunds_q=(250,), moved_q=750),
    Story("charged and refunded in parts", CHARGE, refunds_q=(200, 200, 200), moved_q=400),
    Story("asked back beyond what was paid", CHARGE, refunds_q=(600, 600), moved_q=400),
    Story("charged and cancelled", CHARGE, cancel=True),
    Story("cancelled while being held", HOLD, cancel=True),
    Story("cancelled while being captured", HOLD, confirm_q=1000, cancel=True),
    Story("declined", HOLD, confirm_q=1000, card="pm_card_chargeDeclined"),
)


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
        cancel_order,
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
    if story.cancel and order.status != "cancelled":
        cancel_order(order, actor="shopper")
