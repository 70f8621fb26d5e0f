"""How far a reconciliation has come: one row for each account."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reconciliation(models.Model):
    """The run under way, or the last one that came to its end."""

    account = models.CharField(primary_key=True, max_length=100)
    since = models.DateTimeField()
    began_at = models.DateTimeField()
    position = models.CharField(max_length=64, blank=True, default="")
    """The last payment that was compared: a run that was stopped goes on behind it."""
    compared = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    """Whose process is at it has it to itself until then."""

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")

    def __str__(self) -> str:
        return self.account
