"""The Django application: its name, its label, its system checks, and where its settings are."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OmnimanPaymentConfig(AppConfig):
    """Put ``"omniman_payment_django"`` into ``INSTALLED_APPS``."""

    name = "omniman_payment_django"
    label = "omniman_payment"
    verbose_name = _("Payments")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from omniman_payment_core.plugins import configure_by

        # Importing them registers the checks.
        from . import bound_checks, checks, deploy_checks  # noqa: F401
        from .conf import omniman

        configure_by(omniman)
