"""What this repository ships, read from its own pyproject files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CORE = "omniman-payment-core"


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution: its folder and what its pyproject.toml says."""

    folder: Path
    project: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.project["name"])

    @property
    def package(self) -> str:
        """The one package in it; by our naming, the distribution's name as Python spells it."""
        return self.name.replace("-", "_")

    @property
    def package_folder(self) -> Path:
        return self.folder / self.package


def all_distributions() -> list[Distribution]:
    """The core first, then plugins, hosts and simulators."""
    files = [ROOT / "pyproject.toml"]
    for workspace in ("plugins", "hosts"):
        files += sorted((ROOT / workspace).glob("*/pyproject.toml"))
    files.append(ROOT / "simulators" / "pyproject.toml")
    return [
        Distribution(file.parent, tomllib.loads(file.read_text("utf-8"))["project"])
        for file in files
    ]
