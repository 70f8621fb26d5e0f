"""The list of mutants that no test notices, each with the reason why that is right."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .sources import ROOT, Mutant

LIST = ROOT / "tests" / "mutation" / "survivors.toml"

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Survivor:
    """A mutant that may live. ``equivalent``: nothing that can be observed is different."""

    key: Key
    equivalent: bool
    why: str


def read(file: Path = LIST) -> dict[Key, Survivor]:
    """The list, by what tells a mutant from all others."""
    survivors: dict[Key, Survivor] = {}
    for row in tomllib.loads(file.read_text("utf-8")).get("survivor", []):
        key = (row["path"], row["function"], row["line"], row["change"])
        if key in survivors:
            raise ValueError(f"{file.name} has this twice: {key}")
        if not row["why"].strip():
            raise ValueError(f"{file.name} gives no reason for {key}")
        survivors[key] = Survivor(key, row.get("equivalent", False), row["why"])
    return survivors


def as_entries(mutants: Iterable[Mutant]) -> str:
    """New entries for the list, with everything but the reason."""
    names = ("path", "function", "line", "change")
    return "\n".join(
        "[[survivor]]\n"
        + "".join(
            f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
            for name, value in zip(names, mutant.key, strict=True)
        )
        + 'why = ""\n'
        for mutant in mutants
    )
