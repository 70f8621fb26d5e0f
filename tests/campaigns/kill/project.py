"""The Django project whose workers are killed: one account at the simulator, and its channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .gateway import Gateway
from .witness import Witness

ACCOUNT = "stripe"
CURRENCY = "BRL"

_ORDER_FLOW = {
    "auto_transitions": {"on_payment_confirm": "confirmed", "on_payment_failed": "cancelled"},
    "transitions": {"new": ["confirmed", "cancelled"], "confirmed": ["cancelled"]},
}
CHANNELS = {
    flow: {
        "payment_backend": ACCOUNT,
        "payment_flow": flow,
        "currency": CURRENCY,
        # An order that was cancelled keeps no money, and nobody has to see to it.
        "late_money": "refund",
        "order_flow": _ORDER_FLOW,
    }
    for flow in ("authorize_capture", "charge")
}


def configure(database: dict[str, Any], gateway: Gateway, told: Path) -> None:
    """Set Django up in this process; what observers are told is written to a file."""
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="only for tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=["omniman_payment_django"],
        DATABASES={"default": database},
        ROOT_URLCONF="tests.campaigns.kill.urls",
        USE_TZ=True,
        OMNIMAN={
            "PAYMENT_BACKENDS": {
                ACCOUNT: {
                    "plugin": "stripe",
                    "config": {
                        "api_key": gateway.api_key,
                        "publishable_key": gateway.publishable_key,
                        "webhook_secret": gateway.webhook_secret,
                        "base_url": gateway.url,
                        "timeout_seconds": 5,
                    },
                }
            },
            "DEFAULT_PAYMENT_BACKEND": ACCOUNT,
        },
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"stderr": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["stderr"], "level": "ERROR"},
        },
    )
    django.setup()
    from omniman_payment_django.runtime import get_registry

    get_registry().account(ACCOUNT)
    get_registry().hooks.register(Witness(told), "witness")


def open_shop() -> None:
    """Make the tables and the channels."""
    from django.core.management import call_command

    from omniman_payment_django.models import Channel

    call_command("migrate", verbosity=0, skip_checks=True)
    for code, config in CHANNELS.items():
        Channel.objects.create(code=code, config=config)
