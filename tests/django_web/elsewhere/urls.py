"""The URLs of a project that has nothing but ours."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("payments/", include("omniman_payment_django.urls"))]
