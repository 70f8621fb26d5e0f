"""What must hold at any instant, also in what a dead machine leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from django.db import connections

from .audit import Movement, money_is_written_ahead, one_effect_for_each_key
from .databases import integrity_of


def written_ahead(movements: Sequence[Movement], file: Path | None) -> list[str]:
    """No money moved that the rows do not know of; of a SQLite file also whether it is sound."""
    broken = []
    if file is not None:
        sound = integrity_of(file)
        if sound != "ok":
            broken.append(f"integrity_check of {file.name}: {sound}")
        connections.settings["default"]["NAME"] = str(file)
    return [
        *broken,
        *one_effect_for_each_key(movements),
        *money_is_written_ahead(movements),
    ]
