"""What importing the core costs, and that no SDK or framework comes with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from .figures import Figure

ROOT = Path(__file__).resolve().parent.parent
RUNS = 21
RATIO = 1.5
HEAVY = ("stripe", "efipay", "django", "psycopg", "celery", "requests", "httpx")

TIMED = """
import sys, time
began = time.perf_counter()
{program}
print((time.perf_counter() - began) * 1e3)
loaded = sorted({{name.partition(".")[0] for name in sys.modules}} & set({heavy!r}))
assert not loaded, f"imported as well: {{loaded}}"
"""
PROGRAMS = {
    "base": "import pluggy, importlib_metadata",
    "core": "import omniman_payment_core",
    "names": "import omniman_payment_core as core\nfor name in core.__all__: getattr(core, name)",
    "engine": "import omniman_payment_core.engine.worker",
}
PAYING = """
import random, sys
from omniman_payment_core.engine import Engine
from omniman_payment_core.plugins import PaymentHooks, PaymentRegistry
from omniman_payment_core.records import NewDirective
from omniman_payment_core.testing import ManualClock, MemoryStore

clock = ManualClock()
store = MemoryStore(clock)
registry = PaymentRegistry({"PAYMENT_BACKENDS": {"till": {"plugin": "mock"}}})
store.add_order("A-1", total_q=1000, config={"payment_backend": "till"})
engine = Engine(
    store, registry, registry.hooks, registry.scrubber, clock=clock,
    new_id=lambda: "payment-1", rng=random.Random(1), owner="benchmark",
)
engine.enqueue([NewDirective("payment.charge", "A-1", {})])
engine.run_until_idle()
(payment,) = store.payments.values()
assert payment.captured_q == 1000, payment
loaded = sorted({"stripe", "efipay", "django"} & set(sys.modules))
assert not loaded, f"imported as well: {loaded}"
"""


def measure() -> list[Figure]:
    """Fresh interpreters in turns."""
    spent: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(RUNS):
        for name, program in PROGRAMS.items():
            timed = TIMED.format(program=program, heavy=HEAVY)
            spent[name].append(float(in_fresh_interpreter(timed)))
    in_fresh_interpreter(PAYING)
    took = {name: median(times) for name, times in spent.items()}
    return [
        Figure(
            "`import omniman_payment_core` against `import pluggy, importlib_metadata`",
            took["core"] / took["base"], "x", RATIO, more_is_better=False,
            note=f"{took['core']:.1f} ms against {took['base']:.1f} ms; nothing heavy comes with "
            "it, nor with a payment on the mock",
        ),
        Figure("import of all public names", took["names"], "ms"),
        Figure("import of the worker and the engine", took["engine"], "ms"),
    ]  # fmt: skip


def in_fresh_interpreter(program: str) -> str:
    """What a program prints; an error of its ends the benchmark."""
    here = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": here},
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout
