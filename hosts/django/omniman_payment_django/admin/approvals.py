"""Refunds that wait for a second person: approved or rejected by an action with a reason."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import PermissionsMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from omniman_payment_django.approvals import approve_refund, reject_refund
from omniman_payment_django.models import RefundRequest
from omniman_payment_django.settling import SettlingError
from omniman_payment_django.timeline import shown

from .readonly import LookingAdmin


@admin.register(RefundRequest)
class RefundRequestAdmin(LookingAdmin):
    """One at a time: whoever agrees to money leaving types how much."""

    list_display = ("id", "order_ref", "amount", "reason", "requested_by", "state", "decided_by")
    list_filter = ("state", "currency")
    search_fields = ("order_ref", "requested_by")
    ordering = ("-pk",)
    show_full_result_count = False
    actions = ("approve", "reject")

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, request: RefundRequest) -> str:
        """With its currency."""
        return shown(request.amount_q, request.currency)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """A permission of its own: to look, or to refund, is not enough."""
        user = request.user
        return isinstance(user, PermissionsMixin) and user.has_perm(
            "omniman_payment.decide_refundrequest"
        )

    @admin.action(description=gettext_lazy("Approve the selected refund"), permissions=["decide"])
    def approve(
        self, request: HttpRequest, queryset: QuerySet[RefundRequest]
    ) -> HttpResponse | None:
        """Ask for the amount and a reason, then enqueue the refund."""
        return self._decide(request, queryset, "approve", approve_refund)

    @admin.action(description=gettext_lazy("Reject the selected refund"), permissions=["decide"])
    def reject(
        self, request: HttpRequest, queryset: QuerySet[RefundRequest]
    ) -> HttpResponse | None:
        """Ask for a reason."""
        return self._decide(request, queryset, "reject", reject_refund)

    def _decide(
        self,
        request: HttpRequest,
        queryset: QuerySet[RefundRequest],
        action: str,
        decide: Callable[..., RefundRequest],
    ) -> HttpResponse | None:
        if len(queryset) != 1:
            self.message_user(request, _("Decide on one refund at a time."), messages.ERROR)
            return None
        (wanted,) = queryset
        typed = request.POST.get("amount", "").strip()
        wrong = ""
        if "confirm" in request.POST:
            if action == "approve" and typed != self.amount(wanted):
                wrong = _("The amount is not the one that was asked for.")
            elif not request.POST.get("reason", "").strip():
                wrong = _("A reason is needed.")
            else:
                self._decided(request, wanted, decide)
                return None
        return TemplateResponse(
            request,
            "omniman_payment/decide_refund.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Approve a refund") if action == "approve" else _("Reject a refund"),
                "opts": self.model._meta,
                "wanted": wanted,
                "amount": self.amount(wanted),
                "action": action,
                "wrong": wrong,
                "action_checkbox_name": ACTION_CHECKBOX_NAME,
            },
        )

    def _decided(
        self, request: HttpRequest, wanted: RefundRequest, decide: Callable[..., RefundRequest]
    ) -> None:
        try:
            decided = decide(
                wanted.pk, actor=request.user.get_username(), reason=request.POST["reason"]
            )
        except SettlingError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        self.message_user(
            request,
            _("Refund request %(number)d is %(state)s.")
            % {"number": decided.pk, "state": RefundRequest.State(decided.state).label},
        )
