"""A backend that forks leaves a copy of the worker behind, which must not work as the worker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from omniman_payment_core.engine.worker import Worker

from .doing import as_it_was, forks
from .scenes import clear_away
from .stage import Call, Stage


def test_the_copy_that_a_fork_makes_sends_nothing_that_was_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = tmp_path / "sent"

    def fork_in_the_first_call(stage: Stage, call: Call) -> Any:
        forks(stage)
        return call()

    with as_it_was():
        stage = Stage("five_methods_proof", monkeypatch)
        stage.saboteur.method, stage.saboteur.act = "authorize", fork_in_the_first_call
        real = stage.gateway.open

        def noted(*args: Any, **more: Any) -> Any:
            with sent.open("a") as file:
                file.write(f"{os.getpid()} {args[3]}\n")
            return real(*args, **more)

        stage.gateway.open = noted  # type: ignore[method-assign]
        for number in range(5):
            stage.hold(stage.order(f"O{number}"))
        # All five are claimed at once, and one thread is to call for them one after the other.
        worker = Worker(stage.engine, slots=1, idle=0.002, maintain_every=1e9)
        worker._seconds_a_call = 1e-6
        try:
            worker.run_until_idle()
        finally:
            clear_away(stage)
    lines = [line.split() for line in sent.read_text().splitlines()]
    copies = [ref for process, ref in lines if int(process) != os.getpid()]
    assert copies == ["O0"], "only the call in whose middle the fork came is in two processes"
    assert sorted(ref for process, ref in lines if int(process) == os.getpid()) == [
        f"O{number}" for number in range(5)
    ]
