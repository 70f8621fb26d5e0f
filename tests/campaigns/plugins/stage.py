"""A shop with the real worker, whose backend misbehaves once in one of its methods."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from omniman_payment_core.engine import Limits
from omniman_payment_core.engine.worker import Worker, WorkerExhaustedError
from omniman_payment_core.errors import OutcomeUnknownError
from tests.core.harness import Shop
from tests.simulation.gateways import Wire, make_account

SECRET = "sk_live_canary_in_the_coalmine"
CARD = "4111 1111 1111 1111"
PATIENCE = 20.0
STRENGTHS = ("full", "finds", "five_methods_proof")
"""One that knows keys and addresses, one that has to be searched, one with nothing but a look."""

Call = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """What a backend does instead of its work, before the effect at the gateway or after it."""

    name: str
    before: Callable[[Stage, Call], Any] | None
    after: Callable[[Stage, Call], Any] | None

    def __str__(self) -> str:
        return self.name


class Saboteur(Wire):
    """Carries every call faithfully, but one: the first of ``method``."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.gateway, random.Random(0), Counter())
        self.stage = stage
        self.method = ""
        self.act: Callable[[Stage, Call], Any] = lambda stage, call: call()
        self.struck = 0
        self.lose_opening = False
        self.lock = threading.Lock()

    def carry(self, method: str, call: Call) -> Any:
        with self.lock:
            strikes = method == self.method and not self.struck
            self.struck += strikes
            loses, self.lose_opening = self.lose_opening and method == "authorize", False
        if strikes:
            return self.act(self.stage, call)
        answer = call()
        if loses:
            raise OutcomeUnknownError("the answer was lost")
        return answer


class Stage(Shop):
    """A :class:`Shop` whose directives are run by a :class:`Worker` with threads of its own."""

    def __init__(self, strength: str, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(
            secrets=(SECRET,),
            limits=Limits(call_budget=timedelta(seconds=30), lease=timedelta(minutes=2)),
        )
        self.strength = strength
        self.saboteur = Saboteur(self)
        account = make_account(strength, self.gateway, self.clock, self.saboteur)
        self.accounts.configured["mock"] = replace(account, name="mock")  # type: ignore[assignment]
        self.ahead = 0.0
        self.release = threading.Event()
        """Whatever a backend left hanging may go on."""
        self.litter: list[Any] = []
        """What a test has to clear away: threads, processes, coroutines."""
        monkeypatch.setattr(
            "omniman_payment_core.engine.worker.time",
            SimpleNamespace(monotonic=lambda: time.monotonic() + self.ahead, sleep=time.sleep),
        )
        self._one_at_a_time()
        self.replaced = 0
        self.worker = self._new_worker()

    def _one_at_a_time(self) -> None:
        """The store in memory is for one thread; backends that call into it have others."""
        lock = threading.RLock()
        for name in ("claim", "settle", "enqueue", "arm_checks", "untold", "told"):
            setattr(self.store, name, _locked(getattr(self.store, name), lock))

    def _new_worker(self) -> Worker:
        return Worker(self.engine, slots=3, idle=0.002, maintain_every=1e9)

    def run(self) -> int:
        """Work until idle; a worker that gives up is replaced, as a supervisor would do it."""
        try:
            self.worker.run_until_idle()
        except WorkerExhaustedError:
            self.replaced += 1
            self.engine = self.new_engine(f"worker-{self.replaced}")
            self.worker = self._new_worker()
            self.worker.run_until_idle()
        return 0

    def later(self, *, hours: float) -> None:
        """Time passes, and every look that is due has been made."""
        self.clock.advance(timedelta(hours=hours))
        self.engine.maintain()
        self.settle_down()

    def overrun(self) -> None:
        """The call that is being made takes longer than any call may."""
        self.ahead += 31

    def advance_quietly(self, **delta: float) -> None:
        """Let time pass while a call is being made."""
        self.clock.advance(timedelta(**delta))

    def written_off(self) -> bool:
        return any(call.outcome == "unknown" for call in list(self.store.calls))

    def wait(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"never came: {what}"
            time.sleep(0.001)


def _locked(method: Callable[..., Any], lock: Any) -> Callable[..., Any]:
    def locked(*args: Any, **kwargs: Any) -> Any:
        with lock:
            return method(*args, **kwargs)

    return locked
