"""``python -m tests.security --samples N``: whether the time a refusal takes tells a signature.

Welch's t-test between signatures that are wrong at the first and at the last place. Beyond 4.5
the two are told apart; a busy machine makes the answer uncertain, so this is no test of its own.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import time
from collections.abc import Sequence

from omniman_payment_core.errors import WebhookVerificationError
from tests.campaigns.hostile.senders import Delivery, Sender, all_senders, encoded, parse

THRESHOLD = 4.5
ROUNDS = 5
SLOWEST = 0.95
"""What is slower than this share of all was interrupted by something else."""


def near_misses(sender: Sender) -> tuple[Delivery, Delivery]:
    """The same proof, wrong at the first place and wrong at the last."""
    honest = sender.honest(encoded(sender.example()))
    proof = honest.headers[sender.proof]
    begins = max(proof.find("v1=") + 3, proof.find("v1,") + 3, proof.find("hmac=") + 5, 0)
    ends = proof.find("&") if "&" in proof else len(proof.rstrip("="))
    return tuple(  # type: ignore[return-value]
        honest.with_header(sender.proof, proof[:at] + _other(proof[at]) + proof[at + 1 :])
        for at in (begins if sender.signs_the_body else proof.find("=") + 1, ends - 1)
    )


def _other(character: str) -> str:
    return "0" if character != "0" else "1"


def measure(sender: Sender, samples: int, rng: random.Random) -> list[list[float]]:
    """Seconds for each of the two, in a mixed order."""
    wrong = near_misses(sender)
    taken: list[list[float]] = [[], []]
    for _ in range(samples):
        which = rng.randrange(2)
        # Texts made anew for each: where one happens to lie in memory can be measured as well.
        headers = {name: value[:1] + value[1:] for name, value in wrong[which].headers.items()}
        delivery = Delivery(headers, bytes(bytearray(wrong[which].body)))
        began = time.perf_counter_ns()
        try:
            parse(sender, delivery)
        except WebhookVerificationError:
            taken[which].append(time.perf_counter_ns() - began)
        else:
            raise AssertionError("a wrong signature was believed")
    return taken


def welch(one: Sequence[float], other: Sequence[float]) -> float:
    """The distance of two means in units of their uncertainty."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return float((statistics.fmean(one) - statistics.fmean(other)) / spread**0.5)


def _distance(taken: list[list[float]]) -> float:
    both = sorted(taken[0] + taken[1])
    cut = both[int(len(both) * SLOWEST)]
    return welch(*([each for each in one if each < cut] for one in taken))


def main() -> int:
    """Measure every way to prove a notification; 1 when one can be told apart."""
    parser = argparse.ArgumentParser(prog="python -m tests.security", description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    asked = parser.parse_args()
    rng, worst = random.Random(1), 0.0
    gc.disable()
    for sender in all_senders():
        found = [_distance(measure(sender, asked.samples, rng)) for _ in range(ROUNDS)]
        # A machine that is busy for a moment tells nothing about a comparison.
        usual = statistics.median(found)
        worst = max(worst, abs(usual))
        print(f"{sender.name:10} t = {usual:6.2f}  ({', '.join(f'{t:.2f}' for t in found)})")
    return int(worst > THRESHOLD)


if __name__ == "__main__":
    sys.exit(main())
