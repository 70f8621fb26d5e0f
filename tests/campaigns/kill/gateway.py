"""The Stripe simulator in a process of its own, and bad weather on the way to it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from omniman_payment_simulators.stripe import StripeControl
from omniman_payment_simulators.stripe.simulator import API_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET

from .children import die_with_parent


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where it listens, and its far side."""

    url: str
    control: StripeControl
    api_key: str = API_KEY
    publishable_key: str = PUBLISHABLE_KEY
    webhook_secret: str = WEBHOOK_SECRET


@contextmanager
def gateway() -> Iterator[Gateway]:
    """A simulator with empty books until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "omniman_payment_simulators", "stripe", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().rpartition(" ")[2].strip()
        if not url.startswith("http://"):
            raise RuntimeError("the simulator did not start")
        yield Gateway(url, StripeControl(url))
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


EVENTS = (
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "charge.refunded",
)
"""What the shop wants to be told of: one event for whatever happens."""


def notify(gateway: Gateway, url: str) -> None:
    """Have the events sent there from now on."""
    asked = {"url": url, "secret": gateway.webhook_secret, "events": EVENTS}
    request = urllib.request.Request(
        f"{gateway.url}/_simulator/webhook_endpoints",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


SLOW_SECONDS = 1.2
"""Longer than a worker of the campaign waits for an answer."""
_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "reset", "when": "before"},
    {"kind": "reset", "when": "after"},
    {"kind": "error", "when": "before", "status": 500},
    {"kind": "error", "when": "after", "status": 500},
    {"kind": "rate_limit", "retry_after": 1},
    {"kind": "delay", "when": "before", "seconds": SLOW_SECONDS},
    {"kind": "delay", "when": "after", "seconds": SLOW_SECONDS},
    {"kind": "delay", "when": "after", "seconds": 0.05, "times": 5},
)


_PLACES = (
    ("POST", "/v1/payment_intents"),
    ("POST", "/v1/payment_intents/*/confirm"),
    ("POST", "/v1/payment_intents/*/capture"),
    ("POST", "/v1/payment_intents/*/cancel"),
    ("POST", "/v1/refunds"),
    ("GET", "*"),
)
AT_ONCE = 3


def change_the_weather(control: StripeControl, rng: random.Random) -> None:
    """The next request at some of the places has no luck; faults that nobody met are forgotten."""
    control.clear_faults()
    for method, path in rng.sample(_PLACES, AT_ONCE):
        control.fault(**rng.choice(_FAULTS), method=method, path=path)
