"""Makes a virtual environment from nothing, and says in plain words why it cannot.

Runs on whatever Python the machine has, before anything is installed: standard library only,
in words that an older Python can read as far as the version check.
"""

import shutil
import subprocess
import sys
from pathlib import Path

NEEDED = (3, 11)


def main(arguments):
    if len(arguments) != 1:
        return "usage: make_venv.py DIRECTORY"
    if sys.version_info < NEEDED:
        return (
            f"This project needs Python {NEEDED[0]}.{NEEDED[1]} or newer; {sys.executable} is "
            f"{sys.version_info[0]}.{sys.version_info[1]}. "
            "Name another one: make PYTHON=python3.11 ..."
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as missing:
        return (
            f"{sys.executable} has no module {missing.name!r}, so it cannot make a virtual "
            "environment. Debian and Ubuntu keep it in a package of its own: "
            "apt-get install python3-venv"
        )
    directory = Path(arguments[0])
    # Whoever has the old environment activated runs this with the Python that is about to go.
    python = getattr(sys, "_base_executable", sys.executable)
    shutil.rmtree(directory, ignore_errors=True)
    return subprocess.call([python, "-m", "venv", str(directory)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
