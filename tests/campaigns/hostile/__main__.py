"""``python -m tests.campaigns.hostile --seconds N --seed S``: attack for as long as is asked."""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

BATCH = 5_000
REQUESTS = 200


@contextmanager
def _django_on_a_file_of_its_own() -> Iterator[None]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["OMNIMAN_TEST_SQLITE"] = str(Path(folder) / "hostile.sqlite3")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django_settings")
        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0, skip_checks=True)
        try:
            yield
        finally:
            connections.close_all()


def _attack(seconds: float, seed: int) -> Counter[str]:
    from omniman_payment_django.models import WebhookDelivery
    from omniman_payment_django.webhooks import intake
    from omniman_payment_django.webhooks.allowance import Allowance

    from .flooding import Flood
    from .mutating import mutate_and_judge
    from .storefront import storefront

    # Hours of contents that concern nobody are the point here.
    intake.allowance = Allowance(burst=10**12)
    verdicts: Counter[str] = Counter()
    ends_at = time.monotonic() + seconds
    with storefront() as shop:
        flood = Flood(shop, random.Random(seed))
        turn = 0
        while time.monotonic() < ends_at:
            for sender in shop.senders:
                verdicts += mutate_and_judge(sender, BATCH, seed=seed + turn).verdicts
            flood.strangers(REQUESTS)
            flood.gone_mad(REQUESTS // 10)
            # What was believed is of no more use, and comparing all of it takes ever longer.
            WebhookDelivery.objects.all().delete()
            turn += 1
        print(f"99 of 100 refusals within {shop.slowest() * 1000:.2f} ms of CPU")
    print(f"{verdicts.total()} tampered notifications, {flood.answers.total()} requests")
    return verdicts + flood.answers


def main() -> int:
    """Attack; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long")
    parser.add_argument("--seed", type=int, default=0, help="the same seed attacks the same way")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with _django_on_a_file_of_its_own():
        try:
            verdicts = _attack(asked.seconds, asked.seed)
        except AssertionError as broken:
            print(f"seed {asked.seed}: {broken}", file=sys.stderr)
            return 1
    for name, count in sorted(verdicts.items()):
        print(f"{count:10}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
