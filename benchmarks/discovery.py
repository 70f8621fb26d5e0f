"""What finding plugins and telling them costs: ``python -m benchmarks discovery``.

Lists the backends among 300 made-up distributions in fresh processes, first time and again,
and times the hot calls: a hook with no plugin and with one, scrubbing, finding an account.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import timeit
from datetime import UTC, datetime
from pathlib import Path

from .figures import Figure

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTIONS = 300
FIRST_BUDGET_MS, AGAIN_BUDGET_MS = 20.0, 0.05

FRESH = """
import sys, time
sys.path[:0] = [{root!r}, {site!r}]
from omniman_payment_core.plugins import Discovery
discovery = Discovery()
start = time.perf_counter()
found = discovery.backends()
first = time.perf_counter() - start
start = time.perf_counter()
for _ in range(1000):
    discovery.backends()
again = (time.perf_counter() - start) / 1000
assert any(entry.name == "acme" for entry in found)
assert "acme_plugin" not in sys.modules
print(first * 1e3, again * 1e3)
"""


def write_distributions(site: Path) -> None:
    """Ordinary distributions with an entry point each, and one backend among them."""
    for number in range(DISTRIBUTIONS - 1):
        write(site, f"made-up-{number}", f"[console_scripts]\ntool{number} = tool{number}:main\n")
    write(site, "acme-pay", "[omniman_payment.backends]\nacme = acme_plugin\n")


def write(site: Path, name: str, entry_points: str) -> None:
    """One distribution's metadata."""
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    text = "A line of a description.\n" * 100
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\n{text}")
    (info / "entry_points.txt").write_text(entry_points)
    (info / "RECORD").write_text("")


def listing(rounds: int = 7) -> tuple[list[float], list[float]]:
    """Milliseconds of the first and of later listings, each round in a fresh process."""
    first, again = [], []
    with tempfile.TemporaryDirectory() as folder:
        write_distributions(Path(folder))
        program = FRESH.format(root=str(ROOT), site=folder)
        for _ in range(rounds):
            done = subprocess.run(
                [sys.executable, "-c", program], check=True, capture_output=True, text=True
            )
            one, other = done.stdout.split()
            first.append(float(one))
            again.append(float(other))
    return first, again


def hot_calls() -> dict[str, float]:
    """Microseconds of what runs for every directive."""
    sys.path.insert(0, str(ROOT))
    from omniman_payment_core.hookspecs import hookimpl
    from omniman_payment_core.notices import DirectiveNotice, GatewayCall
    from omniman_payment_core.plugins import PaymentHooks, PaymentRegistry
    from omniman_payment_core.records import ChannelView
    from omniman_payment_core.secrets import Scrubber

    class Plugin:
        @hookimpl
        def directive_settled(self, directive: object) -> None:
            pass

        @hookimpl(wrapper=True)
        def around_gateway_call(self, call: object):  # type: ignore[no-untyped-def]
            return (yield)

    notice = DirectiveNotice(1, "payment.hold", "ORD-1", "p", 1, "", "", datetime.now(UTC))
    call = GatewayCall("mock", "mock", "capture", "ORD-1", "p", "k", 1000, "BRL", 1)
    none, one = PaymentHooks(), PaymentHooks()
    one.register(Plugin(), "plugin")
    registry = PaymentRegistry({"DEFAULT_PAYMENT_BACKEND": "shop"}, hooks=none)
    registry.use("shop", object())
    channel = ChannelView("web", {"payment_backend": "shop"})
    scrubber = Scrubber(
        ["sk_test_51H8abcdEFGH1234567890", "whsec_abcdefghijklmnopqrstuvwxyz", "another-secret-key"]
    )
    text = "gateway answered: card_declined for order ORD-2026-000123 (try later)"
    calls = {
        "notify, no plugin": lambda: none.directive_settled(notice),
        "notify, one plugin": lambda: one.directive_settled(notice),
        "around a call, no plugin": lambda: none.around_gateway_call(call, int),
        "around a call, one wrapper": lambda: one.around_gateway_call(call, int),
        "account of a channel": lambda: registry.account_for(channel),
        "scrub a clean text": lambda: scrubber.text(text),
    }
    return {
        name: min(timeit.repeat(run, number=50_000, repeat=5)) / 50_000 * 1e6
        for name, run in calls.items()
    }


def measure() -> list[Figure]:
    """Listing in fresh processes; the hot calls only inform."""
    first, again = listing()
    figures = [
        Figure(
            f"listing backends with {DISTRIBUTIONS} distributions installed, the first time",
            statistics.median(first), "ms", FIRST_BUDGET_MS, more_is_better=False,
        ),
        Figure(
            "listing them again",
            statistics.median(again), "ms", AGAIN_BUDGET_MS, more_is_better=False,
        ),
    ]  # fmt: skip
    return figures + [Figure(name, cost, "µs") for name, cost in hot_calls().items()]
