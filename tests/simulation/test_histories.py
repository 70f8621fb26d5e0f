"""Ten thousand histories on every run, every death in a scripted one, and exact replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from omniman_payment_core.records import DirectiveStatus, Topic

from . import marks
from .crowd import Tally, how_to_replay, live_together
from .gateways import STRENGTHS
from .invariants import check_always, check_at_rest
from .shrinking import shrink
from .world import World

HISTORIES = 10_000
PROCESSES = 2
REGRESSIONS = Path(__file__).with_name("regressions.txt")


def told(seed: int, strength: str | None = None) -> str:
    """The story of one seed, and how to hear it again."""
    world = World(seed, strength=strength)
    try:
        world.run()
    except Exception as error:
        story = "\n".join(world.story)
        return (
            f"{story}\nseed {seed} ({world.strength}): {error!r}\n{how_to_replay(seed, strength)}"
        )
    return f"seed {seed} holds"


@pytest.fixture(scope="module")
def tally() -> Tally:
    """What ten thousand histories have come to."""
    return live_together(0, HISTORIES, PROCESSES)[0]


@pytest.mark.timeout(900)
def test_no_history_breaks_an_invariant(tally: Tally) -> None:
    assert tally.histories == HISTORIES
    if tally.broken:
        seeds = [seed for seed, _, _ in tally.broken]
        pytest.fail(f"{len(seeds)} histories fail: {seeds[:20]}; the first:\n{told(seeds[0])}")


@pytest.mark.timeout(900)
def test_the_histories_meet_every_fault_every_act_and_every_outcome(tally: Tally) -> None:
    assert len(set(marks.ALL)) == len(marks.ALL) >= 60
    rare = {mark: tally.marks[mark] for mark in marks.ALL if tally.marks[mark] < marks.AT_LEAST}
    assert not rare, "too rare for their silence to mean anything"


def regressions() -> list[tuple[int, str | None]]:
    """Every seed that ever failed, with the strength it was run at."""
    lines = REGRESSIONS.read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return [(int(row[0]), None if row[1] == "-" else row[1]) for row in rows]


@pytest.mark.parametrize(("seed", "strength"), regressions())
def test_what_once_failed_holds(seed: int, strength: str | None) -> None:
    assert told(seed, strength) == f"seed {seed} holds"


def test_a_seed_replays_exactly() -> None:
    for seed in range(70, 78):
        first, second = World(seed), World(seed)
        first.run()
        second.run()
        assert first.story == second.story
        assert first.gateway.moved == second.gateway.moved


def test_a_history_that_breaks_something_is_made_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here what breaks is that a shop never asks for a refund."""
    world_run = World.run

    def run(self: World) -> None:
        world_run(self)
        directives = self.store.directives.values()
        assert not any(d.topic == Topic.REFUND for d in directives), "I00 no refunds: one"

    monkeypatch.setattr(World, "run", run)
    seed = next(seed for seed in range(100) if "I00" in told(seed))
    only = shrink(seed)
    assert len(only) <= 2
    with pytest.raises(AssertionError, match="I00"):
        World(seed, only=only).run()


def test_a_poisoned_directive_holds_up_nobody() -> None:
    """What can never succeed for one order leaves the others as fast as they were alone."""
    alone, beside = rounds_until_paid(poisoned=0), rounds_until_paid(poisoned=6)
    assert beside <= 2 * alone + 2


def rounds_until_paid(poisoned: int) -> int:
    """How many claims a worker makes until two good orders are paid."""
    world = World(4711, strength="full", crash_steps=frozenset(), trouble=0.0)
    world.wire.choose = lambda method: (
        "crash" if world.calling and world.calling.order_ref.startswith("P") else None
    )
    good = ["O1", "O2"]
    for ref in (*(f"P{number}" for number in range(poisoned)), *good):
        world.refs.append(ref)
        world.store.add_order(ref, total_q=1000)
        world.enqueue(Topic.CHARGE, ref, {"amount_q": 1000, "payment_method": {}})
    engine, rounds = world.workers[0].engine, 0
    while any("on_payment_confirm" not in world.store.orders[ref].triggers for ref in good):
        rounds += 1
        works = engine.claim(2).works
        while works:
            works = engine.settle([engine.perform(work) for work in works])
        check_always(world)
        assert rounds < 50
    ended = [d.status for d in world.store.directives.values() if d.order_ref in good]
    assert set(ended) == {DirectiveStatus.COMPLETED}
    return rounds


def scripted(strength: str, crashes: frozenset[int]) -> World:
    """One order held, confirmed, refunded in part and cancelled, with deaths at given steps."""
    world = World(4711, strength=strength, crash_steps=crashes, trouble=0.0)
    world.refs.append("O1")
    world.store.add_order("O1", total_q=1000)
    world.enqueue(Topic.HOLD, "O1", {"amount_q": 1000, "payment_method": {}})
    world.enqueue(Topic.CONFIRM, "O1", {})
    world.enqueue(Topic.REFUND, "O1", {"amount_q": 300}, "refund-1")
    for turn in range(60):
        world.work(world.workers[turn % len(world.workers)])
        check_always(world)
    world.heal()
    check_at_rest(world)
    return world


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_death_at_any_step_loses_and_doubles_nothing(strength: str) -> None:
    undisturbed = scripted(strength, frozenset())
    last = undisturbed.steps
    assert undisturbed.gateway.moved_q("O1") in (700, 1000)
    for step in range(1, last + 1):
        world = scripted(strength, frozenset({step}))
        known = any(flag.order_ref == "O1" for flag in world.store.flags.values())
        same = world.gateway.moved_q("O1") == undisturbed.gateway.moved_q("O1")
        assert same or known, f"{strength}: a death at step {step} changed what was paid"


@pytest.mark.parametrize("strength", ["full", "no_proof", "prepares", "patient", "unaddressed"])
def test_two_deaths_at_any_steps_lose_and_double_nothing(strength: str) -> None:
    last = scripted(strength, frozenset()).steps
    for first in range(1, last + 1, 2):
        for second in range(first + 1, last + 4, 3):
            world = scripted(strength, frozenset({first, second}))
            assert world.gateway.moved_q("O1") == 700, (strength, first, second)
