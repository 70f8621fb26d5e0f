"""Flips, inserts, deletes and repeats bytes of honest deliveries, and judges the outcome."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from omniman_payment_core.errors import WebhookError
from omniman_payment_django.webhooks.verifying import checked

from .senders import Delivery, Sender, encoded, parse

INTERESTING = (
    b"\x00",
    b"\xff",
    b"\r\n",
    b",",
    b"=",
    b".",
    b" ",
    b"t=",
    b"v1=",
    b"v0=",
    b"e9",
    b"&",
)


@dataclass(slots=True)
class Tally:
    """How many deliveries were judged, and what became of them."""

    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.verdicts.values())

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in sorted(self.verdicts.items()))


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Other bytes than these, near them."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        place = rng.randrange(len(changed) + 1)
        match rng.randrange(6):
            case 0 if place < len(changed):
                changed[place] ^= 1 << rng.randrange(8)
            case 1:
                changed.insert(place, rng.randrange(256))
            case 2:
                del changed[place : place + rng.choice((1, 1, 8))]
            case 3:
                changed[place:place] = rng.choice(INTERESTING)
            case 4:
                del changed[place:]
            case _:
                piece = changed[place : place + 16]
                changed[place:place] = piece * rng.choice((1, 2))
    return bytes(changed)


def mutation_of(original: Delivery, sender: Sender, rng: random.Random) -> Delivery:
    """The delivery with its body, its proof or another header tampered with."""
    if rng.random() < (0.5 if sender.signs_the_body else 0.15):
        return original.with_body(mutate(original.body, rng))
    name = sender.proof if rng.random() < 0.8 else rng.choice(list(original.headers))
    # As a server hands bytes of a header over: one character for each.
    value = mutate(original.headers[name].encode("latin-1"), rng).decode("latin-1")
    return original.with_header(name, value)


def judge(sender: Sender, original: Delivery, changed: Delivery, tally: Tally) -> None:
    """Fails when a tampered delivery is believed, or answered otherwise than with a refusal."""
    try:
        events = checked(parse(sender, changed))
    except WebhookError as refused:
        tally.verdicts[f"{sender.name}: {type(refused).__name__}"] += 1
        return
    except Exception as error:
        raise AssertionError(f"{sender.name}: {changed} made it raise {error!r}") from error
    tally.verdicts[f"{sender.name}: believed"] += 1
    if not sender.may_be_believed(original, changed):
        raise AssertionError(f"{sender.name}: {changed} was believed: {events}")


def mutate_and_judge(sender: Sender, count: int, seed: int) -> Tally:
    """Judge this many tampered deliveries."""
    rng, tally = random.Random(f"{sender.name}:{seed}"), Tally()
    original = sender.honest(encoded(sender.example()))
    assert parse(sender, original), "the untouched one is believed"
    for _ in range(count):
        judge(sender, original, mutation_of(original, sender, rng), tally)
    return tally
