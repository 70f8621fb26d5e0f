"""Flags: what a person has to look at, settled by an action with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import PermissionsMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from omniman_payment_django.models import Flag
from omniman_payment_django.settling import SettlingError, settle_flags

from .readonly import LookingAdmin


class OpenFilter(admin.SimpleListFilter):
    """Open flags first: they are why somebody comes here."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("open", gettext_lazy("open")), ("settled", gettext_lazy("settled"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Flag]) -> QuerySet[Flag]:
        if self.value() in ("open", "settled"):
            return queryset.filter(settled_at__isnull=self.value() == "open")
        return queryset


@admin.register(Flag)
class FlagAdmin(LookingAdmin):
    """Not edited, not deleted: settled, by whom and why."""

    list_display = ("id", "kind", "order_ref", "message", "opened_at", "settled_at", "actor")
    list_filter = (OpenFilter, "kind", "account")
    search_fields = ("order_ref", "message")
    ordering = ("-pk",)
    show_full_result_count = False
    actions = ("settle_flags",)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Who may change flags may settle them; looking alone is not enough."""
        user = request.user
        return isinstance(user, PermissionsMixin) and user.has_perm("omniman_payment.change_flag")

    @admin.action(description=gettext_lazy("Settle the selected flags"), permissions=["settle"])
    def settle_flags(self, request: HttpRequest, queryset: QuerySet[Flag]) -> HttpResponse | None:
        """Ask for a reason on a page of its own, then settle."""
        reason = request.POST.get("reason", "")
        if "confirm" in request.POST and reason.strip():
            try:
                settled = settle_flags(
                    queryset.values_list("pk", flat=True),
                    actor=request.user.get_username(),
                    reason=reason,
                )
            except SettlingError as error:
                self.message_user(request, str(error), messages.ERROR)
                return None
            self.message_user(
                request,
                ngettext("%d flag is settled.", "%d flags are settled.", len(settled))
                % len(settled),
            )
            return None
        return TemplateResponse(
            request,
            "omniman_payment/settle_flags.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Settle flags"),
                "opts": self.model._meta,
                "flags": queryset.filter(settled_at=None),
                "missing": "confirm" in request.POST,
                "action_checkbox_name": ACTION_CHECKBOX_NAME,
            },
        )
