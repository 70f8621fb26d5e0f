"""The project's URLs: where the gateway's notifications come in."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("payments/", include("omniman_payment_django.urls"))]
