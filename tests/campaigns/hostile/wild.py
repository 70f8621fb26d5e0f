"""Notifications as no gateway would write them: wrong types, wild numbers and texts, any depth."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence

from .mutating import mutate
from .senders import Delivery, Sender

TEXTS = (
    '""',
    '"pi_1Campaign"',
    '"txn_campaign"',
    f'"{"a" * 32}"',
    '"../../v2/gn/saldo"',
    '"pi_1/../../v1/refunds?x=1#y"',
    '"%2e%2e%2f"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u202e\\u200b"',
    '"x\\r\\nX-Injected: 1"',
    '"\'; DROP TABLE x; --"',
    '"x\')) OR 1=1--"',
    '"4242 4242 4242 4242"',
    '"E٣' + "1" * 30 + '"',
    '"' + "x" * 300 + '"',
    '"' + "é" * 5000 + '"',
)
NUMBERS = (
    "0", "-0", "1", "-1", "1.5", "1e2", "1e400", "-1e400", "NaN", "Infinity", "-Infinity",
    "9" * 19, "9" * 400, "9" * 5000, "0.1e-999", str(1 << 36), str(1 << 63), str(1 << 64), "1_0",
)  # fmt: skip
MOMENTS = (
    '"2026-13-45T99:99:99Z"',
    '"0001-01-01T00:00:00+14:00"',
    '"9999-12-31T23:59:59-14:00"',
    '"9999-12-31T23:59:59.999999999Z"',
    '"2026-01-01T00:00:00+00:00:00.000001"',
    '"2026-W01-1"',
    '"20260101T000000"',
    '"2026-01-01\\ud80000:00"',
)
NAMES = (
    "id", "type", "data", "object", "payment_intent", "created", "livemode", "transaction_id",
    "pix", "endToEndId", "txid", "chave", "horario", "devolucoes", "status", "tipo", "valor",
    "__proto__", "", "\\u0000", "\\ud800",
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-32", "utf-8-sig", "latin-1", "utf-7", "cp037")


def wild_value(rng: random.Random, depth: int = 0) -> str:
    """JSON, or nearly."""
    match rng.randrange(9 if depth < 4 else 5):
        case 0:
            return rng.choice(TEXTS)
        case 1:
            return rng.choice(NUMBERS)
        case 2:
            return rng.choice(("null", "true", "false", "undefined", "{}", "[]", "[{}]"))
        case 3:
            return rng.choice(MOMENTS)
        case 4:
            deep = rng.choice((20, 33, 200, 5000))
            opening, closing = rng.choice((("[", "]"), ('{"data":', "}"), ('{"object":', "}")))
            return opening * deep + "1" + closing * deep
        case 5:
            return f"[{','.join(wild_value(rng, depth + 1) for _ in range(rng.randrange(5)))}]"
        case _:
            return wild_object(rng, {}, depth + 1)


def wild_object(rng: random.Random, known: dict[str, str], depth: int = 0) -> str:
    """The known fields, some of them wild, some twice, and others that nobody knows."""
    fields = [
        (name, value if rng.random() < 0.7 else wild_value(rng, depth))
        for name, value in known.items()
        if rng.random() < 0.95
    ]
    for _ in range(rng.randrange(4)):
        fields.append((rng.choice(NAMES), wild_value(rng, depth)))
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields) + "}"


def wild_body(sender: Sender, rng: random.Random) -> bytes:
    """What a gateway gone mad would send; at most 64 KiB of it."""
    example = sender.example()
    if "pix" in example and rng.random() < 0.8:
        listed = [
            wild_object(rng, {name: json.dumps(value) for name, value in entry.items()})
            for entry in rng.choices(example["pix"], k=rng.choice((0, 1, 1, 2, 40)))
        ]
        text = f'{{"pix":[{",".join(listed)}]}}'
    else:
        text = wild_object(rng, {name: json.dumps(value) for name, value in example.items()})
    text = rng.choice((text,) * 8 + (f"[{text}]", text + text, text[: len(text) // 2], ""))
    if rng.random() < 0.1:
        return text.encode(rng.choice(ENCODINGS), "replace")[: 64 * 1024]
    body = text.encode("utf-8", "surrogatepass")[: 64 * 1024]
    return mutate(body, rng) if rng.random() < 0.2 else body


def _stale(sender: Sender, body: bytes, at: int) -> Delivery:
    return sender.honest(body, at=at - 301)


def _future(sender: Sender, body: bytes, at: int) -> Delivery:
    return sender.honest(body, at=at + 301)


def _ages_ago(sender: Sender, body: bytes, at: int) -> Delivery:
    return sender.honest(body, at=0)


def _without(sender: Sender, body: bytes, at: int) -> Delivery:
    return sender.honest(body, at=at).with_header(sender.proof, "")


def _truncated(sender: Sender, body: bytes, at: int) -> Delivery:
    return sender.honest(body + b" ", at=at).with_body(body)


def _huge_header(sender: Sender, body: bytes, at: int) -> Delivery:
    honest = sender.honest(body, at=at)
    return honest.with_header(sender.proof, "x=" + "y" * 9000 + "," + honest.headers[sender.proof])


def _not_ascii(sender: Sender, body: bytes, at: int) -> Delivery:
    honest = sender.honest(body, at=at)
    return honest.with_header(sender.proof, honest.headers[sender.proof].replace("=", "=é"))


_OF_A_SIGNATURE: Sequence[Callable[[Sender, bytes, int], Delivery]] = (
    _stale,
    _future,
    _ages_ago,
    _truncated,
    _huge_header,
    _not_ascii,
)


def forged(sender: Sender, body: bytes, rng: random.Random, at: int) -> Delivery:
    """A delivery that must not be believed, whatever its body is."""
    ways = (*_OF_A_SIGNATURE, _without) if sender.signs_the_body else (_without,)
    return rng.choice(ways)(sender, body, at)
