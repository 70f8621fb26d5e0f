"""``python -m tests.django_web.elsewhere FILE``: live with a default database that is none.

Django raises where it is used, so whatever asks it for anything of the payments fails at once.
"""

from __future__ import annotations

import sys

import django
from django.conf import settings

from omniman_payment_django import sqlite

ALIAS = "payments"


def main(file: str) -> None:
    """Configure, migrate, live."""
    settings.configure(
        SECRET_KEY="only for tests",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        ROOT_URLCONF="tests.django_web.elsewhere.urls",
        ALLOWED_HOSTS=["testserver"],
        INSTALLED_APPS=["django.contrib.staticfiles", "omniman_payment_django"],
        STATIC_URL="static/",
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        DATABASES={
            "default": {},
            ALIAS: {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": file,
                "OPTIONS": dict(sqlite.OPTIONS),
            },
        },
        OMNIMAN={
            "DATABASE": ALIAS,
            "PAYMENT_BACKENDS": {"shop": {"plugin": "mock", "config": {}}},
            "REFUND_APPROVAL_ABOVE_Q": {"BRL": 500},
        },
    )
    django.setup()
    from django.core.management import call_command

    from .life import Life

    call_command("migrate", database=ALIAS, verbosity=0)
    call_command("check")
    life = Life(ALIAS)
    life.shop_sells()
    life.gateway_tells()
    life.somebody_decides()
    life.books_are_compared()
    life.payers_are_forgotten()
    print("lived")


if __name__ == "__main__":
    main(sys.argv[1])
