"""The URLs of a project that includes ours."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("payments/", include("omniman_payment_django.urls")),
    path("admin/", admin.site.urls),
]
