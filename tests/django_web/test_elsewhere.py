"""``OMNIMAN["DATABASE"]`` names the database of the payments, and no other one is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_shop_lives_without_any_default_database(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.django_web.elsewhere", str(tmp_path / "payments.sqlite3")]
    lived = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert lived.returncode == 0, lived.stderr[-3000:]
    assert lived.stdout.endswith("lived\n")
