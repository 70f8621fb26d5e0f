"""The Django project that eight processes share: one account at a gateway kept in a file.

The file is the gateway's truth; each of its steps is one transaction over all processes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ACCOUNT = "bank"
LIMIT_Q = 500
"""In euros, a refund above this takes a second person; in reais none does."""

_FLOW = {
    "auto_transitions": {"on_payment_confirm": "confirmed"},
    "transitions": {"new": ["confirmed", "cancelled"], "confirmed": ["cancelled"]},
}
CHANNELS = {
    code: {
        "payment_backend": ACCOUNT,
        "payment_flow": flow,
        "currency": currency,
        # An order that was cancelled keeps no money, and nobody has to see to it.
        "late_money": "refund",
        "order_flow": _FLOW,
    }
    for code, flow, currency in (
        ("held", "authorize_capture", "BRL"),
        ("charged", "charge", "BRL"),
        ("approved", "charge", "EUR"),
    )
}


def configure(database: dict[str, Any], folder: Path, secret: str) -> None:
    """Set Django up in this process, before it is forked."""
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="only for tests",
        ALLOWED_HOSTS=["testserver"],
        INSTALLED_APPS=["omniman_payment_django"],
        DATABASES={"default": database},
        ROOT_URLCONF="omniman_payment_django.urls",
        USE_TZ=True,
        OMNIMAN={
            "PAYMENT_BACKENDS": {
                ACCOUNT: {
                    "plugin": "mock",
                    "config": {
                        "state_file": str(folder / "gateway.sqlite3"),
                        "webhook_secret": [secret],
                    },
                }
            },
            "DEFAULT_PAYMENT_BACKEND": ACCOUNT,
            "REFUND_APPROVAL_ABOVE_Q": {"EUR": LIMIT_Q},
        },
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"stderr": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["stderr"], "level": "ERROR"},
        },
    )
    django.setup()


def open_shop() -> None:
    """Make the tables and the channels."""
    from django.core.management import call_command

    from omniman_payment_django.models import Channel

    call_command("migrate", verbosity=0, skip_checks=True)
    for code, config in CHANNELS.items():
        Channel.objects.create(code=code, config=config)
