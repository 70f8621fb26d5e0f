"""Payments, their operations at a gateway, and refunds: the state that the ledger folds to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from omniman_payment_core.records import OperationKind, OperationState
from omniman_payment_core.values import PaymentFlow, PaymentStatus, RefundStatus

KEY_LENGTH = 400
"""Keys that are put together from our ids and a gateway's reference of up to 255 characters."""


def _vocabulary(field: str, words: type, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": [str(word) for word in words]}),  # type: ignore[attr-defined]
        name=name,
    )


class Payment(models.Model):
    """One attempt to collect the money of an order; bound for life to the account it began with."""

    id = models.CharField(primary_key=True, max_length=64)
    order_ref = models.CharField(max_length=64)
    attempt = models.PositiveIntegerField()
    flow = models.CharField(max_length=32, choices=[(f.value, f.value) for f in PaymentFlow])
    account = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=100, blank=True)
    livemode = models.BooleanField()
    plugin = models.CharField(max_length=200)
    plugin_version = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3)
    amount_q = models.BigIntegerField()
    created_at = models.DateTimeField()
    transaction_id = models.CharField(max_length=255, null=True, blank=True)
    status = models.CharField(max_length=32, choices=[(s.value, s.value) for s in PaymentStatus])
    authorized_q = models.BigIntegerField(default=0)
    captured_q = models.BigIntegerField(default=0)
    released_q = models.BigIntegerField(default=0)
    refund_pending_q = models.BigIntegerField(default=0)
    refunded_q = models.BigIntegerField(default=0)
    disputed_q = models.BigIntegerField(default=0)
    actions_open = models.IntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    voids = models.PositiveIntegerField(default=0)
    expiries = models.PositiveIntegerField(default=0)
    next_action = models.JSONField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    hold_expires_at = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    fired = models.JSONField(default=list, blank=True)
    checks = models.PositiveIntegerField(default=0)
    next_check_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["next_check_at"],
                condition=models.Q(next_check_at__isnull=False),
                name="omniman_payment_check_due",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["order_ref", "attempt"], name="omniman_payment_attempt"
            ),
            models.UniqueConstraint(
                fields=["account", "transaction_id"],
                condition=models.Q(transaction_id__isnull=False),
                name="omniman_payment_transaction",
            ),
            _vocabulary("status", PaymentStatus, "omniman_payment_status"),
            # What one fact alone can never take below nothing, in whatever order they come.
            models.CheckConstraint(
                condition=models.Q(
                    amount_q__gt=0, authorized_q__gte=0, captured_q__gte=0, released_q__gte=0
                ),
                name="omniman_payment_amounts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_ref}/{self.attempt}"


class PaymentOperation(models.Model):
    """One mutation at the gateway: unit of idempotency and write-ahead record."""

    key = models.CharField(primary_key=True, max_length=64)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="operations", db_index=False
    )
    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in OperationKind])
    ordinal = models.PositiveIntegerField()
    cause = models.CharField(max_length=255)
    params_hash = models.CharField(max_length=128)
    amount_q = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in OperationState])
    created_at = models.DateTimeField()
    first_sent_at = models.DateTimeField(null=True, blank=True)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    window_until = models.DateTimeField(null=True, blank=True)
    address = models.CharField(max_length=255, blank=True, default="")
    gateway_reference = models.CharField(max_length=255, blank=True, default="")
    fence = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    code = models.CharField(max_length=255, blank=True, default="")
    evidence = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["payment", "kind", "ordinal"], name="omniman_operation_ordinal"
            ),
            _vocabulary("state", OperationState, "omniman_operation_state"),
            _vocabulary("kind", OperationKind, "omniman_operation_kind"),
            models.CheckConstraint(
                condition=models.Q(amount_q__gte=0), name="omniman_operation_amount"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ordinal} of {self.payment_id}"


class Refund(models.Model):
    """Money on its way back: ours (``id`` is the operation's key) or made at the gateway."""

    id = models.CharField(primary_key=True, max_length=KEY_LENGTH)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="refunds", db_index=False
    )
    amount_q = models.BigIntegerField()
    status = models.CharField(max_length=16, choices=[(s.value, s.value) for s in RefundStatus])
    created_at = models.DateTimeField()
    accepted = models.BooleanField(default=False)
    external = models.BooleanField(default=False)
    reference = models.CharField(max_length=255, blank=True, default="")
    reason = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["payment"], name="omniman_refund_payment"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            _vocabulary("status", RefundStatus, "omniman_refund_status"),
            models.CheckConstraint(
                condition=models.Q(amount_q__gte=0), name="omniman_refund_amount"
            ),
        ]

    def __str__(self) -> str:
        return self.id
