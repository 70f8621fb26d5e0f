"""What SQLite needs to be a durable queue: the ``OPTIONS`` to paste, and what is missing.

Knows settings dictionaries only; opens no connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

OPTIONS: Mapping[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}
"""``DATABASES["default"]["OPTIONS"]`` for SQLite: copy it with ``dict(OPTIONS)``."""


def missing_options(options: Mapping[str, Any]) -> list[str]:
    """What is missing in a database's ``OPTIONS``, each as a sentence."""
    problems = []
    if str(options.get("transaction_mode", "")).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        problems.append(
            'transaction_mode is not "IMMEDIATE": two writers can meet in a deadlock that only '
            "an error resolves"
        )
    pragmas = {
        name.lower(): value.lower()
        for name, value in re.findall(
            r"PRAGMA\s+(\w+)\s*=\s*(\w+)", str(options.get("init_command", "")), re.IGNORECASE
        )
    }
    if pragmas.get("journal_mode") != "wal":
        problems.append("journal_mode is not WAL: readers and the worker block each other")
    if pragmas.get("synchronous") not in ("full", "extra", "2", "3"):
        problems.append(
            "synchronous is not FULL: a power failure may lose what was committed before a charge"
        )
    return problems
