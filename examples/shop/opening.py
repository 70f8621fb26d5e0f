"""What has to be there before the shop opens: tables, channels, and somebody for the admin."""

from __future__ import annotations

import secrets

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import transaction

from omniman_payment_django.models import Channel

from .catalogue import CHANNELS

ADMIN = "admin"


def open_shop() -> str:
    """Make what is missing; the password that the admin's user has from now on."""
    call_command("migrate", verbosity=0)
    password = secrets.token_urlsafe(9)
    with transaction.atomic():
        for code, config in CHANNELS.items():
            Channel.objects.update_or_create(code=code, defaults={"config": dict(config)})
        user, _ = get_user_model().objects.get_or_create(
            username=ADMIN, defaults={"is_staff": True, "is_superuser": True}
        )
        user.set_password(password)
        user.save()
    return password
