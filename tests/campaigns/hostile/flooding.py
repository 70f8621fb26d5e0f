"""Thousands of hostile requests through the real view, and what must hold of every answer."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from .mutating import mutation_of
from .senders import NOW, Delivery, Sender, encoded
from .storefront import INBOX, Storefront, rows
from .wild import forged, wild_body

TYPES = ("application/json",) * 12 + ("", "text/plain", "application/json; charset=utf-16", "é/ü")
METHODS = ("POST",) * 20 + ("GET", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW")
SUFFIXES = ("/",) * 10 + ("", "/pix", "/pix/..", "/%00", "/%ff", "//", "/x" * 300)


class Promise(AssertionError):
    """An answer that must not be given."""


@dataclass(slots=True)
class Flood:
    """One seeded stream of requests."""

    shop: Storefront
    rng: random.Random
    answers: Counter[str] = field(default_factory=Counter)

    def strangers(self, count: int) -> None:
        """Requests of those who know no secret: refused, and not one row changes."""
        before = rows()
        for _ in range(count):
            sender = self.rng.choice(self.shop.senders)
            delivery = self._strange(sender)
            answer = self._send(sender, delivery)
            if answer < 400:
                raise Promise(f"{sender.name}: {delivery} was answered with {answer}")
        if rows() != before:
            raise Promise("a request without a proof has changed a row")

    def gone_mad(self, count: int) -> None:
        """Wild contents with a genuine proof: an answer, and only the inbox may grow."""
        before = rows(without=INBOX)
        for _ in range(count):
            sender = self.rng.choice(self.shop.senders)
            delivery = sender.honest(wild_body(sender, self.rng))
            answer = self._send(sender, delivery, wild_request=False)
            if answer not in (200, 400, 413):
                raise Promise(f"{sender.name}: {delivery} was answered with {answer}")
        if rows(without=INBOX) != before:
            raise Promise("a notification has changed more than the inbox and the wake-ups")

    def _strange(self, sender: Sender) -> Delivery:
        honest = sender.honest(encoded(sender.example()))
        for _ in range(100):
            match self.rng.randrange(4):
                case 0:
                    return forged(sender, wild_body(sender, self.rng), self.rng, NOW)
                case 1:
                    return Delivery({}, wild_body(sender, self.rng))
                case 2:
                    other = self.rng.choice(self.shop.senders)
                    if other is not sender:
                        return Delivery(
                            {":peer": "203.0.113.9", **_without_peer(other)}, honest.body
                        )
                case _:
                    changed = mutation_of(honest, sender, self.rng)
                    if not sender.may_be_believed(honest, changed):
                        return changed
        raise AssertionError("no forgery was found")

    def _send(self, sender: Sender, delivery: Delivery, *, wild_request: bool = True) -> int:
        more = {}
        if wild_request:
            more = {
                "content_type": self.rng.choice(TYPES),
                "method": self.rng.choice(METHODS),
                "path": f"/payments/webhooks/{sender.name}{self.rng.choice(SUFFIXES)}",
            }
        answer = self.shop.post(sender, delivery, **more)
        status: int = answer.status_code
        self.answers[f"{sender.name}: {status}"] += 1
        if status >= 500:
            raise Promise(f"{sender.name}: {delivery} {more} was answered with {status}")
        if status >= 400 and status != 404 and answer.content:
            raise Promise(f"a refusal says {answer.content!r}")
        return status


def _without_peer(sender: Sender) -> dict[str, str]:
    headers = sender.honest(b"{}").headers
    return {name: value for name, value in headers.items() if name != ":peer"}
