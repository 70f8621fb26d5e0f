"""System checks of a deployment: live keys where errors are shown, and what is left open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.plugins import Account

from .checks import TAG
from .reporting import PaymentExceptionReporter
from .runtime import get_registry

REPORTER = f"{PaymentExceptionReporter.__module__}.{PaymentExceptionReporter.__qualname__}"


@checks.register(TAG)
def check_debug(**_: Any) -> list[checks.CheckMessage]:
    """Whoever causes an error would see variables and settings of a shop that takes real money."""
    if not settings.DEBUG:
        return []
    return [
        checks.Error(
            f'Account "{account.name}" takes real money, and DEBUG is True.',
            hint="Set DEBUG to False, or give the account test credentials.",
            id="omniman_payment.E008",
        )
        for account in _accounts()
        if account.livemode
    ]


@checks.register(TAG, deploy=True)
def check_deployment(**_: Any) -> list[checks.CheckMessage]:
    """``manage.py check --deploy``: what a shop on the internet should not leave open."""
    found: list[checks.CheckMessage] = []
    if not _reports_safely():
        found.append(
            checks.Warning(
                "Pages and mails about errors may show what only the payment layer knows to be "
                "a secret.",
                hint=f'Set DEFAULT_EXCEPTION_REPORTER = "{REPORTER}".',
                id="omniman_payment.W004",
            )
        )
    for account in _accounts():
        if not account.livemode:
            found.append(
                checks.Warning(
                    f'Account "{account.name}" is in test mode: orders count as paid, and no '
                    "money comes.",
                    hint="Give it live credentials, or remove it from the settings.",
                    id="omniman_payment.W005",
                )
            )
    return found


def _reports_safely() -> bool:
    try:
        reporter = import_string(settings.DEFAULT_EXCEPTION_REPORTER)
    except ImportError:
        return False
    return isinstance(reporter, type) and issubclass(reporter, PaymentExceptionReporter)


def _accounts() -> Iterator[Account]:
    """The accounts that can work; the others are told by other checks."""
    try:
        registry = get_registry()
        names = registry.names()
    except (ConfigurationError, ImproperlyConfigured):
        return
    for name in names:
        try:
            account = registry.account(name)
            account.backend  # noqa: B018
        except ConfigurationError:
            continue
        yield account
