"""The smallest storm: one worker, killed while it waits for an answer; the next one finishes."""

from __future__ import annotations

import subprocess
import sys


def test_what_a_killed_worker_had_begun_is_finished_by_the_next() -> None:
    """Redelivery after a crash must not charge again, as it once did in odoo/odoo PR #101243."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.kill.one_death"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["moved", "1000", "attempts", "1"]
