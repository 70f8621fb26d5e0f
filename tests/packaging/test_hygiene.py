"""What must never be in the repository, and what must be in every part of it."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.packaging.distributions import ROOT, Distribution, all_distributions

LOCK_FILES = {
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock.toml",
    "Pipfile.lock",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
}

# Put together from pieces, so that this file does not contain what it forbids.
REGISTRY_HOSTS = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry.npm" + "js.org",
    "deb." + "debian.org",
)
MACHINE_FOLDERS = tuple("/" + folder + "/" for folder in ("work", "root", "home", "Users"))
MACHINE_PATH = re.compile(rf"(?<![\w.:/<>\-*}}])(?:{'|'.join(MACHINE_FOLDERS)})\w")


def tracked_files() -> list[Path]:
    """The files git knows, as they are now; a file deleted but not yet committed is left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every tracked text file by its name in the repository."""
    found = {}
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content:
            found[str(path.relative_to(ROOT))] = content.decode("utf-8")
    assert "pyproject.toml" in found
    return found


def test_no_lock_file_is_committed() -> None:
    assert [p for p in tracked_files() if p.name in LOCK_FILES or p.suffix == ".lock"] == []


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_a_package_registry(texts: dict[str, str], host: str) -> None:
    assert [name for name, text in texts.items() if host in text.lower()] == []


def test_no_file_holds_a_path_of_somebodys_machine(texts: dict[str, str]) -> None:
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["cd " + MACHINE_FOLDERS[0] + "main", 'open("' + MACHINE_FOLDERS[2] + 'ana/x")']
)
def test_a_machine_path_would_be_noticed(line: str) -> None:
    assert MACHINE_PATH.search(line)


def test_the_constraints_are_plain_pins(texts: dict[str, str]) -> None:
    lines = [line for line in texts["constraints.txt"].splitlines() if not line.startswith("#")]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[\w.!+]+", line)] == []


@pytest.mark.parametrize("distribution", all_distributions(), ids=lambda d: d.name)
def test_every_package_is_marked_as_typed_and_carries_the_license(
    distribution: Distribution,
) -> None:
    assert (distribution.package_folder / "py.typed").is_file()
    license_of_the_repository = (ROOT / "LICENSE").read_text("utf-8")
    assert (distribution.folder / "LICENSE").read_text("utf-8") == license_of_the_repository
    assert (distribution.folder / "README.md").is_file()


def test_every_module_says_what_it_is_for(texts: dict[str, str]) -> None:
    silent = [
        name
        for name, text in texts.items()
        if name.endswith(".py") and text.strip() and ast.get_docstring(ast.parse(text)) is None
        # Django writes its migrations; their names say what they do.
        if "/migrations/" not in name
    ]
    assert silent == []
