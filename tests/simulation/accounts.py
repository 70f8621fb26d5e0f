"""The accounts of one shop at their gateways, and what an administrator does to them meanwhile."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from omniman_payment_core.errors import BackendNotFoundError
from omniman_payment_core.records import ChannelView
from omniman_payment_mock import MockPaymentBackend
from omniman_payment_mock.gateway import MockGateway
from omniman_payment_mock.store import MemoryStore as GatewayBooks
from omniman_payment_mock.transactions import Movement, Transaction

from .clocks import SkewedClock
from .gateways import STRENGTHS, Account, make_account
from .wire import WatchedWire

if TYPE_CHECKING:
    from .world import World

SECRET = "the secret of one simulated account: "


class WatchedBooks(GatewayBooks):
    """A gateway's books that tell which transactions a checker has to look at again."""

    def __init__(self) -> None:
        super().__init__()
        self.touched: set[str] = set()

    def save(self, txn: Transaction) -> None:
        super().save(txn)
        self.touched.add(txn.id)

    def book(self, movement: Movement) -> None:
        super().book(movement)
        self.touched.add(movement.transaction_id)


class SimAccount:
    """One account: its gateway with true books, the wire there, and its present condition."""

    def __init__(self, world: World, name: str, strength: str, number: int) -> None:
        self._world = world
        self.name = name
        self.strength = strength
        self.clock = SkewedClock(world.clock)
        self.books = WatchedBooks()
        self.gateway = MockGateway(
            f"sim-{name}",
            clock=self.clock.now,
            rng=random.Random(world.seed + 1 + number),
            webhook_secret=SECRET + name,
            store=self.books,
        )
        kind, _, absence_after = STRENGTHS[strength]
        addressed = any(
            callable(getattr(kind, way, None)) for way in ("choose_transaction_id", "prepare")
        )
        self.wire = WatchedWire(
            world,
            self.gateway,
            f"merchant-{name}",
            proves=absence_after is not None,
            addressed=addressed,
            lag=world.lag,
        )
        self.account = self.named(name)
        self.receiver = MockPaymentBackend(gateway=self.gateway, clock=world.clock)
        """Verifies notifications, as the endpoint of this account does."""
        self.shows_amounts = not strength.startswith("five_methods")
        """Six plain fields do not say how much was paid, or that a refund failed later."""
        self.condition = "fine"
        self.until: datetime | None = None

    def named(self, name: str) -> Account:
        """What an account of that name is that has these credentials."""
        wire = self.wire
        return make_account(
            self.strength,
            self.gateway,
            self._world.clock,
            wire,
            name=name,
            fingerprint=wire.fingerprint,
        )


class Accounts:
    """Finds accounts by name, as the registry does, in whatever condition they are."""

    def __init__(self, world: World, strengths: list[str]) -> None:
        self._world = world
        self.all = [
            SimAccount(world, name, strength, number)
            for number, (name, strength) in enumerate(zip("ab", strengths, strict=False))
        ]
        self._by_name = {one.name: one for one in self.all}

    def __getitem__(self, name: str) -> SimAccount:
        return self._by_name.get(name, self.all[0])

    def account(self, name: str) -> Account:
        one = self[name]
        match one.condition:
            case "gone":
                raise BackendNotFoundError(f'no account is called "{name}"', name=name)
            case "swapped":
                other = next(each for each in self.all if each is not one)
                return other.named(name)
        # A script may put another one in the place of the first.
        return self._world.account if one is self.all[0] else one.account

    def account_for(self, channel: ChannelView) -> Account:
        name = str(channel.config.get("account", "a"))
        if self[name].condition == "swapped":
            raise BackendNotFoundError(f'account "{name}" is being changed', name=name)
        return self.account(name)

    def trouble(self) -> None:
        """Somebody renames an account, puts another's credentials there, or loses the network."""
        world, rng = self._world, self._world.rng
        one = rng.choice(self.all)
        act = rng.choice(["gone", "down", "swapped" if len(self.all) > 1 else "gone"])
        duration = timedelta(seconds=rng.choice([30, 300, 3600, 20_000]))
        world.marks[f"account:{act}"] += 1
        world.tell(f"account {one.name} is {act} for {duration}")
        if act == "down":
            one.wire.down_until = world.clock.now() + duration
        else:
            one.condition, one.until = act, world.clock.now() + duration

    def settle(self) -> None:
        """What was changed is put right when its time is over."""
        now = self._world.clock.now()
        for one in self.all:
            if one.until is not None and now >= one.until:
                one.condition, one.until = "fine", None

    def heal(self) -> None:
        """Everything works again."""
        for one in self.all:
            one.condition, one.until = "fine", None
            one.wire.trouble, one.wire.down_until = 0.0, None
            one.gateway.deliver_late()
