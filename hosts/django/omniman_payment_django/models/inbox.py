"""What came in and is kept until it is matched, and what is still to be told to observers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class WebhookDelivery(models.Model):
    """One authentic notification, stored once however often it is delivered."""

    class Status(models.TextChoices):
        RECEIVED = "received", _("received")
        MATCHED = "matched", _("matched")
        UNMATCHED = "unmatched", _("unmatched")
        IGNORED = "ignored", _("ignored")

    account = models.CharField(max_length=100)
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=64)
    transaction_id = models.CharField(max_length=255, null=True, blank=True)
    livemode = models.BooleanField(null=True, blank=True)
    occurred_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(default=timezone.now)
    body = models.TextField(blank=True, default="")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.RECEIVED)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(next_try_at__isnull=False),
                name="omniman_webhook_retry",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "event_id"], name="omniman_webhook_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.event_id}"


class PaymentNotice(models.Model):
    """A status move that was committed and whose observers may not have been told yet."""

    payment_id = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    snapshot = models.JSONField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("payment notice")
        verbose_name_plural = _("payment notices")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["payment_id", "version"], name="omniman_notice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id} version {self.version}"
