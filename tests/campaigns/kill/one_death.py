"""Kills one worker between the gateway's effect and its answer, and lets another one finish."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from .children import ask, fork, freeze
from .databases import SqliteFile
from .gateway import gateway
from .project import configure, open_shop
from .shop import ref_of, sell
from .working import work

CHARGED = 4
"""The number of an order whose story is one charge."""


def main() -> int:
    """Tell what was moved for the order, and how often its directive was begun in vain."""
    with tempfile.TemporaryDirectory(prefix="omniman-kill-") as name, gateway() as stripe:
        folder = Path(name)
        log = folder / "log"
        configure(SqliteFile(folder).settings, stripe, folder / "told")
        ask(open_shop, log)
        ask(lambda: sell(CHARGED), log)
        freeze()
        stripe.control.fault(
            kind="delay",
            when="after",
            seconds=30,
            method="POST",
            path="/v1/payment_intents/*/confirm",
        )
        first = fork(work, log)
        _until(lambda: stripe.control.moved(ref_of(CHARGED)) > 0)
        first.kill()
        second = fork(work, log)
        _until(lambda: ask(_is_settled, log))
        second.kill()
        moved, attempts = stripe.control.moved(ref_of(CHARGED)), ask(_attempts, log)
        sys.stdout.write(f"moved {moved} attempts {attempts}\n")
    return 0


def _is_settled() -> bool:
    from omniman_payment_django.models import Directive

    return not Directive.objects.exclude(status="completed").exists()


def _attempts() -> int:
    from omniman_payment_django.models import Directive

    return int(Directive.objects.get().attempts)


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("it does not come about")
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
