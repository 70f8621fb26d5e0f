"""``python -m omniman_payment_simulators GATEWAY``: a gateway until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from .common.running import until_interrupted
from .pix import certificates
from .pix.simulator import CLIENT_ID, CLIENT_SECRET, PIX_KEY, Institution
from .stripe.simulator import API_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET, make_app


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m omniman_payment_simulators")
    gateways = parser.add_subparsers(dest="gateway", required=True, metavar="GATEWAY")
    _add_stripe(gateways)
    _add_pix(gateways)
    chosen = parser.parse_args()
    # A process that is told to end closes its connections, as one that is interrupted does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return int(chosen.run(chosen))


def _add_stripe(gateways: Any) -> None:
    stripe = gateways.add_parser(
        "stripe", help="cards: PaymentIntents, refunds, disputes, webhooks"
    )
    stripe.add_argument("--port", type=int, default=12111, help="0 for a free one")
    stripe.add_argument("--api-key", default=API_KEY)
    stripe.add_argument("--publishable-key", default=PUBLISHABLE_KEY)
    stripe.add_argument("--webhook-url", default="", help="where events are sent")
    stripe.add_argument("--webhook-secret", default=WEBHOOK_SECRET)
    stripe.set_defaults(run=_run_stripe)


def _run_stripe(chosen: argparse.Namespace) -> int:
    app = make_app(
        chosen.api_key, chosen.publishable_key, chosen.webhook_secret, chosen.webhook_url
    )
    return _serve(
        app,
        chosen.port,
        lambda url: print(f"stripe simulator on {url}", flush=True),
        f"port {chosen.port}",
    )


def _add_pix(gateways: Any) -> None:
    pix = gateways.add_parser("pix", help="Pix as at Efi: charges, refunds, webhooks, mutual TLS")
    pix.add_argument("--port", type=int, default=12112, help="of the API; 0 for a free one")
    pix.add_argument("--control-port", type=int, default=12113, help="of the control API")
    pix.add_argument("--certificates", type=Path, help="folder to write them to; kept at the end")
    pix.add_argument("--client-id", default=CLIENT_ID)
    pix.add_argument("--client-secret", default=CLIENT_SECRET)
    pix.add_argument("--pix-key", default=PIX_KEY)
    pix.add_argument("--shops-ca", help="file that vouches for https addresses to be notified")
    pix.add_argument("--auto-pay", action="store_true", help="pay charges of up to R$ 10,00")
    pix.set_defaults(run=_run_pix)


def _run_pix(chosen: argparse.Namespace) -> int:
    if chosen.certificates is not None:
        return _run_pix_in(chosen.certificates, chosen)
    with tempfile.TemporaryDirectory(prefix="pix-simulator-") as folder:
        return _run_pix_in(Path(folder), chosen)


def _run_pix_in(folder: Path, chosen: argparse.Namespace) -> int:
    try:
        institution = Institution(
            certificates.make(folder),
            chosen.client_id,
            chosen.client_secret,
            chosen.pix_key,
            port=chosen.port,
            shops_ca=chosen.shops_ca,
            auto_pay=chosen.auto_pay,
        )
    except OSError as error:
        print(f"cannot use these certificates: {error}", file=sys.stderr)
        return 1

    def announce(control_url: str) -> None:
        print(f"pix simulator on {institution.url}")
        print(f"control on {control_url}")
        print(f"certificates in {folder}", flush=True)

    ports = f"port {chosen.port} or port {chosen.control_port}"
    return _serve(institution.make_control_app(), chosen.control_port, announce, ports)


def _serve(app: web.Application, port: int, announce: Callable[[str], None], ports: str) -> int:
    try:
        asyncio.run(until_interrupted(app, port, announce))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        print(f"cannot listen on {ports}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
