"""``python -m omniman_payment_simulators stripe --port N``: a gateway until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from .common.running import until_interrupted
from .stripe.simulator import API_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET, make_app


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m omniman_payment_simulators")
    gateways = parser.add_subparsers(dest="gateway", required=True, metavar="GATEWAY")
    stripe = gateways.add_parser(
        "stripe", help="cards: PaymentIntents, refunds, disputes, webhooks"
    )
    stripe.add_argument("--port", type=int, default=12111, help="0 for a free one")
    stripe.add_argument("--api-key", default=API_KEY)
    stripe.add_argument("--publishable-key", default=PUBLISHABLE_KEY)
    stripe.add_argument("--webhook-url", default="", help="where events are sent")
    stripe.add_argument("--webhook-secret", default=WEBHOOK_SECRET)
    chosen = parser.parse_args()
    app = make_app(
        chosen.api_key, chosen.publishable_key, chosen.webhook_secret, chosen.webhook_url
    )
    # A process that is told to end closes its connections, as one that is interrupted does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        asyncio.run(until_interrupted(app, chosen.port, _announce))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        print(f"cannot listen on port {chosen.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _announce(url: str) -> None:
    print(f"stripe simulator on {url}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
