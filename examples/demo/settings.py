"""The demo's whole project: one app, one SQLite file, accounts on the mock, Stripe and Efi."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings

from omniman_payment_django.sqlite import OPTIONS
from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.stripe import StripeSimulator

CURRENCY = "BRL"
GATEWAY = "demo"
STRIPE = "stripe"
EFI = "efi"

CHANNELS: dict[str, dict[str, Any]] = {
    "ecommerce": {
        "payment_backend": "card",
        "payment_flow": "authorize_capture",
        "order_flow": {
            "auto_transitions": {
                "on_payment_confirm": "confirmed",
                "on_payment_failed": "cancelled",
                "on_payment_refund": "returned",
            },
            "transitions": {
                "new": ["confirmed", "cancelled"],
                "confirmed": ["completed", "returned", "cancelled"],
            },
        },
    },
    "pos": {
        "payment_backend": "card",
        "payment_flow": "charge",
        "order_flow": {"auto_transitions": {"on_payment_confirm": "completed"}},
    },
    "pix-like": {
        "payment_backend": "qr",
        "payment_flow": "charge",
        "order_flow": {"auto_transitions": {"on_payment_confirm": "confirmed"}},
    },
    "stripe": {
        "payment_backend": STRIPE,
        "payment_flow": "authorize_capture",
        "order_flow": {
            "auto_transitions": {
                "on_payment_confirm": "confirmed",
                "on_payment_failed": "cancelled",
            },
            "transitions": {"new": ["confirmed", "cancelled"]},
        },
    },
    "stripe-charge": {
        "payment_backend": STRIPE,
        "payment_flow": "charge",
        "order_flow": {"auto_transitions": {"on_payment_confirm": "completed"}},
    },
    "pix": {
        "payment_backend": EFI,
        "payment_flow": "charge",
        "late_money": "refund",
        "order_flow": {
            "auto_transitions": {"on_payment_confirm": "confirmed"},
            "transitions": {"new": ["confirmed", "cancelled"], "confirmed": ["cancelled"]},
        },
    },
    "pix-hold": {
        "payment_backend": EFI,
        "payment_flow": "authorize_capture",
        "order_flow": {"auto_transitions": {"on_payment_confirm": "confirmed"}},
    },
}
"""Hold and capture later; the money at once; a QR code that is paid in a while; Stripe's cards,
held first or charged at once; and Pix, where a hold is a charge that waits for its payer."""


def configure(folder: Path, stripe: StripeSimulator, pix: PixSimulator) -> None:
    """Set Django up in this process; everything it stores goes to ``folder``."""
    import django

    settings.configure(
        SECRET_KEY="only for the demo",
        ALLOWED_HOSTS=["testserver", "127.0.0.1"],
        INSTALLED_APPS=["omniman_payment_django"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "shop.sqlite3"),
                "OPTIONS": dict(OPTIONS),
            }
        },
        ROOT_URLCONF="examples.demo.urls",
        USE_TZ=True,
        OMNIMAN={
            "PAYMENT_BACKENDS": {
                "card": {"plugin": "mock", "config": {"gateway": GATEWAY}},
                "qr": {"plugin": "mock", "config": {"gateway": GATEWAY, "script": {"qr": True}}},
                STRIPE: {
                    "plugin": "stripe",
                    "config": {
                        "api_key": stripe.api_key,
                        "publishable_key": stripe.publishable_key,
                        "webhook_secret": stripe.webhook_secret,
                        # The one line that a shop leaves out.
                        "base_url": stripe.url,
                    },
                },
                EFI: {
                    "plugin": "efi",
                    "config": {
                        "client_id": pix.client_id,
                        "client_secret": pix.client_secret,
                        "certificate": str(pix.certificate),
                        "sandbox": True,
                        "pix_key": pix.pix_key,
                        "webhook_mode": "hmac",
                        "webhook_secret": secrets.token_urlsafe(32),
                        # The three lines that a shop leaves out.
                        "webhook_sources": ["127.0.0.1"],
                        "base_url": pix.url,
                        "ca_certificate": str(pix.ca_certificate),
                    },
                },
            },
            "DEFAULT_PAYMENT_BACKEND": "card",
        },
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"file": {"class": "logging.FileHandler", "filename": folder / "log"}},
            "loggers": {
                "omniman_payment": {"handlers": ["file"], "level": "INFO", "propagate": False}
            },
        },
    )
    django.setup()
