"""Sales channels: where orders come from, and how their payments are to be made."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from omniman_payment_core.records import ChannelView


class Channel(models.Model):
    """``config`` selects ``payment_backend``, ``payment_flow``, ``order_flow`` and so on."""

    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200, blank=True, default="")
    config = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering: ClassVar[list[str]] = ["code"]

    def __str__(self) -> str:
        return self.name or self.code

    @property
    def view(self) -> ChannelView:
        """The channel as the core reads it."""
        return ChannelView(self.code, self.config)
