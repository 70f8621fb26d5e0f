"""``python -m tests.campaigns.drift --payments 100000``: let books drift, and reconcile them."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

AT_ONCE = 1000


@contextmanager
def _django_on_a_file_of_its_own() -> Iterator[None]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["OMNIMAN_TEST_SQLITE"] = str(Path(folder) / "drift.sqlite3")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django_settings")
        django.setup()
        from django.core.management import call_command
        from django.db import connections

        try:
            call_command("migrate", verbosity=0, skip_checks=True)
            yield
        finally:
            connections.close_all()


def main() -> int:
    """Drift; 1 when something was not found, found without reason, or not healed."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.drift", description=__doc__)
    parser.add_argument("--payments", type=int, default=10_000, help="so many, and as many sound")
    parser.add_argument("--seed", type=int, default=0, help="of the first thousand")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with _django_on_a_file_of_its_own():
        return _drift(asked.payments, asked.seed)


def _drift(payments: int, seed: int) -> int:
    from .books import drift

    began, kinds, wrong = time.monotonic(), Counter[str](), 0
    for turn, start in enumerate(range(0, payments, AT_ONCE)):
        told = drift(min(AT_ONCE, payments - start), seed + turn, lists=turn % 2 == 0)
        kinds += Counter(told.kinds)
        for each in told.wrong:
            wrong += 1
            print(f"seed {seed + turn}: {each}", file=sys.stderr)
    for name, count in sorted(kinds.items()):
        print(f"{count:10}  {name}")
    print(f"{wrong:10}  wrong")
    print(f"{time.monotonic() - began:10.0f}  seconds")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
