"""Directives: the durable queue of what should happen to an order's payment."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from omniman_payment_core.records import SCHEMA_VERSION, DirectiveStatus, Topic

if TYPE_CHECKING:
    from .orders import Order


class Directive(models.Model):
    """``order_ref`` is no foreign key: the order may be another project's, or be missing.

    While a directive runs, ``available_at`` is the end of its lease, so that one index finds
    what is due and what was left behind.
    """

    topic = models.CharField(max_length=32, choices=[(t.value, t.value) for t in Topic])
    order_ref = models.CharField(max_length=64)
    payload = models.JSONField(default=dict, blank=True)
    schema_version = models.PositiveSmallIntegerField(default=SCHEMA_VERSION)
    status = models.CharField(
        max_length=16,
        choices=[(s.value, s.value) for s in DirectiveStatus],
        default=DirectiveStatus.PENDING.value,
    )
    attempts = models.PositiveIntegerField(default=0)
    available_at = models.DateTimeField(default=timezone.now)
    fence = models.PositiveBigIntegerField(default=0)
    lease_owner = models.CharField(max_length=200, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    dedupe_key = models.CharField(max_length=255, null=True, blank=True)
    waiting = models.BooleanField(default=False)
    wakes = models.PositiveIntegerField(default=0)
    result = models.JSONField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("directive")
        verbose_name_plural = _("directives")
        # Stated here rather than on the fields, where PostgreSQL would get each of them twice.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["order_ref"], name="omniman_directive_order"),
            # Only what can still run: claiming costs the same after a million finished ones.
            models.Index(
                fields=["available_at", "id"],
                condition=models.Q(status__in=["pending", "running"]),
                name="omniman_directive_due",
            ),
            models.Index(
                fields=["order_ref", "available_at"],
                condition=models.Q(status="running"),
                name="omniman_directive_running",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["dedupe_key"], name="omniman_directive_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=[s.value for s in DirectiveStatus]),
                name="omniman_directive_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.order_ref}"

    @property
    def order(self) -> Order:
        """The order this is about, read afresh; raises ``Order.DoesNotExist``."""
        from .orders import Order

        return Order.objects.using(self._state.db).select_related("channel").get(ref=self.order_ref)
