"""Orders with the timeline of their payments."""

from __future__ import annotations

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from omniman_payment_django.models import Order, OrderEvent
from omniman_payment_django.timeline import shown, timeline_of

from .readonly import LookingAdmin


@admin.register(Order)
class OrderAdmin(LookingAdmin):
    """``data`` is not shown: it is the shop's, and may hold anything."""

    list_display = ("ref", "channel", "status", "total", "payment_status", "created_at")
    list_filter = ("status", "channel")
    list_select_related = ("channel",)
    search_fields = ("ref",)
    ordering = ("-pk",)
    show_full_result_count = False
    fields = ("ref", "channel", "status", "total", "payment_status", "created_at", "timeline")
    readonly_fields = fields

    @admin.display(description=_("total"))
    def total(self, order: Order) -> str:
        """With its currency."""
        return shown(order.total_q, order.currency)

    @admin.display(description=_("payment"))
    def payment_status(self, order: Order) -> str:
        """From the summary that the payment layer keeps."""
        payment = order.data.get("payment") if isinstance(order.data, dict) else None
        return str(payment.get("status", "")) if isinstance(payment, dict) else ""

    @admin.display(description=_("payments"))
    def timeline(self, order: Order) -> SafeString:
        """Facts, operations, refunds, and what happens next."""
        return render_to_string("omniman_payment/timeline.html", {"timeline": timeline_of(order)})


@admin.register(OrderEvent)
class OrderEventAdmin(LookingAdmin):
    """Who moved an order, and when."""

    list_display = ("at", "order_ref", "kind", "actor")
    list_filter = ("kind",)
    search_fields = ("order_ref", "actor")
    ordering = ("-pk",)
    show_full_result_count = False
