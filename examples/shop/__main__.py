"""``python -m examples.shop [--port N] [--data FOLDER]``: a shop on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from omniman_payment_django.management.stopping import stop_on_signals
from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.stripe import StripeSimulator

from .catalogue import MOCK, PIX, STRIPE
from .settings import configure

USUAL_PORT = 8000


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the shop until it is told to end; 2 when it cannot begin, 1 when it broke."""
    parser = argparse.ArgumentParser(prog="python -m examples.shop", description=__doc__)
    parser.add_argument(
        "--port",
        type=int,
        help=f"where to listen; 0 for a free port (default: {USUAL_PORT}, or a free one)",
    )
    parser.add_argument(
        "--data", type=Path, help="folder to keep the database in (default: forget everything)"
    )
    asked = parser.parse_args(arguments)
    if asked.port is not None and not 0 <= asked.port <= 65535:
        parser.error("argument --port: a number from 0 to 65535 is expected")
    stop = threading.Event()
    with (
        stop_on_signals(stop),
        _folder(asked.data) as folder,
        StripeSimulator() as stripe,
        PixSimulator() as pix,
    ):
        configure(folder, stripe, pix)
        return _run(asked.port, stripe, pix, stop)


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="omniman-shop-") as folder:
        yield Path(folder)


def _run(
    port: int | None, stripe: StripeSimulator, pix: PixSimulator, stop: threading.Event
) -> int:
    # Django's models can only be imported once its settings are there.
    from django.db import connections

    from omniman_payment_django.runtime import get_registry

    from .far_sides.deeds import open_side
    from .far_sides.mock import MockSide
    from .far_sides.pix import PixSide
    from .far_sides.stripe import StripeSide
    from .opening import ADMIN, open_shop
    from .running import PortTakenError, address_of, bind, serving, working

    def webhooks(shop: str, account: str) -> str:
        return f"{shop}/payments/webhooks/{account}/"

    try:
        server = bind(USUAL_PORT if port is None else port, or_another=port is None)
    except PortTakenError as error:
        print(f"{error}; choose another one with PORT=", file=sys.stderr)
        return 2
    shop = address_of(server)
    password = open_shop()
    mock = get_registry().account(MOCK).backend.gateway
    open_side(MOCK, MockSide(mock, webhooks(shop, MOCK)))
    open_side(STRIPE, StripeSide(stripe.control))
    open_side(PIX, PixSide(pix.control))
    with serving(server), working(stop) as worker:
        stripe.control.add_webhook_endpoint(webhooks(shop, STRIPE), stripe.webhook_secret)
        get_registry().account(PIX).backend.register_webhook(webhooks(shop, PIX))
        print(f"shop    {shop}/")
        print(f"ledger  {shop}/ledger/")
        print(f"admin   {shop}/admin/  user {ADMIN}, password {password}")
        print("No real money moves here. Ctrl-C ends it.", flush=True)
        stop.wait()
        stripe.control.pause()
        pix.control.pause()
    get_registry().close()
    connections.close_all()
    return 1 if worker.failed else 0


if __name__ == "__main__":
    sys.exit(main())
