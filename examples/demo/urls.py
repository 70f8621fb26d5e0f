"""The demo's URLs: the webhook endpoint, where a project would have it."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("payments/", include("omniman_payment_django.urls"))]
