"""A thousand deaths on each database, and the books of shop and gateway are still the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

KILLS = 1_000
"""As ``make`` runs it; the command takes hours as well."""
SERVER_KILLS = 15


def storm(database: str, *arguments: str) -> tuple[int, dict[str, int], str]:
    """The command's exit code, its figures, and everything it wrote."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.kill", "--database", database, *arguments],
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
def test_a_thousand_killed_workers_lose_nothing_and_do_nothing_twice(database: str) -> None:
    """What odoo/odoo PR #101243 (a replay charged again) and killbill/killbill PR #643 (an
    unknown outcome was begun anew) tell of: crash, redelivery, unknown outcome, one effect."""
    code, figures, told = storm(database, "--seconds", "60", "--kills", str(KILLS))
    assert (figures["doubles"], figures["lost"], figures["broken"]) == (0, 0, 0), told
    assert code == 0, told
    assert figures["kills"] >= KILLS
    assert figures["pauses"] > 0
    # Softer than this, the storm would have proven nothing.
    assert figures["redelivered"] > figures["directives"] / 10, told
    if database == "postgres":
        assert figures["server kills"] >= SERVER_KILLS, told


@pytest.mark.timeout(300)
def test_the_audit_finds_what_workers_do_that_invent_a_key_for_each_attempt() -> None:
    """And which do not look before they try again: the same storm then pays back twice."""
    for seed in range(5):
        code, figures, told = storm(
            "sqlite", "--seconds", "8", "--mutant", "fresh-keys", "--seed", str(seed)
        )
        assert code == 1, told
        if figures["doubles"]:
            return
    raise AssertionError(f"no refund was made twice: {told}")
