"""The shop's whole project: the host's app, the admin, one SQLite file, accounts on simulators.

Written as a project would write it, but for the base addresses that lead to the simulators.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings

from omniman_payment_django.sqlite import OPTIONS
from omniman_payment_mock.webhooks import new_secret
from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.stripe import StripeSimulator

from .catalogue import MOCK, PIX, STRIPE

HERE = Path(__file__).parent
LOOPBACK = "127.0.0.1"
MOCK_BOOKS = "mock-gateway.sqlite3"


def configure(folder: Path, stripe: StripeSimulator, pix: PixSimulator) -> None:
    """Set Django up in this process; everything it stores goes to ``folder``."""
    import django

    settings.configure(
        # Of this run alone: addresses of pay pages and log-ins end with it.
        SECRET_KEY=secrets.token_urlsafe(48),
        DEBUG=False,
        ALLOWED_HOSTS=[LOOPBACK, "localhost"],
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "omniman_payment_django",
        ],
        MIDDLEWARE=[
            "examples.shop.headers.ProtectionMiddleware",
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        ROOT_URLCONF="examples.shop.urls",
        TEMPLATES=[_templates()],
        STATIC_URL="/static/",
        STATICFILES_DIRS=[HERE / "static"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "shop.sqlite3"),
                "OPTIONS": dict(OPTIONS),
            }
        },
        USE_TZ=True,
        TIME_ZONE="UTC",
        # Browsers send cookies to every port of a host, so another project's must not meet ours.
        CSRF_COOKIE_NAME="shop_csrf",
        CSRF_COOKIE_HTTPONLY=True,
        CSRF_FAILURE_VIEW="examples.shop.views.failures.forged",
        SESSION_COOKIE_NAME="shop_session",
        MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
        OMNIMAN={
            "PAYMENT_BACKENDS": _accounts(folder, stripe, pix),
            "DEFAULT_PAYMENT_BACKEND": MOCK,
            "PAY_PAGE": {
                "stripe_js": f"{stripe.url}/js/stripe.js",
                "sync_every_seconds": 2,
                "shop_url": "/",
            },
        },
        LOGGING=_logging(folder),
    )
    django.setup()


def _accounts(folder: Path, stripe: StripeSimulator, pix: PixSimulator) -> dict[str, Any]:
    return {
        MOCK: {
            "plugin": "mock",
            "config": {
                "state_file": str(folder / MOCK_BOOKS),
                "webhook_secret": [new_secret()],
            },
        },
        STRIPE: {
            "plugin": "stripe",
            "config": {
                "api_key": stripe.api_key,
                "publishable_key": stripe.publishable_key,
                "webhook_secret": stripe.webhook_secret,
                "base_url": stripe.url,
            },
        },
        PIX: {
            "plugin": "efi",
            "config": {
                "client_id": pix.client_id,
                "client_secret": pix.client_secret,
                "certificate": str(pix.certificate),
                "sandbox": True,
                "pix_key": pix.pix_key,
                "base_url": pix.url,
                "ca_certificate": str(pix.ca_certificate),
                # No proxy stands in front of this shop to ask for Efi's certificate.
                "webhook_mode": "hmac",
                "webhook_secret": secrets.token_urlsafe(24),
                "webhook_sources": [LOOPBACK],
            },
        },
    }


def _templates() -> dict[str, Any]:
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"shop": "examples.shop.tags"},
        },
    }


def _logging(folder: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {
            "file": {"class": "logging.FileHandler", "filename": folder / "log"},
            "console": {"class": "logging.StreamHandler", "level": "ERROR"},
        },
        "root": {"handlers": ["file", "console"], "level": "INFO"},
        "loggers": {
            # Django's own set-up prints requests to the console as well.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # A browser's fault, not the shop's: the log is enough.
            "django.security": {"handlers": ["file"], "level": "INFO", "propagate": False},
        },
    }
