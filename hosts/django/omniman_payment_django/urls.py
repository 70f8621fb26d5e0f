"""What the outside may call: ``path("payments/", include("omniman_payment_django.urls"))``."""

from __future__ import annotations

from django.urls import path, re_path

from .pay import views
from .webhooks.view import webhook

app_name = "omniman_payment"

urlpatterns = [
    path("webhooks/<str:account>/", webhook, name="webhook"),
    # Some gateways append a word of their own to the registered address, or drop the slash.
    re_path(r"^webhooks/(?P<account>[^/]+)$", webhook),
    path("webhooks/<str:account>/<path:rest>", webhook),
    path("pay/<str:token>/", views.pay, name="pay"),
    path("pay/<str:token>/status/", views.status, name="pay_status"),
]
