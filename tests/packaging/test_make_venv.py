"""The environment of the project makes itself anew, whoever asks for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def make(python: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(ROOT / "tools" / "make_venv.py"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_environment_can_be_replaced_by_its_own_python(tmp_path: Path) -> None:
    folder = tmp_path / "env"
    assert make(sys.executable, folder).returncode == 0
    left_behind = folder / "left-behind"
    left_behind.touch()
    again = make(str(folder / "bin" / "python"), folder)
    assert (again.returncode, again.stderr) == (0, "")
    assert not left_behind.exists()
    assert subprocess.run([folder / "bin" / "python", "-c", ""], check=False).returncode == 0
