"""Payments, operations, refunds and facts, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from omniman_payment_django.models import (
    GatewayCall,
    Payment,
    PaymentEvent,
    PaymentOperation,
    Refund,
)
from omniman_payment_django.timeline import shown

from .readonly import LookingAdmin


@admin.register(Payment)
class PaymentAdmin(LookingAdmin):
    """``next_action`` is not shown: it can be what lets somebody else finish the payment."""

    list_display = ("id", "order_ref", "status", "amount", "captured", "account", "livemode")
    list_filter = ("status", "account", "livemode")
    search_fields = ("id", "order_ref", "transaction_id")
    ordering = ("-created_at",)
    show_full_result_count = False
    exclude = ("next_action",)

    @admin.display(description=_("amount"))
    def amount(self, payment: Payment) -> str:
        """What was asked."""
        return shown(payment.amount_q, payment.currency)

    @admin.display(description=_("captured"))
    def captured(self, payment: Payment) -> str:
        """What came."""
        return shown(payment.captured_q, payment.currency)


@admin.register(PaymentOperation)
class PaymentOperationAdmin(LookingAdmin):
    """Every mutation at a gateway."""

    list_display = ("key", "payment", "kind", "ordinal", "state", "amount_q", "currency")
    list_filter = ("state", "kind")
    list_select_related = ("payment",)
    search_fields = ("key", "payment__order_ref")
    ordering = ("-created_at",)
    show_full_result_count = False


@admin.register(PaymentEvent)
class PaymentEventAdmin(LookingAdmin):
    """The ledger."""

    list_display = ("seq", "payment", "kind", "amount_q", "source", "actor", "at")
    list_filter = ("kind", "source")
    list_select_related = ("payment",)
    search_fields = ("payment__order_ref", "gateway_reference")
    ordering = ("-seq",)
    show_full_result_count = False
    exclude = ("data",)


@admin.register(Refund)
class RefundAdmin(LookingAdmin):
    """Money on its way back."""

    list_display = ("id", "payment", "amount_q", "status", "external", "created_at")
    list_filter = ("status", "external")
    list_select_related = ("payment",)
    search_fields = ("payment__order_ref", "reference")
    ordering = ("-created_at",)
    show_full_result_count = False


@admin.register(GatewayCall)
class GatewayCallAdmin(LookingAdmin):
    """What was asked of gateways, and how long it took."""

    list_display = ("at", "order_ref", "account", "method", "outcome", "code", "duration_us")
    list_filter = ("outcome", "method", "account")
    search_fields = ("order_ref", "operation_key", "transaction_id")
    ordering = ("-pk",)
    show_full_result_count = False
