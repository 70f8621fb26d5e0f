"""Sets Django up once for every test below, and offers ``database`` to those that want one."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django_settings")
django.setup()

from tests.databases import (  # noqa: E402
    database,
    postgresql,
    postgresql_database,
    sqlite_database,
    sqlite_template,
)

__all__ = [
    "database",
    "postgresql",
    "postgresql_database",
    "sqlite_database",
    "sqlite_template",
]
