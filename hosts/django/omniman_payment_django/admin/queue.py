"""The queue and the inbox, without what they carry: a payload can hold a payment method."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from omniman_payment_django.models import Directive, Session, WebhookDelivery

from .readonly import LookingAdmin


@admin.register(Directive)
class DirectiveAdmin(LookingAdmin):
    """Of the payload only the names of its fields."""

    list_display = ("id", "topic", "order_ref", "status", "attempts", "available_at", "last_error")
    list_filter = ("status", "topic")
    search_fields = ("order_ref", "dedupe_key")
    ordering = ("-pk",)
    show_full_result_count = False
    exclude = ("payload", "result")
    readonly_fields = ("payload_fields",)

    @admin.display(description=_("payload fields"))
    def payload_fields(self, directive: Directive) -> str:
        """What it carries, by name."""
        payload = directive.payload
        return ", ".join(sorted(map(str, payload))) if isinstance(payload, dict) else ""


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LookingAdmin):
    """The body is not shown: it can hold the payer's personal data."""

    list_display = ("received_at", "account", "kind", "transaction_id", "status", "attempts")
    list_filter = ("status", "account")
    search_fields = ("event_id", "transaction_id")
    ordering = ("-pk",)
    show_full_result_count = False
    exclude = ("body",)


@admin.register(Session)
class SessionAdmin(LookingAdmin):
    """``data`` is not shown: it holds the payment method until the session is committed."""

    list_display = ("key", "channel", "state", "created_at", "committed_at")
    list_filter = ("state", "channel")
    list_select_related = ("channel",)
    search_fields = ("key", "commit_key")
    ordering = ("-pk",)
    show_full_result_count = False
    exclude = ("data",)
