"""What is only ever added: the facts of the ledger and the audit of gateway calls."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from omniman_payment_core.records import EventKind, Source

from .payments import KEY_LENGTH, Payment


class AppendOnlyError(Exception):
    """A fact of the ledger was to be changed or removed; corrections are new facts."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is refused: the ledger is only added to, and a correction is a new fact"
        )


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Reads and adds; everything else is refused before it reaches the database."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("update()")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("bulk_update()")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("delete()")

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise AppendOnlyError("delete()")


class AppendOnlyModel(models.Model):
    """A row that is written once. The database refuses the same by a trigger."""

    objects = models.Manager.from_queryset(AppendOnlyQuerySet)()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("save() of a stored row")
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("delete()")


class PaymentEvent(AppendOnlyModel):
    """One fact of the ledger; a payment's amounts and status are the fold over its facts."""

    seq = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    kind = models.CharField(max_length=32, choices=[(k.value, k.value) for k in EventKind])
    amount_q = models.BigIntegerField()
    dedupe_key = models.CharField(max_length=KEY_LENGTH)
    source = models.CharField(max_length=16, choices=[(s.value, s.value) for s in Source])
    actor = models.CharField(max_length=200)
    at = models.DateTimeField()
    gateway_reference = models.CharField(max_length=255, blank=True, default="")
    data = models.JSONField(default=dict, blank=True)

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["payment", "seq"], name="omniman_event_payment"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["dedupe_key"], name="omniman_event_once"),
            models.CheckConstraint(
                condition=models.Q(amount_q__gte=0), name="omniman_event_amount"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_q}"


class GatewayCall(models.Model):
    """The audit row of one gateway call: no payment method and no secret, by construction."""

    order_ref = models.CharField(max_length=64)
    payment_id = models.CharField(max_length=64)
    account = models.CharField(max_length=100)
    method = models.CharField(max_length=32)
    operation_key = models.CharField(max_length=64, blank=True)
    amount_q = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    attempt = models.PositiveIntegerField()
    outcome = models.CharField(max_length=32)
    duration_us = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    transaction_id = models.CharField(max_length=255, blank=True, default="")
    status = models.CharField(max_length=255, blank=True, default="")
    code = models.CharField(max_length=255, blank=True, default="")
    message = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("gateway call")
        verbose_name_plural = _("gateway calls")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["order_ref"], name="omniman_call_order"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.order_ref}: {self.outcome}"
