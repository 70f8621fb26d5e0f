"""``python -m examples.demo [--orders FILE]``: real orders, the real engine, three gateways."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.stripe import StripeSimulator

from .orders_file import WrongLine, read_sales
from .settings import CHANNELS, EFI, GATEWAY, STRIPE, configure

OURS = Path(__file__).with_name("orders.jsonl")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; 0 when the two books agree, 1 when they differ, 2 when nothing could run."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument(
        "--orders", type=Path, default=OURS, help="sessions as JSON Lines (default: ours)"
    )
    path = parser.parse_args(arguments).orders
    if not path.is_file():
        print(f"{path}: there is no such file", file=sys.stderr)
        return 2
    with (
        tempfile.TemporaryDirectory(prefix="omniman-demo-") as folder,
        StripeSimulator() as stripe,
        PixSimulator() as pix,
    ):
        configure(Path(folder), stripe, pix)
        return _run(path, stripe, pix)


def _run(path: Path, stripe: StripeSimulator, pix: PixSimulator) -> int:
    # Django's models can only be imported once its settings are there.
    from django.core.management import call_command
    from django.db import connections

    from omniman_payment_django.sessions import CommitError
    from omniman_payment_mock import named_gateway

    from .far_sides import FarSide, MockSide, PixSide, StripeSide
    from .report import compare, notes, orders_table
    from .server import serving
    from .shop import Sold, commit, deliver, open_shop, trade

    open_shop()
    mock = MockSide(named_gateway(GATEWAY), deliver)
    cards = StripeSide(stripe.control, STRIPE)
    codes = PixSide(pix.control, EFI)
    sides: dict[str, FarSide] = {"card": mock, "qr": mock, STRIPE: cards, EFI: codes}
    sold: list[Sold] = []

    def report(number: int, error: Exception) -> None:
        print(f"{path.name}, line {number}: {error}", file=sys.stderr)

    for sale in read_sales(path, tuple(CHANNELS)):
        try:
            if isinstance(sale, WrongLine):
                raise CommitError(sale.reason)
            sold.append(commit(sale))
        except CommitError as error:
            report(sale.number, error)
    with serving() as shop:
        stripe.control.add_webhook_endpoint(
            f"{shop}/payments/webhooks/{STRIPE}/", stripe.webhook_secret
        )
        call_command("payments", "webhook", "register", EFI, shop, stdout=StringIO())
        trade(sold, (mock, cards, codes), report)
    if sold:
        print(orders_table(sold))
        for line in notes(sold):
            print(line)
    books, differences = compare(sold, sides)
    print(f"\n{books}")
    connections.close_all()
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
