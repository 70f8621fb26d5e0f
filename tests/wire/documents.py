"""Finds the contract documents: what Stripe has published about its requests and its answers.

They are not part of this repository. They lie in the folder that OMNIMAN_PAYMENT_CONTRACTS names,
else in ``shared/data`` beside the repository; where they are absent, a test that needs them is
skipped and says so.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "OMNIMAN_PAYMENT_CONTRACTS"
REQUESTS = "stripe-requests-endive.json"
RESPONSES = "stripe-openapi.json"
FIXTURES = "stripe-fixtures3.json"
_ROOT = Path(__file__).resolve().parents[2]


def folder() -> Path:
    """Where the contract documents are looked for, there or not."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else _ROOT.parent / "shared" / "data"


def load(name: str) -> Any:
    """The document called ``name``, parsed; skips the test that asks where it is absent."""
    path = folder() / name
    if not path.is_file():
        pytest.skip(f"contract document {name} is absent from {folder()}: set {VARIABLE}")
    return json.loads(path.read_text(encoding="utf-8"))
