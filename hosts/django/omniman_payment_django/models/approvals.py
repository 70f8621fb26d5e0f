"""Refunds that one person asked for and another has to agree to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class RefundRequest(models.Model):
    """Waits until somebody else than who asked decides; nothing is asked of a gateway before."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")

    order_ref = models.CharField(max_length=64, db_index=True)
    amount_q = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.TextField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    requested_by = models.CharField(max_length=150)
    requested_at = models.DateTimeField(default=timezone.now)
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.TextField(blank=True, default="")
    directive_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("refund request")
        verbose_name_plural = _("refund requests")
        permissions = (
            ("decide_refundrequest", "Can approve or reject a refund that somebody else asked for"),
        )
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(amount_q__gt=0), name="omniman_refundrequest_amount"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "approved", "rejected"]),
                name="omniman_refundrequest_state",
            ),
            # The database itself lets nobody approve what they asked for.
            models.CheckConstraint(
                condition=~models.Q(state="approved")
                | ~models.Q(decided_by=models.F("requested_by")),
                name="omniman_refundrequest_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_ref}: {self.amount_q} {self.currency}"
