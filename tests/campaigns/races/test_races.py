"""Eight processes at the same orders: whatever they do at once has the effect of one of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

ROUNDS = 30
"""Of each race on each database; thousands by ``python -m tests.campaigns.races``."""
RACES = (
    "a session committed by everybody",
    "captures that together exceed the hold",
    "refunds that together exceed the capture",
    "cancelled while it is refunded and captured",
    "one notification many times",
    "a refund decided by several people",
    "paid while it is cancelled",
    "two verdicts, another try and giving up",
)


def raced(database: str, rounds: int, *arguments: str) -> tuple[int, dict[str, int], str]:
    """The command's exit code, its figures, and everything it wrote."""
    command = [sys.executable, "-m", "tests.campaigns.races", "--database", database]
    ran = subprocess.run(
        [*command, "--rounds", str(rounds), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    figures = {}
    for line in ran.stdout.splitlines():
        number, _, what = line.strip().partition("  ")
        if number.isdigit():
            figures[what] = int(number)
    return ran.returncode, figures, ran.stdout + ran.stderr


@pytest.mark.timeout(900)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_whatever_is_done_at_once_has_one_effect(database: str) -> None:
    """Committing, collecting, capturing, refunding, cancelling, notifying and deciding."""
    code, figures, told = raced(database, ROUNDS)
    assert (code, figures["wrong"]) == (0, 0), told
    for race in RACES:
        assert figures[f"rounds of {race}"] >= ROUNDS, told
    assert figures.get("deadlocks", 0) <= figures.get("transactions run again", 0), told
    # Apart from each other they would have proven nothing.
    assert figures["rounds in which processes met"] > figures["rounds"] / 5, told


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("database", "mutant", "life"),
    [
        ("sqlite", "decided-anyway", "scanned"),
        ("postgres", "people-do-not-wait", "doubted"),
    ],
)
def test_a_rule_that_is_broken_is_found(database: str, mutant: str, life: str) -> None:
    """The races are worth their silence."""
    for _ in range(5):
        code, figures, told = raced(
            database, 40, "--batch", "40", "--mutant", mutant, "--life", life
        )
        if code:
            assert figures["wrong"], told
            return
    raise AssertionError(told)
