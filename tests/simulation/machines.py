"""What happens to machines: clocks jump, the store goes away, accounts change, workers end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import World

SKEWS = (timedelta(hours=30), timedelta(hours=-30), timedelta(minutes=5), -timedelta(minutes=5))


def machines_fail(world: World) -> None:
    """One of them."""
    rng = world.rng
    act = rng.choice(["clock", "clock", "store", "account", "account", "stop"])
    match act:
        case "clock":
            worker = rng.choice(world.workers)
            worker.clock.skew = skew = rng.choice(SKEWS)
            world.marks[f"clock:{skew.total_seconds():+.0f}"] += 1
            world.tell(f"  the clock of {worker.name} is off by {skew}")
        case "store":
            duration = timedelta(seconds=rng.choice([5, 20, 60]))
            world.the_store_goes(duration)
            world.marks["store:outage"] += 1
            world.tell(f"  the store is away for {duration}")
        case "account":
            world.accounts.trouble()
        case "stop":
            world.crew.stop(rng.choice(world.workers))
