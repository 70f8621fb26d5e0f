"""Flags: what a person must look at, until they settle it with a reason."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Flag(models.Model):
    """Open until ``settled_at``; at most one open flag for each ``dedupe_key``."""

    kind = models.CharField(max_length=64)
    dedupe_key = models.CharField(max_length=400)
    order_ref = models.CharField(max_length=64, db_index=True)
    message = models.TextField()
    payment_id = models.CharField(max_length=64, null=True, blank=True)
    directive_id = models.BigIntegerField(null=True, blank=True)
    account = models.CharField(max_length=100, blank=True, default="")
    opened_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    actor = models.CharField(max_length=150, blank=True, default="")
    reason = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("flag")
        verbose_name_plural = _("flags")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["dedupe_key"],
                condition=models.Q(settled_at__isnull=True),
                name="omniman_flag_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"
