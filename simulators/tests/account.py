"""A shop's view of the simulator: Stripe's own SDK, and requests written by hand."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from omniman_payment_simulators.stripe import StripeSimulator

PATIENCE_SECONDS = 15.0
NEVER_REDIRECT = {"enabled": True, "allow_redirects": "never"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over the wire."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> Any:
        return self.json["error"]


class Account:
    """One simulated account, asked by a client that repeats nothing on its own."""

    def __init__(self, simulator: StripeSimulator) -> None:
        self.simulator = simulator
        self.control = simulator.control
        self.sdk = stripe.StripeClient(
            simulator.api_key, base_addresses={"api": simulator.url}, max_network_retries=0
        )
        self.intents = self.sdk.v1.payment_intents
        self.refunds = self.sdk.v1.refunds

    # Paying

    def open(self, card: str = "", amount: int = 1000, **more: Any) -> stripe.PaymentIntent:
        """A PaymentIntent; confirmed at once if a card is named."""
        asked: dict[str, Any] = {
            "amount": amount,
            "currency": "brl",
            "automatic_payment_methods": NEVER_REDIRECT,
            "metadata": {"order_ref": "A-1"},
            **more,
        }
        if card:
            asked.update(payment_method=f"pm_card_{card}", confirm=True)
        return self.intents.create(asked)  # type: ignore[arg-type]

    def hold(self, card: str = "visa", amount: int = 1000, **more: Any) -> stripe.PaymentIntent:
        """A PaymentIntent whose money is held."""
        return self.open(card, amount, capture_method="manual", **more)

    def held_many_times(self, amount: int = 1000) -> stripe.PaymentIntent:
        """A hold that can be captured more than once."""
        options = {"card": {"request_multicapture": "if_available"}}
        return self.hold(amount=amount, payment_method_options=options)

    def kinds(self) -> list[str]:
        """The types of all events, oldest first."""
        return [event["type"] for event in self.control.events()]

    def movements(self) -> list[tuple[str, int]]:
        """The simulator's own books."""
        return [(m["kind"], m["amount"]) for m in self.control.ledger()["movements"]]

    # Over the wire

    def send(
        self,
        method: str,
        path: str,
        form: dict[str, Any] | str | None = None,
        *,
        key: str | None = None,
        secret: str | None = None,
        timeout: float = PATIENCE_SECONDS,
    ) -> Answer:
        """A request by hand; raises what the connection raises."""
        body = form if isinstance(form, str) else urlencode(form or {})
        headers = {
            "Authorization": f"Bearer {self.simulator.api_key if secret is None else secret}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if key is not None:
            headers["Idempotency-Key"] = key
        if method == "GET" and body:
            path, body = f"{path}?{body}", ""
        connection = http.client.HTTPConnection(
            str(urlsplit(self.simulator.url).netloc), timeout=timeout
        )
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
        finally:
            connection.close()

    def browser(self, method: str, path: str, form: dict[str, Any] | None = None) -> Answer:
        """The same with the publishable key."""
        return self.send(method, path, form, secret=self.simulator.publishable_key)


def refused(
    call: Callable[[], object], kind: type[stripe.StripeError] = stripe.InvalidRequestError
) -> Any:
    """The error that the SDK makes of an answer; with ``code``, ``param`` and ``error``."""
    with pytest.raises(kind) as caught:
        call()
    return caught.value


def until(done: Callable[[], Any], what: str) -> Any:
    """Ask again until it is so; the answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := done()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {PATIENCE_SECONDS:.0f} s")
        threading.Event().wait(0.01)
    return found


@dataclass(frozen=True, slots=True)
class Received:
    """A notification as it came."""

    at: float
    body: bytes
    signature: str

    @property
    def event(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """A shop's webhook endpoint; ``answers`` are given one after the other, then 200."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.answers: list[int] = []

    def kinds(self) -> list[str]:
        return [one.event["type"] for one in self.received]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Listen on a free port until the block ends."""
    mine = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signature = self.headers["Stripe-Signature"]
            mine.received.append(Received(time.monotonic(), body, signature))
            self.send_response(mine.answers.pop(0) if mine.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    mine.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield mine
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
