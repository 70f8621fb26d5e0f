"""Sessions and the orders they become; the page's own ``order.data`` and ``transition_status``."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models, router, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .channels import Channel
from .flow import CANCELLED, check_transition


class Session(models.Model):
    """A cart. Committing it makes exactly one order."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        COMMITTED = "committed", _("committed")

    key = models.CharField(max_length=64, unique=True)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="sessions")
    items = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    commit_key = models.CharField(max_length=200, unique=True, null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    committed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    def __str__(self) -> str:
        return self.key


class Order(models.Model):
    """``data["payment"]`` is the summary the payment layer rebuilds; the rest is the shop's."""

    ref = models.CharField(max_length=64)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="orders")
    session = models.OneToOneField(
        Session, on_delete=models.PROTECT, null=True, blank=True, related_name="order"
    )
    status = models.CharField(max_length=32, default="new")
    currency = models.CharField(max_length=3)
    total_q = models.BigIntegerField()
    items = models.JSONField(default=list, blank=True)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        # Stated here rather than on the fields, where PostgreSQL would get each of them twice.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["status"], name="omniman_order_status"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["ref"], name="omniman_order_ref"),
            models.CheckConstraint(
                condition=models.Q(total_q__gt=0), name="omniman_order_total_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def cancelled(self) -> bool:
        return self.status == CANCELLED

    def transition_status(self, status: str, actor: str) -> None:
        """Move to ``status`` if the channel's flow allows it; who did it is kept.

        Staying where it is changes nothing.
        """
        using = self._state.db or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            stored = type(self)._base_manager.using(using).select_for_update().get(pk=self.pk)
            if stored.status != status:
                check_transition(
                    self.channel.config, self.channel.code, self.ref, stored.status, status
                )
                type(self)._base_manager.using(using).filter(pk=self.pk).update(status=status)
                OrderEvent.objects.using(using).create(
                    order_ref=self.ref,
                    kind=OrderEvent.STATUS_CHANGED,
                    actor=actor,
                    data={"from": stored.status, "to": status},
                )
        self.status = status


class OrderEvent(models.Model):
    """What happened to an order and who did it. By reference, so that any host's order fits."""

    STATUS_CHANGED = "status_changed"
    TRANSITION_REFUSED = "transition_refused"

    order_ref = models.CharField(max_length=64, db_index=True)
    kind = models.CharField(max_length=32)
    actor = models.CharField(max_length=150)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("order event")
        verbose_name_plural = _("order events")

    def __str__(self) -> str:
        return f"{self.order_ref}: {self.kind}"

    def detail(self, name: str) -> Any:
        """One entry of ``data``, such as ``from`` and ``to`` of a status change."""
        return self.data.get(name) if isinstance(self.data, dict) else None
