"""Notifications on their way to the shop, and an inbox that keeps what a host's keeps.

An inbox stores each event once, wakes the payment that it concerns, and tries again later what
concerns none yet. What is not authentic changes nothing at all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from omniman_payment_core.decisions import sync_of
from omniman_payment_core.errors import WebhookError
from omniman_payment_core.records import Payment
from omniman_payment_core.values import WebhookEvent
from omniman_payment_mock.webhooks import sign

from .accounts import SimAccount
from .stores import StoreError
from .violations import hold

if TYPE_CHECKING:
    from .world import World

FATES = (
    "forged", "elsewhere", "other_mode", "untrue", "stale", "lost", "delayed", "delayed",
    "twice", "twice", "once", "once", "once", "once",
)  # fmt: skip


@dataclass(slots=True)
class Delivery:
    """One notification on its way."""

    due: datetime
    account: SimAccount
    name: str
    body: bytes
    secret: str
    stale: bool = False

    @property
    def authentic(self) -> bool:
        return self.secret == self.account.gateway.webhook_secret and not self.stale


@dataclass(slots=True)
class Row:
    """What is kept of one event: the payment it woke, if any."""

    event: WebhookEvent
    payment_id: str | None
    next_try_at: datetime | None
    tries: int = 0


class Inbox:
    """Receives for all accounts of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sent = 0
        self.on_their_way: list[Delivery] = []
        self.rows: dict[tuple[str, str], Row] = {}

    # -- the gateway's side ----------------------------------------------------------------

    def send(self, account: SimAccount, transaction_id: str) -> None:
        """A gateway tells of a transaction; what comes of it is up to the wire."""
        world, rng = self._world, self._world.rng
        fate = "once" if world.healed else rng.choice(FATES)
        world.marks[f"webhook:{fate}"] += 1
        if fate == "lost":
            return
        delay = timedelta()
        if fate == "delayed":
            # Later ones overtake it.
            delay = timedelta(seconds=rng.choice([20, 200, 4000]))
        delivery = self._written(account, transaction_id, fate)
        delivery.due += delay
        self.on_their_way += [delivery] * (2 if fate == "twice" else 1)
        self.deliver()

    def _written(self, account: SimAccount, transaction_id: str, fate: str) -> Delivery:
        world = self._world
        self._sent += 1
        now, name = world.clock.now(), f"evt_{self._sent}"
        event = {
            "id": name,
            "type": "payment.updated",
            "transaction_id": transaction_id,
            "occurred_at": now.isoformat(),
            "livemode": fate == "other_mode",
        }
        if fate == "untrue":
            event |= {"status": "captured", "amount_q": 10**9, "captured_q": 10**9}
        body, secret = json.dumps(event).encode(), account.gateway.webhook_secret
        if fate == "forged":
            secret = "a secret that nobody has given"
        to = account
        if fate == "elsewhere":
            # Signed by one account, about a transaction of another.
            to = world.rng.choice(world.accounts.all)
            secret = to.gateway.webhook_secret
        return Delivery(now, to, name, body, secret, fate == "stale")

    # -- the shop's side -------------------------------------------------------------------

    def deliver(self) -> None:
        """Whatever is due arrives."""
        if not self.on_their_way:
            return
        now = self._world.clock.now()
        due = [delivery for delivery in self.on_their_way if delivery.due <= now]
        if not due:
            return
        self.on_their_way = [each for each in self.on_their_way if each.due > now]
        if len(due) > 1 and not self._world.healed:
            self._world.rng.shuffle(due)
            self._world.marks["webhook:reordered"] += 1
        for delivery in due:
            try:
                self._receive(delivery)
            except StoreError:
                # It is answered with a 503, and sent again.
                self._world.marks["webhook:store_away"] += 1
                delivery.due = now + timedelta(seconds=60)
                self.on_their_way.append(delivery)

    def _receive(self, delivery: Delivery) -> None:
        world, one = self._world, delivery.account
        # A gateway signs each attempt anew; what somebody has recorded and replays is old.
        at = world.clock.now() - (timedelta(seconds=400) if delivery.stale else timedelta())
        headers = sign(delivery.body, delivery.secret, delivery.name, at)
        try:
            events = one.receiver.parse_webhook(headers, delivery.body)
        except WebhookError:
            hold("I12 what is authentic is taken", not delivery.authentic, delivery)
            world.marks["webhook:turned_away"] += 1
            return
        hold("I12 nothing forged is taken", delivery.authentic, delivery)
        for event in events:
            self._accept(one, event)

    def _accept(self, one: SimAccount, event: WebhookEvent) -> None:
        world = self._world
        key = (one.name, event.event_id)
        if key in self.rows:
            world.marks["webhook:known"] += 1
            return
        world.store_answers()
        if event.livemode is not None and event.livemode != one.account.livemode:
            world.marks["webhook:ignored_mode"] += 1
            self.rows[key] = Row(event, None, None)
            return
        payment = self._find(one, event)
        if payment is None:
            world.marks["webhook:unmatched"] += 1
            self.rows[key] = Row(event, None, world.clock.now() + timedelta(seconds=2))
            return
        self._wake(payment)
        self.rows[key] = Row(event, payment.id, None)

    def rematch(self) -> None:
        """Try again what concerned no payment when it came."""
        now = self._world.clock.now()
        for (name, _), row in self.rows.items():
            if row.next_try_at is None or row.next_try_at > now:
                continue
            payment = self._find(self._world.accounts[name], row.event)
            row.tries += 1
            row.next_try_at = None
            if payment is not None:
                self._world.marks["webhook:matched_later"] += 1
                row.payment_id = payment.id
                self._wake(payment)
            elif row.tries < 8:
                row.next_try_at = now + timedelta(seconds=2 << row.tries)

    def _find(self, one: SimAccount, event: WebhookEvent) -> Payment | None:
        """The payment of a transaction, if it is bound to the account that vouches for it."""
        bound = (one.name, one.account.fingerprint, one.account.livemode)
        for payment in self._world.store.payments.values():
            if payment.transaction_id == event.transaction_id:
                if (payment.account, payment.fingerprint, payment.livemode) == bound:
                    return payment
                self._world.marks["webhook:other_account"] += 1
        return None

    def _wake(self, payment: Payment) -> None:
        self._world.marks["webhook:woke"] += 1
        self._world.store.enqueue([sync_of(payment.order_ref, payment.id)])
