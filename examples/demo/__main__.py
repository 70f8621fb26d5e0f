"""``python -m examples.demo [--orders FILE]``: real orders, the real engine, the mock gateway."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .orders_file import WrongLine, read_sales
from .settings import CHANNELS, GATEWAY, configure

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
    with tempfile.TemporaryDirectory(prefix="omniman-demo-") as folder:
        configure(Path(folder))
        return _run(path)


def _run(path: Path) -> int:
    # Django's models can only be imported once its settings are there.
    from django.db import connections

    from omniman_payment_django.sessions import CommitError
    from omniman_payment_mock import named_gateway

    from .report import compare, notes, orders_table
    from .shop import Sold, commit, open_shop, trade

    open_shop()
    gateway = named_gateway(GATEWAY)
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
    trade(sold, gateway, report)
    if sold:
        print(orders_table(sold))
        for line in notes(sold):
            print(line)
    books, differences = compare(sold, gateway)
    print(f"\n{books}")
    connections.close_all()
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
