"""The shop's beginning and end as a process: ports, signals, and nothing that stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from .process import ROOT, Visitor, running_shop, start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    with running_shop(tmp_path) as shop:
        visitor = Visitor(shop)
        visitor.until_payment(visitor.buy("stripe-hold"), "requires_action")
        group = shop.process.pid
        assert list(tmp_path.iterdir()) != []
        assert shop.stop(number) == (0, "")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_a_folder_keeps_the_orders(tmp_path: Path) -> None:
    data = tmp_path / "kept"
    with running_shop(tmp_path, "--data", str(data)) as shop:
        visitor = Visitor(shop)
        charged, carded = visitor.buy("mock-charge"), visitor.buy("stripe-hold")
        visitor.until_payment(charged, "captured")
        assert shop.stop()[0] == 0
    with running_shop(tmp_path, "--data", str(data)) as shop:
        visitor = Visitor(shop)
        # The mock's books are in the folder as well; those of the Stripe simulator are gone.
        visitor.until_payment(charged, "captured")
        assert "its books are gone" in visitor.order(carded).part("money")
        assert visitor.buy("mock-charge") not in (charged, carded)


def test_a_port_that_was_asked_for_and_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(tmp_path, "--port", str(taken.getsockname()[1]))
        said, complaints = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said == ""
    assert "is taken; choose another one with PORT=" in complaints


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_starts_what_is_tested_here() -> None:
    # -n only says what it would do, -o takes the environment as it is.
    told = subprocess.run(
        ["make", "-n", "-o", ".venv/.complete", "shop", "PORT=8123", "DATA=kept"],
        cwd=ROOT,
        # These tests may have been started by make themselves.
        env={n: v for n, v in os.environ.items() if n not in ("MAKEFLAGS", "MAKELEVEL")},
        capture_output=True,
        text=True,
        check=True,
    )
    # exec: what is sent to make reaches the shop, and no shell in between.
    assert told.stdout.strip() == (
        'exec .venv/bin/python -m examples.shop --port "8123" --data "kept"'
    )
