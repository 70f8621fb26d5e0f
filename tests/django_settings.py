"""Settings of a small project on which the Django host is tested.

``OMNIMAN_TEST_POSTGRES`` is the URI of a PostgreSQL server; without it there is only SQLite.
The fixtures of ``tests/django`` add the databases that a test works on.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import gettempdir

from omniman_payment_django import sqlite

SECRET_KEY = "only for tests"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "omniman_payment_django.urls"
ALLOWED_HOSTS = ["testserver", "localhost"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "omniman_payment_django",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get(
            "OMNIMAN_TEST_SQLITE", str(Path(gettempdir()) / "omniman-payment-test.sqlite3")
        ),
        "OPTIONS": dict(sqlite.OPTIONS),
    },
}

OMNIMAN = {
    "PAYMENT_BACKENDS": {"mock": {"plugin": "mock", "config": {}}},
    "DEFAULT_PAYMENT_BACKEND": "mock",
}
