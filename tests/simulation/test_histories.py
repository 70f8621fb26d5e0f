"""Two thousand histories on every run, every crash point of a scripted one, and exact replay."""

from __future__ import annotations

from collections import Counter

import pytest

from omniman_payment_core.records import Topic

from .gateways import STRENGTHS
from .invariants import check_always, check_at_rest
from .world import World

HISTORIES = 2000
SHARES = 8


@pytest.mark.parametrize("share", range(SHARES))
def test_no_history_breaks_an_invariant(share: int) -> None:
    for seed in range(share, HISTORIES, SHARES):
        world = World(seed)
        try:
            world.run()
        except Exception as error:
            story = "\n".join(world.story)
            raise AssertionError(
                f"seed {seed} ({world.strength}) fails; replay it with\n"
                f"    python -m tests.simulation --seed {seed}\n{story}\n{error!r}"
            ) from error


def test_the_histories_meet_every_fault_and_every_act() -> None:
    marks: Counter[str] = Counter()
    for seed in range(400):
        World(seed, marks=marks).run()
    for mark in (
        *(f"wire:{fault}" for fault in
          ("lost", "unanswered", "late", "limit", "unsent", "crash", "garbage")),
        *(f"crash:{where}" for where in
          ("claim:before", "claim:after", "call:before", "call:after",
           "settle:before", "settle:after")),
        *(f"shop:{act}" for act in
          ("confirm", "confirm_part", "refund", "refund_part", "cancel", "cancel_order",
           "retry", "duplicate", "double_opening")),
        *(f"payer:{act}" for act in ("finish", "fail", "outside", "dispute")),
        "gateway:refund_done", "gateway:refund_failed", "webhook", "time",
    ):  # fmt: skip
        assert marks[mark] > 0, f"no history ever met {mark}: {sorted(marks)}"


def test_a_seed_replays_exactly() -> None:
    first, second = World(77), World(77)
    first.run()
    second.run()
    assert first.story == second.story
    assert first.gateway.moved == second.gateway.moved


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
