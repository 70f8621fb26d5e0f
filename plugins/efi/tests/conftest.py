"""A scripted gateway, and an account at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from efi_testing.account import account
from efi_testing.scripted_server import ScriptedServer, scripted_server
from omniman_payment_efi import EfiBackend


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def backend(server: ScriptedServer, tmp_path: Path) -> Iterator[EfiBackend]:
    backend = account(server, tmp_path)
    yield backend
    backend.close()
